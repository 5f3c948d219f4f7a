package web

import (
	"encoding/pem"
	"net/http"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
)

type certificatePage struct {
	Page
	CAs        []caRow
	Rotation   *fleet.Rotation
	Progress   fleet.Progress
	Behind     []fleet.AgentRow // the first of those that would be cut off
	Collectors []fleet.Collector
	Change     bool
	Notice     string
}

// caRow is one CA of the company.
type caRow struct {
	Name, Fingerprint string
	From, Until       time.Time
	Signs, Shown      bool
	Ending            bool // within a year: time to rotate
}

// behindShown is how many of those behind the page shows.
const behindShown = 20

// certificateShow shows the CAs and how far a rotation is.
func (c *console) certificateShow(w http.ResponseWriter, r *http.Request) error {
	p, err := c.certificates(w, r)
	if err != nil {
		return err
	}
	p.Notice = c.sessions.PopString(r.Context(), sessionNotice)
	return c.render(w, r, "certificate_show", p)
}

// certificateLive is the part of the page that follows a rotation.
func (c *console) certificateLive(w http.ResponseWriter, r *http.Request) error {
	p, err := c.certificates(w, r)
	if err != nil {
		return err
	}
	return c.fragment(w, "certificate_show", "rotation-live", p)
}

func (c *console) certificates(w http.ResponseWriter, r *http.Request) (certificatePage, error) {
	ctx := r.Context()
	p := certificatePage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Change = p.T("admin.certificates"), access.May(p.actor, access.ChangeSettings)
	all, err := c.Agents.CAs(ctx)
	if err != nil {
		return p, err
	}
	p.Rotation = all.Rotation
	shown, _ := all.Shown()
	for i, ca := range all.CAs {
		p.CAs = append(p.CAs, caRow{Name: caName(ca), Fingerprint: ca.Fingerprint().String(), From: ca.Cert.NotBefore, Until: ca.Cert.NotAfter,
			Signs: i == 0, Shown: ca == shown, Ending: i == 0 && ca.Cert.NotAfter.Sub(p.Now) < 365*oneDay})
	}
	if p.Progress, err = c.Agents.Progress(ctx); err != nil {
		return p, err
	}
	if p.Rotation != nil {
		page, err := c.Agents.BehindPage(ctx, paging.Order{Limit: behindShown})
		if err != nil {
			return p, err
		}
		p.Behind = page.Rows
	}
	p.Collectors, err = c.Agents.Collectors(ctx)
	return p, err
}

// More is how many of those behind are not shown.
func (p certificatePage) More() int { return max(0, p.Progress.Behind-len(p.Behind)) }

// Percent is a share of the machines.
func (p certificatePage) Percent(n int) int {
	if p.Progress.Machines == 0 {
		return 100
	}
	return n * 100 / p.Progress.Machines
}

// certificateFile sends the certificates of the CAs that are trusted, for browsers and
// for openssl. There is no key in it.
func (c *console) certificateFile(w http.ResponseWriter, r *http.Request) error {
	all, err := c.Agents.CAs(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="vigia-ca.pem"`)
	for _, ca := range all.CAs {
		if err := pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw}); err != nil {
			return nil // the reader is gone
		}
	}
	return nil
}
