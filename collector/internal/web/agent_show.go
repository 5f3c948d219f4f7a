package web

import (
	"net/http"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/fleet"
	"vigia/internal/pki"
)

type agentPage struct {
	machinePage
	Link         fleet.Agent
	Certificates []certificateLine
	CAs          []caLine // that the agent trusts
	Due          string   // when the certificate is renewed, in words
	Clock        string   // how far the machine's clock is off, "" where it is not
	Change       bool
	Revoked      string
}

// SpoolBytes is the size of what waits, for the template.
func (p agentPage) SpoolBytes() uint64 { return uint64(max(p.Link.SpoolBytes, 0)) }

type certificateLine struct {
	fleet.Certificate
	State  fleet.CertificateState
	InUse  bool
	Revoke string // address; "" where it cannot be
}

// caLine is a CA that an agent trusts.
type caLine struct {
	Short string
	Signs bool
}

// agentShow is the part of a machine's page about its agent.
func (c *console) agentShow(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "agent")
	if err != nil {
		return err
	}
	p := agentPage{machinePage: base, Change: access.May(base.actor, access.ChangeMachines), Revoked: c.sessions.PopString(r.Context(), sessionNotice)}
	p.Title = p.T("agent.title", "Machine", p.Machine.Hostname)
	link, list, err := c.Agents.AgentOf(r.Context(), p.Machine.ID)
	if err != nil {
		return err
	}
	p.Link = link
	for _, x := range list {
		line := certificateLine{Certificate: x, State: x.StateAt(p.Now), InUse: x.Serial == link.Certificate}
		if line.State == fleet.CertificateGood && p.Change {
			line.Revoke = "/certificates/of/" + x.Serial + "/revoke"
		}
		if line.InUse && line.State == fleet.CertificateGood {
			p.Due = p.T("agent.due", "When", p.Date(x.NotBefore.Add(x.NotAfter.Sub(x.NotBefore)*2/3)))
		}
		p.Certificates = append(p.Certificates, line)
	}
	trusted := c.Agents.Trusted()
	for _, fp := range link.Trusts {
		p.CAs = append(p.CAs, caLine{Short: shortFingerprint(fp), Signs: fp == trusted[0]})
	}
	if off := link.ClockBehind; off.Abs() > clockOff {
		p.Clock = p.T("agent.clock-off", "Off", p.N("count.minutes", int(off.Abs()/time.Minute)))
	}
	return c.render(w, r, "machine_agent", p)
}

// clockOff is how far a machine's clock may be off before the page says so.
const clockOff = 5 * time.Minute

// shortFingerprint is the beginning of a fingerprint, in groups of four.
func shortFingerprint(fp string) string {
	s := fp[:min(len(fp), 16)]
	var groups []string
	for i := 0; i < len(s); i += 4 {
		groups = append(groups, s[i:min(i+4, len(s))])
	}
	return strings.Join(groups, " ") + " …"
}

// machineRevokeForm says what ends when a machine's certificates are taken away.
func (c *console) machineRevokeForm(w http.ResponseWriter, r *http.Request) error {
	return c.askRevoke(w, r, "", "")
}

// machineRevoke takes them away, where the machine's name was typed.
func (c *console) machineRevoke(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "agent")
	if err != nil {
		return err
	}
	typed := posted(r, "name", maxName)
	if typed != base.Machine.Hostname {
		return c.askRevoke(w, r, typed, base.T("revoke.wrong-name", "Machine", base.Machine.Hostname))
	}
	if _, err := c.Agents.Revoke(r.Context(), base.Machine.ID); err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, base.T("revoke.done", "Machine", base.Machine.Hostname))
	http.Redirect(w, r, base.Path("agent"), http.StatusSeeOther)
	return nil
}

func (c *console) askRevoke(w http.ResponseWriter, r *http.Request, typed, problem string) error {
	base, err := c.machineOf(w, r, "agent")
	if err != nil {
		return err
	}
	m := base.Machine
	p := confirmPage{Page: base.Page, Action: base.Path("revoke"), Cancel: base.Path("agent")}
	p.Title, p.Intro, p.Submit = p.T("revoke.title", "Machine", m.Hostname), p.T("revoke.about"), p.T("revoke.do", "Machine", m.Hostname)
	p.Crumbs = []headLink{{URL: "/machines", Text: p.T("nav.machines")}, {URL: base.Path("agent"), Text: m.Hostname}}
	p.Lost = []string{p.T("revoke.identity")}
	if m.Findings > 0 {
		p.Lost = append(p.Lost, p.N("retire.findings", m.Findings))
	}
	if m.Spooled > 0 {
		p.Lost = append(p.Lost, p.N("retire.spooled", m.Spooled))
	}
	p.Stays = []string{p.N("retire.kept", m.Programs), p.T("revoke.again")}
	p.Field = &field{Name: "name", Label: p.T("revoke.type", "Machine", m.Hostname), Kind: "text", Value: typed, Required: true}
	return c.confirm(w, r, p, problem)
}

// machineRelease ends a quarantine.
func (c *console) machineRelease(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "agent")
	if err != nil {
		return err
	}
	if _, err := c.Agents.Release(r.Context(), base.Machine.ID); err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, base.T("release.done", "Machine", base.Machine.Hostname))
	http.Redirect(w, r, base.Path("agent"), http.StatusSeeOther)
	return nil
}

// certificateRevokeForm says what ends with one certificate.
func (c *console) certificateRevokeForm(w http.ResponseWriter, r *http.Request) error {
	cert, m, err := c.certificateOf(r)
	if err != nil {
		return err
	}
	p := confirmPage{Page: c.newPage(w, r, "administration"), Action: "/certificates/of/" + cert.Serial + "/revoke", Cancel: "/machines/" + m.ID + "/agent"}
	p.Title, p.Intro, p.Submit = p.T("certificate.revoke-title", "Machine", m.Hostname), p.T("certificate.revoke.about"), p.T("certificate.revoke")
	p.Crumbs = append(p.crumbs("/agents", "admin.agents"), headLink{URL: p.Cancel, Text: m.Hostname})
	p.Lost = []string{p.T("certificate.revoke.lost", "Serial", cert.Serial, "Until", p.Date(cert.NotAfter))}
	p.Stays = []string{p.T("certificate.revoke.stays")}
	return c.confirm(w, r, p, "")
}

// certificateRevoke takes it back.
func (c *console) certificateRevoke(w http.ResponseWriter, r *http.Request) error {
	_, m, err := c.certificateOf(r)
	if err != nil {
		return err
	}
	if _, err := c.Agents.RevokeCertificate(r.Context(), r.PathValue("serial")); err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, c.newPage(w, r, "").T("certificate.revoked-now"))
	http.Redirect(w, r, "/machines/"+m.ID+"/agent", http.StatusSeeOther)
	return nil
}

func (c *console) certificateOf(r *http.Request) (fleet.Certificate, fleet.Machine, error) {
	cert, err := c.Agents.CertificateOf(r.Context(), r.PathValue("serial"))
	if err != nil {
		return cert, fleet.Machine{}, err
	}
	m, err := c.Machines.Machine(r.Context(), cert.Machine)
	return cert, m, err
}

// caName is what people call a CA by.
func caName(ca *pki.CA) string { return ca.Cert.Subject.CommonName }
