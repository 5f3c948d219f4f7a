package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"vigia/collector/internal/apperr"
)

// chunkTime is how long the other side may take for one chunk of a copy.
const chunkTime = time.Minute

// backupFetch sends a copy. It may take longer than other answers, but never stands
// still.
func (c *console) backupFetch(w http.ResponseWriter, r *http.Request) error {
	row, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil || row < 1 {
		return apperr.New(apperr.NotFound, "backup.unknown", apperr.Args{"backup": r.PathValue("n")})
	}
	path, rec, err := c.Backups.OpenBackup(r.Context(), row)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return apperr.Wrap(err, apperr.NotFound, "backup.not-here", apperr.Args{"host": rec.Host})
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", `attachment; filename="`+rec.File+`"`)
	h.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
	if err := sendSlowly(w, f); err != nil { // the answer has begun: there is nobody to tell
		c.Log.Info("a copy was not fetched to its end", "backup", row, "error", err)
	}
	return nil
}

// sendSlowly copies chunk by chunk, each with a deadline of its own.
func sendSlowly(w http.ResponseWriter, from io.Reader) error {
	control := http.NewResponseController(w)
	for {
		if err := control.SetWriteDeadline(time.Now().Add(chunkTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		_, err := io.CopyN(w, from, 1<<20)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
