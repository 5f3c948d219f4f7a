package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy/policyfile"
)

// allowlistImportPath takes larger requests than others.
const allowlistImportPath = allowlistPath + "/import"

type allowlistFilePage struct {
	Page
	Crumbs   []headLink
	Text     string
	Name     string
	MaxMiB   int
	Problem  string
	Problems []fileProblem
	Plan     *allowlist.Plan
	Diff     diffView
	Base     int64
}

// fileProblem is one thing that is wrong with a file, as a reader understands it.
type fileProblem struct {
	Line               int
	Field, Value, Text string
}

// allowlistFileForm asks for a file.
func (c *console) allowlistFileForm(w http.ResponseWriter, r *http.Request) error {
	return c.showFile(w, r, http.StatusOK, c.newFilePage(w, r))
}

func (c *console) newFilePage(w http.ResponseWriter, r *http.Request) allowlistFilePage {
	p := allowlistFilePage{Page: c.newPage(w, r, "software"), MaxMiB: policyfile.MaxSize >> 20}
	p.Help, p.Title, p.Crumbs = "/help/allowlist", p.T("allowlist.import.title"), p.allowlistCrumbs()
	return p
}

func (c *console) showFile(w http.ResponseWriter, _ *http.Request, status int, p allowlistFilePage) error {
	return c.execute(w, status, "allowlist_file", "layout", p)
}

// allowlistFile tells what is wrong with a file line by line, or what it would change;
// and makes it the allowlist when told to. What was read stands in the form, to be
// mended there.
func (c *console) allowlistFile(w http.ResponseWriter, r *http.Request) error {
	p := c.newFilePage(w, r)
	if err := p.read(r); err != nil {
		return err
	}
	if strings.TrimSpace(p.Text) == "" {
		p.Problem = p.T("allowlist.import.nothing")
		return c.showFile(w, r, http.StatusUnprocessableEntity, p)
	}
	f, errs := policyfile.Parse(strings.NewReader(p.Text))
	if len(errs) > 0 {
		p.tell(errs)
		return c.showFile(w, r, http.StatusUnprocessableEntity, p)
	}
	ctx := r.Context()
	before, err := c.Rules.Current(ctx)
	if err != nil {
		return err
	}
	plan, done, err := decide(&p.Page, r, &p.Problem, func(o allowlist.Options) (allowlist.Plan, error) { return c.Rules.Import(ctx, f, p.Name, o) })
	if err != nil {
		return err
	} else if done {
		return c.changed(w, r, allowlistPath, plan)
	}
	p.Plan, p.Base, p.Diff = &plan, plan.Current, p.diffOf(allowlist.Compare(before, plan.Allowlist))
	return c.showFile(w, r, statusWith(p.Problem), p)
}

// read takes the file that was chosen, else the text that was typed.
func (p *allowlistFilePage) read(r *http.Request) error {
	err := r.ParseForm() // of a form without a file; with one it reads nothing
	if err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err = r.ParseMultipartForm(policyfile.MaxSize); err == nil {
			defer func() { _ = r.MultipartForm.RemoveAll() }()
		}
	}
	if err != nil {
		return apperr.Wrap(err, apperr.Invalid, "web.too-large", nil)
	}
	p.Text, p.Name = r.PostFormValue("text"), cleaned(r.PostFormValue("name"), 100)
	if file, head, err := r.FormFile("file"); err == nil {
		defer file.Close()
		b, err := io.ReadAll(io.LimitReader(file, policyfile.MaxSize+1))
		if err != nil {
			return apperr.Wrap(err, apperr.Invalid, "web.too-large", nil)
		}
		if len(b) > 0 {
			p.Text, p.Name = string(b), cleaned(head.Filename, 100)
		}
	}
	p.Text = strings.ReplaceAll(p.Text, "\r\n", "\n")
	if p.Name == "" {
		p.Name = "allowlist.yaml"
	}
	return nil
}

// tell makes the problems of a file readable.
func (p *allowlistFilePage) tell(errs []error) {
	for _, err := range errs {
		var e *policyfile.Error
		if !errors.As(err, &e) {
			continue
		}
		p.Problems = append(p.Problems, fileProblem{Line: e.Line, Field: e.Field, Value: cleaned(e.Value, 80), Text: p.FileProblem(e)})
	}
	p.Text = strings.ToValidUTF8(p.Text, "�")
}
