package web

import (
	"context"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/internal/policy/policyfile"
)

// policyCSP lets pages load the console's own files and nothing else; data: images are
// the arrows inside Tabler's CSS.
const policyCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard puts around next what every answer has: safe headers, a number to quote for
// every failure, and no state changed from another site's page. There is no
// Strict-Transport-Security: it would hold for every port of the host, where others
// may serve plain HTTP, and this server has none.
func (c *console) guard(next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(c.open(c.crossOrigin))
	inner := cross.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policyCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // not no-referrer: older browsers then send no Origin with our own forms
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest(r))
		r = r.WithContext(context.WithValue(r.Context(), failureKey{}, c.failureNumber()))
		defer c.recovered(w, r)
		inner.ServeHTTP(w, r)
	})
}

// maxRequest is how large a request may be, in bytes: a form, or a file of people.
func maxRequest(r *http.Request) int64 {
	if r.URL.Path == importPath {
		return org.MaxImportBytes + 64<<10 // and what the form puts around it
	}
	if r.URL.Path == allowlistImportPath {
		return 2*policyfile.MaxSize + 64<<10 // a file, beside the text of the one before it
	}
	if strings.HasPrefix(r.URL.Path, "/nonconformities/") && strings.HasSuffix(r.URL.Path, filesEnd) {
		return nonconformity.MaxFile + 64<<10
	}
	return 1 << 20
}

type failureKey struct{}

// failureNumber is what a person quotes when a page fails: "E-7F3K2M9Q".
func (c *console) failureNumber() string {
	id := strings.ToUpper(strings.ReplaceAll(c.NewID(), "-", ""))
	return "E-" + id[max(0, len(id)-8):]
}

func (c *console) recovered(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		c.Log.Error("page panicked", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
		c.fail(w, r, errors.New("a page panicked"))
	}
}

// crossOrigin answers a form that another site's page sent.
func (c *console) crossOrigin(w http.ResponseWriter, r *http.Request) error {
	return apperr.New(apperr.Forbidden, "web.cross-origin", nil)
}

// nothingHere answers every URL that routes does not list.
func (c *console) nothingHere(w http.ResponseWriter, r *http.Request) error {
	return apperr.New(apperr.NotFound, "web.no-page", nil)
}
