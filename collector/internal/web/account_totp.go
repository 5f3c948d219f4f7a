package web

import (
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/boombuler/barcode/qr"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
)

type totpPage struct {
	Page
	Has       bool
	Required  bool // the role must have it
	CodesLeft int
	Key       string        // to be typed
	QR        template.HTML // to be scanned
	Codes     []string      // recovery codes, shown this once
	Problem   problem
}

// totpForm shows the second factor: how to set it up, or what to do with it.
func (c *console) totpForm(w http.ResponseWriter, r *http.Request) error {
	return c.showTOTP(w, r, http.StatusOK, problem{}, nil)
}

func (c *console) showTOTP(w http.ResponseWriter, r *http.Request, status int, bad problem, codes []string) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	o, err := c.Accounts.Overview(r.Context(), person)
	if err != nil {
		return err
	}
	p := totpPage{Page: c.newPage(w, r, ""), Has: o.TOTP, Required: o.Required, CodesLeft: o.CodesLeft, Codes: codes, Problem: bad}
	p.Title = p.T("account.totp.title")
	if !p.Has {
		key, err := c.totpKey(r, person)
		if err != nil {
			return err
		}
		p.Key = key.Text
		if p.QR, err = drawQR(key.URI, p.T("account.totp.qr")); err != nil {
			return err
		}
	}
	return c.execute(w, status, "account_totp", "layout", p)
}

// totpKey is the secret that this session is setting up: the same when the page is
// loaded again, so that a code that was scanned stays good.
func (c *console) totpKey(r *http.Request, person string) (account.TOTPKey, error) {
	if secret := c.sessions.GetBytes(r.Context(), pendingTOTP); len(secret) > 0 {
		return account.KeyOf(person, secret), nil
	}
	key, err := c.Accounts.NewTOTP(person)
	if err == nil {
		c.sessions.Put(r.Context(), pendingTOTP, key.Secret)
	}
	return key, err
}

// totpSet turns it on with the first code, and shows the recovery codes.
func (c *console) totpSet(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	codes, err := c.Accounts.SetTOTP(r.Context(), person, c.sessions.GetBytes(r.Context(), pendingTOTP), posted(r, "code", 64))
	if err != nil {
		return c.totpFailed(w, r, err)
	}
	c.sessions.Remove(r.Context(), pendingTOTP)
	return c.showTOTP(w, r, http.StatusOK, problem{}, codes)
}

// totpCodes makes new recovery codes and shows them.
func (c *console) totpCodes(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	codes, err := c.Accounts.NewCodes(r.Context(), person, posted(r, "code", 64), c.client(r))
	if err != nil {
		return c.totpFailed(w, r, err)
	}
	return c.showTOTP(w, r, http.StatusOK, problem{}, codes)
}

// totpRemove turns it off.
func (c *console) totpRemove(w http.ResponseWriter, r *http.Request) error {
	person, err := oneself(r)
	if err != nil {
		return err
	}
	if err := c.Accounts.RemoveTOTP(r.Context(), person, posted(r, "code", 64), c.client(r)); err != nil {
		return c.totpFailed(w, r, err)
	}
	return c.done(w, r, "/account", "totp-removed")
}

// totpFailed shows the form again with what was wrong.
func (c *console) totpFailed(w http.ResponseWriter, r *http.Request, err error) error {
	if code := apperr.CodeOf(err); code != apperr.Invalid && code != apperr.TooMany {
		return err
	}
	status := formStatus(err)
	bad, err := c.newPage(w, r, "").problemOf(err)
	if err != nil {
		return err
	}
	return c.showTOTP(w, r, status, bad, nil)
}

// quietZone is the margin of a QR code, in modules (ISO/IEC 18004, 6.3.8).
const quietZone = 4

// drawQR draws text as SVG, black on white in either theme, so that cameras read it.
func drawQR(text, label string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("drawing a QR code: %w", err)
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := range size {
			if v, _, _, _ := code.At(x, y).RGBA(); v == 0 {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x+quietZone, y+quietZone)
			}
		}
	}
	whole := size + 2*quietZone
	return template.HTML(fmt.Sprintf(`<svg class="vg-qr" role="img" aria-label="%s" viewBox="0 0 %d %d" width="220" height="220" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dh-%dz"/><path fill="#000" d="%s"/></svg>`,
		template.HTMLEscapeString(label), whole, whole, whole, whole, whole, path.String())), nil
}
