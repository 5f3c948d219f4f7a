package fleet

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
	"vigia/internal/pki"
)

// Progress is how far the machines in service have followed a rotation.
type Progress struct {
	Machines int // that have a certificate which is good now
	Trusting int // told that they trust the CA that signs
	Renewed  int // have connected with a certificate by it
	Behind   int // would be cut off if every other CA were retired now
}

// CAs returns the company's CAs and the rotation that goes on, as they are stored now.
func (s *Service) CAs(ctx context.Context) (*Authorities, error) {
	if _, err := access.Need(ctx, access.SeeSettings); err != nil {
		return nil, err
	}
	return s.Authority.read(ctx)
}

// Progress counts how far machines have followed the CA that signs.
func (s *Service) Progress(ctx context.Context) (p Progress, err error) {
	all, err := s.CAs(ctx)
	if err != nil {
		return p, err
	}
	return s.progress(ctx, all.CAs[0].Fingerprint().String())
}

func (s *Service) progress(ctx context.Context, signer string) (p Progress, err error) {
	now := s.Now()
	for _, x := range []struct {
		n *int
		f AgentFilter
	}{
		{&p.Behind, AgentFilter{Behind: signer}}, {&p.Machines, AgentFilter{Certified: true}},
		{&p.Trusting, AgentFilter{Certified: true, Trusting: signer}}, {&p.Renewed, AgentFilter{Certified: true, Renewed: signer}},
	} {
		x.f.Now = now
		if *x.n, err = s.Agents.CountAgents(ctx, x.f, maxCounted); err != nil {
			return p, err
		}
	}
	return p, nil
}

// maxCounted bounds a count of machines.
const maxCounted = 10_000_000

// BehindPage returns the machines that would be cut off if every CA but the one that
// signs were retired now.
func (s *Service) BehindPage(ctx context.Context, o paging.Order) (paging.Page[AgentRow], error) {
	all, err := s.CAs(ctx)
	if err != nil {
		return paging.Page[AgentRow]{}, err
	}
	return s.Agents.AgentPage(ctx, AgentFilter{Behind: all.CAs[0].Fingerprint().String(), Now: s.Now()}, o)
}

// BeginRotation makes a new CA, which signs from now on. Both are trusted: agents are
// told over their connection, or with their next renewal. Errors: Conflict
// "ca.rotation-going-on".
func (s *Service) BeginRotation(ctx context.Context) (*Rotation, error) {
	now := s.Now().UTC().Truncate(time.Microsecond)
	made, err := pki.NewCA("Vigía collector CA "+now.Format("2006-01-02 15:04"), now)
	if err != nil {
		return nil, err
	}
	r := &Rotation{BegunAt: now, BegunBy: actor.From(ctx).String(), To: made.Fingerprint().String()}
	err = s.changeCAs(ctx, "ca.rotate-begin", r.To, func(ctx context.Context, all *Authorities) ([]*pki.CA, *Rotation, any, error) {
		if all.Rotation != nil || len(all.CAs) > 1 {
			return nil, nil, nil, apperr.New(apperr.Conflict, "ca.rotation-going-on", apperr.Args{"at": goingSince(all)})
		}
		old := all.CAs[0]
		r.From, r.Shown = old.Fingerprint().String(), old.Fingerprint().String()
		if err := s.Certificates.NameCA(ctx, r.From); err != nil {
			return nil, nil, nil, err
		}
		return []*pki.CA{made, old}, r, map[string]any{"from": r.From, "to": r.To, "ends": made.Cert.NotAfter}, nil
	})
	return r, err
}

func goingSince(all *Authorities) time.Time {
	if all.Rotation == nil {
		return time.Time{}
	}
	return all.Rotation.BegunAt
}

