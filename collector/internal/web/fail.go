package web

import (
	"errors"
	"net/http"

	"vigia/collector/internal/apperr"
)

// statusOf maps codes to HTTP, code for code.
func statusOf(code apperr.Code) int {
	switch code {
	case apperr.Invalid:
		return http.StatusBadRequest
	case apperr.Unauthenticated:
		return http.StatusUnauthorized
	case apperr.Forbidden:
		return http.StatusForbidden
	case apperr.NotFound:
		return http.StatusNotFound
	case apperr.Conflict:
		return http.StatusConflict
	case apperr.TooMany:
		return http.StatusTooManyRequests
	case apperr.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

type failurePage struct {
	Page
	Heading string
	Text    string
	Number  string // to quote; the log has it too
	GetIn   bool   // tell how to get in
}

// fail shows err as a page in the reader's language and writes what is our fault to the
// log, under the number that the page shows.
func (c *console) fail(w http.ResponseWriter, r *http.Request, err error) {
	code := apperr.CodeOf(err)
	number, _ := r.Context().Value(failureKey{}).(string)
	if status := statusOf(code); status >= 500 {
		c.Log.Error("page failed", "number", number, "method", r.Method, "path", safePath(r), "error", err)
	} else {
		c.Log.Info("page refused", "number", number, "method", r.Method, "path", safePath(r), "code", code, "error", err)
	}
	if r.Header.Get("HX-Request") == "true" { // a part of a page that refreshes itself
		if code == apperr.Unauthenticated {
			w.Header().Set("HX-Refresh", "true") // the whole page will say how to get in
		} else {
			w.Header().Set("HX-Reswap", "none") // what is on the screen stays
		}
	}
	if code == apperr.Unauthenticated && c.signinAsk(w, r, err) == nil {
		return
	}
	p := failurePage{Page: c.newPage(w, r, ""), Number: number, GetIn: code == apperr.Unauthenticated}
	p.Heading = p.T("failure." + string(code))
	p.Title = p.Heading
	p.Text = p.Error(err)
	c.renderStatus(w, r, statusOf(code), "failure", p)
}

// safePath keeps the secret of a sign-in link out of the log.
func safePath(r *http.Request) string {
	if r.PathValue("secret") != "" {
		return "/signin/…"
	}
	return r.URL.Path
}

// sessionFailed is called when the store of sessions fails.
func (c *console) sessionFailed(w http.ResponseWriter, r *http.Request, err error) {
	var maxBytes *http.MaxBytesError
	if errors.As(err, &maxBytes) {
		err = apperr.Wrap(err, apperr.Invalid, "web.too-large", nil)
	}
	c.fail(w, r, err)
}
