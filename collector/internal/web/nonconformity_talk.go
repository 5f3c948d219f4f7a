package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
)

// nonconformityComment adds a comment.
func (c *console) nonconformityComment(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	text := postedText(r, "comment")
	_, err = c.RecordSteps.Comment(r.Context(), n.Number, text, c.client(r).Address)
	if apperr.Is(err, apperr.Invalid) {
		return c.showRecord(w, r, http.StatusUnprocessableEntity, n, func(p *nonconformityShowPage) { p.Problem, p.Comment = p.Error(err), text })
	} else if err != nil {
		return err
	}
	return c.toRecord(w, r, n, c.newPage(w, r, "").T("nc.commented"))
}

// filesEnd is how the address ends to which files of a record are sent: they may be
// larger than other forms.
const filesEnd = "/files"

// nonconformityAttach adds a file.
func (c *console) nonconformityAttach(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	refuse := func(err error) error {
		return c.showRecord(w, r, http.StatusUnprocessableEntity, n, func(p *nonconformityShowPage) { p.Bad = p.Error(err) })
	}
	name, content, err := readFile(r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return refuse(apperr.New(apperr.Invalid, "nonconformity.file-size", apperr.Args{"value": name, "max": nonconformity.MaxFile >> 20}))
	case errors.Is(err, errNoFile):
		return refuse(apperr.New(apperr.Invalid, "import.no-file", nil))
	case err != nil:
		return apperr.Wrap(err, apperr.Invalid, "import.broken", nil)
	}
	_, err = c.RecordSteps.Attach(r.Context(), n.Number, name, content, c.client(r).Address)
	if apperr.Is(err, apperr.Invalid) || apperr.Is(err, apperr.TooMany) {
		return refuse(err)
	} else if err != nil {
		return err
	}
	return c.toRecord(w, r, n, c.newPage(w, r, "").T("nc.attached"))
}

// readFile reads the form's file into memory, a byte more than may be kept at most.
func readFile(r *http.Request) (name string, content []byte, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, errNoFile
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, errNoFile
		} else if err != nil {
			return "", nil, err
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		content, err := io.ReadAll(io.LimitReader(part, nonconformity.MaxFile+1))
		return part.FileName(), content, err
	}
}

// nonconformityFile sends an attachment. It is always saved, never shown: whatever is in
// it does not run in the console's name.
func (c *console) nonconformityFile(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	f, err := c.RecordSteps.File(r.Context(), n.Number, r.PathValue("hash"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", f.Type)
	if strings.HasPrefix(f.Type, "text/") {
		h.Set("Content-Type", f.Type+"; charset=utf-8")
	}
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Length", strconv.Itoa(len(f.Content)))
	_, err = w.Write(f.Content)
	if err != nil {
		c.Log.Info("an attachment was not taken whole", "err", err)
	}
	return nil
}