// AbortRotation goes back: the CA of before signs again. The one that was made is dropped
// at once where no machine has a certificate by it, else it stays trusted until
// FinishRotation, while machines renew. It reports whether that is so. Errors: Conflict
// "ca.no-rotation", "ca.aborted-already".
func (s *Service) AbortRotation(ctx context.Context) (ended bool, err error) {
	err = s.changeCAs(ctx, "ca.rotate-abort", "", func(ctx context.Context, all *Authorities) ([]*pki.CA, *Rotation, any, error) {
		switch {
		case all.Rotation == nil || len(all.CAs) != 2:
			return nil, nil, nil, apperr.New(apperr.Conflict, "ca.no-rotation", nil)
		case all.Rotation.Aborted:
			return nil, nil, nil, apperr.New(apperr.Conflict, "ca.aborted-already", nil)
		}
		r := *all.Rotation
		r.From, r.To, r.Aborted = r.To, r.From, true
		p, err := s.progress(ctx, r.To)
		if err != nil {
			return nil, nil, nil, err
		}
		cas, left := []*pki.CA{all.CAs[1], all.CAs[0]}, &r
		if ended = p.Behind == 0; ended {
			cas, left = cas[:1], nil
		}
		return cas, left, map[string]any{"back_to": r.To, "from": r.From, "machines_to_renew": p.Behind, "ended": ended}, nil
	})
	return ended, err
}

// FinishRotation retires every CA but the one that signs: certificates by the others are
// refused from then on. cutOff is how many machines that may cut off: where it is another
// number, nothing happens and the error is TooMany "ca.would-cut-off" with the number and
// the first names. Errors: also Conflict "ca.no-rotation".
func (s *Service) FinishRotation(ctx context.Context, cutOff int) (Progress, error) {
	var p Progress
	err := s.changeCAs(ctx, "ca.rotate-finish", "", func(ctx context.Context, all *Authorities) ([]*pki.CA, *Rotation, any, error) {
		if all.Rotation == nil || len(all.CAs) < 2 {
			return nil, nil, nil, apperr.New(apperr.Conflict, "ca.no-rotation", nil)
		}
		signer := all.CAs[0].Fingerprint().String()
		var err error
		if p, err = s.progress(ctx, signer); err != nil {
			return nil, nil, nil, err
		}
		if p.Behind != cutOff {
			names, err := s.behindNames(ctx, signer, p.Behind)
			if err != nil {
				return nil, nil, nil, err
			}
			return nil, nil, nil, apperr.New(apperr.TooMany, "ca.would-cut-off", apperr.Args{"field": "cut-off", "count": p.Behind, "given": cutOff, "machines": names})
		}
		var retired []string
		for _, ca := range all.CAs[1:] {
			retired = append(retired, ca.Fingerprint().String())
		}
		return all.CAs[:1], nil, map[string]any{"retired": retired, "signs": signer, "machines": p.Machines, "renewed": p.Renewed, "cut_off": p.Behind}, nil
	})
	return p, err
}

// behindNames are the first machines that would be cut off, for a sentence.
func (s *Service) behindNames(ctx context.Context, signer string, count int) (string, error) {
	const most = 10
	page, err := s.Agents.AgentPage(ctx, AgentFilter{Behind: signer, Now: s.Now()}, paging.Order{Limit: most})
	text := ""
	for i, m := range page.Rows {
		if i > 0 {
			text += ", "
		}
		text += m.Hostname
	}
	if count > most {
		text += fmt.Sprintf(" … (+%d)", count-most)
	}
	if count == 0 {
		text = "-"
	}
	return text, err
}

// changeCAs changes the stored CAs in one transaction: the audit log, which is written
// last but locked first, lets collectors and commands pass one by one.
func (s *Service) changeCAs(ctx context.Context, action, object string, change func(ctx context.Context, all *Authorities) ([]*pki.CA, *Rotation, any, error)) error {
	if _, err := access.Need(ctx, access.ChangeSettings); err != nil {
		return err
	}
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Changes.Notify(ctx, ChangeTrust, "ca"); err != nil { // takes the lock under which numbers are given
			return err
		}
		all, err := s.Authority.read(ctx)
		if err != nil {
			return err
		}
		before := viewCAs(all)
		cas, r, after, err := change(ctx, all)
		if err != nil {
			return err
		}
		value, err := encodeCAs(r, cas...)
		if err != nil {
			return err
		}
		if err := s.Authority.blobs.SetBlob(ctx, blobCA, value); err != nil {
			return err
		}
		if object == "" {
			object = cas[0].Fingerprint().String()
		}
		return s.record(ctx, action, objectCA(object), before, after)
	})
	if err != nil {
		return err
	}
	return s.Authority.Reload(ctx)
}

// viewCAs is what the audit log keeps of the CAs: never a key.
func viewCAs(all *Authorities) any {
	var trusted []string
	for _, fp := range all.Trust.Fingerprints() {
		trusted = append(trusted, fp.String())
	}
	return map[string]any{"trusted": trusted, "signs": trusted[0]}
}

// RevokeCertificate takes one certificate back: refused at once here, within a second on
// other collectors, and a connection that uses it is closed. The machine stays in
// service; where it has no other certificate it must be enrolled again. Errors: NotFound
// "certificate.unknown", Conflict "certificate.revoked-already".
func (s *Service) RevokeCertificate(ctx context.Context, serial string) (Certificate, error) {
	var c Certificate
	if _, err := access.Need(ctx, access.ChangeMachines); err != nil {
		return c, err
	}
	now := s.Now().UTC().Truncate(time.Microsecond)
	err := s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if c, err = s.Certificates.Certificate(ctx, serial); err != nil {
			return err
		}
		if !c.RevokedAt.IsZero() {
			return apperr.New(apperr.Conflict, "certificate.revoked-already", apperr.Args{"serial": c.Serial, "at": c.RevokedAt})
		}
		if err := s.Certificates.RevokeCertificate(ctx, c.Serial, now); err != nil {
			return err
		}
		c.RevokedAt = now
		after := map[string]any{"certificate": c.Serial, "revoked_at": now}
		if err := s.record(ctx, "certificate.revoke", "machine/"+c.Machine, map[string]any{"certificate": c.Serial, "not_after": c.NotAfter}, after); err != nil {
			return err
		}
		return s.Changes.Notify(ctx, ChangeMachine, c.Machine)
	})
	return c, err
}

// AgentPage returns one page of agents, for those who may see them.
func (s *Service) AgentPage(ctx context.Context, f AgentFilter, o paging.Order) (paging.Page[AgentRow], error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return paging.Page[AgentRow]{}, err
	}
	f.Now = s.Now()
	return s.Agents.AgentPage(ctx, f, o)
}

// CountAgents counts them, at most most.
func (s *Service) CountAgents(ctx context.Context, f AgentFilter, most int) (int, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return 0, err
	}
	f.Now = s.Now()
	return s.Agents.CountAgents(ctx, f, most)
}

// AgentOf returns what is known of the agent of one machine, with its certificates,
// newest first.
func (s *Service) AgentOf(ctx context.Context, machine string) (Agent, []Certificate, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return Agent{}, nil, err
	}
	a, err := s.Agents.Agent(ctx, machine, s.Now())
	if err != nil {
		return a, nil, err
	}
	list, err := s.Certificates.Certificates(ctx, machine)
	return a, list, err
}

// Versions returns the versions of the agent in service, most frequent first.
func (s *Service) Versions(ctx context.Context) ([]AgentVersion, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return nil, err
	}
	return s.Agents.AgentVersions(ctx)
}

// Collectors returns the collectors that run, and those that ran lately.
func (s *Service) Collectors(ctx context.Context) ([]Collector, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return nil, err
	}
	list, err := s.Agents.Collectors(ctx)
	return slices.DeleteFunc(list, func(c Collector) bool { return !c.Alive(s.Now()) && c.Connected == 0 }), err
}

// CertificateOf returns one certificate by its serial number. Errors: NotFound
// "certificate.unknown".
func (s *Service) CertificateOf(ctx context.Context, serial string) (Certificate, error) {
	if _, err := access.Need(ctx, access.SeeAgents); err != nil {
		return Certificate{}, err
	}
	return s.Certificates.Certificate(ctx, serial)
}
