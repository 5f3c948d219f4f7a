// Package ledger owns the reading of the audit log: pages of it, single entries, the
// proof that its chain holds, and files of a range that others can verify. It refuses to
// write entries; whoever changes something does, in the same transaction.
package ledger

import (
	"context"
	"sync"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/paging"
)

// Store reads the chain and keeps when it was verified.
type Store interface {
	audit.Reader
	AuditPage(ctx context.Context, f audit.Filter, o paging.Order) (paging.Page[audit.Entry], error)
	CountAudit(ctx context.Context, f audit.Filter, most int) (int, error)
	AuditEntry(ctx context.Context, seq int64) (audit.Entry, error) // NotFound "audit.unknown"
	AuditHead(ctx context.Context) (audit.Entry, error)             // the newest; the zero Entry where there is none
	AuditActions(ctx context.Context) ([]string, error)             // every kind that occurs, sorted
	SaveProof(ctx context.Context, p Proof) error
	Proofs(ctx context.Context, limit int) ([]Proof, error) // newest first
}

// Proof is one time that the whole chain was gone through.
type Proof struct {
	StartedAt time.Time
	EndedAt   time.Time
	StartedBy string   // actor.Actor.String()
	Entries   int64    // that held
	Of        int64    // that there were when it began
	Head      [32]byte // hash of the last that held
	BrokenAt  int64    // number of the entry at which it broke; 0: nowhere
	Problem   string   // "gap", "link", "content"
}

// Holds reports whether nothing was found wrong.
func (p Proof) Holds() bool { return p.BrokenAt == 0 }

// Run is a verification that goes on.
type Run struct {
	StartedAt time.Time
	Entries   int64
	Of        int64
}

// Service is the use-case. It is safe for concurrent use.
type Service struct {
	Store Store
	Now   func() time.Time

	mu      sync.Mutex
	running *Run
	lastEnd time.Time
}

// pause is how soon after one verification ended another may begin on somebody's wish.
const pause = 5 * time.Second

// Page returns one page of the log, newest first.
func (s *Service) Page(ctx context.Context, f audit.Filter, o paging.Order) (paging.Page[audit.Entry], error) {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return paging.Page[audit.Entry]{}, err
	}
	return s.Store.AuditPage(ctx, f, o)
}

// Count counts entries, at most most.
func (s *Service) Count(ctx context.Context, f audit.Filter, most int) (int, error) {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return 0, err
	}
	return s.Store.CountAudit(ctx, f, most)
}

// Entry returns one. Errors: NotFound "audit.unknown".
func (s *Service) Entry(ctx context.Context, seq int64) (audit.Entry, error) {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return audit.Entry{}, err
	}
	return s.Store.AuditEntry(ctx, seq)
}

// Actions returns every kind of entry that occurs.
func (s *Service) Actions(ctx context.Context) ([]string, error) {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return nil, err
	}
	return s.Store.AuditActions(ctx)
}

// Status is the newest entry, the verification that goes on here (nil: none), and those
// of before.
func (s *Service) Status(ctx context.Context) (head audit.Entry, run *Run, past []Proof, err error) {
	if _, err = access.Need(ctx, access.SeeAudit); err != nil {
		return head, nil, nil, err
	}
	s.mu.Lock()
	if s.running != nil {
		copied := *s.running
		run = &copied
	}
	s.mu.Unlock()
	if head, err = s.Store.AuditHead(ctx); err != nil {
		return head, run, nil, err
	}
	past, err = s.Store.Proofs(ctx, 20)
	return head, run, past, err
}

// Start begins to verify in the background, unless that goes on already or has just
// ended. It changes nothing in the log.
func (s *Service) Start(ctx context.Context) error {
	if _, err := access.Need(ctx, access.SeeAudit); err != nil {
		return err
	}
	if !s.begin(pause) {
		return nil
	}
	by := actor.From(ctx).String()
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Minute)
		defer cancel()
		_, _ = s.verify(ctx, by) // what was found is in the proofs; a failing database tells itself
	}()
	return nil
}

// Verify goes through the whole chain and writes down what it found.
func (s *Service) Verify(ctx context.Context) (Proof, error) {
	if !s.begin(0) {
		return Proof{}, apperr.New(apperr.Conflict, "audit.verifying", nil)
	}
	return s.verify(ctx, actor.From(ctx).String())
}

func (s *Service) begin(since time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running != nil || since > 0 && s.Now().Sub(s.lastEnd) < since {
		return false
	}
	s.running = &Run{StartedAt: s.Now().UTC()}
	return true
}

// step is how many entries are read at once.
const step = 1000

func (s *Service) verify(ctx context.Context, by string) (p Proof, err error) {
	defer func() {
		s.mu.Lock()
		s.running, s.lastEnd = nil, s.Now()
		s.mu.Unlock()
	}()
	p = Proof{StartedAt: s.Now().UTC().Truncate(time.Microsecond), StartedBy: by}
	head, err := s.Store.AuditHead(ctx)
	if err != nil {
		return p, err
	}
	p.Of = head.Seq
	var v audit.Verifier
	for {
		page, err := s.Store.AuditEntries(ctx, p.Entries+1, step)
		if broken := asBroken(err); broken != nil { // an entry that cannot even be read
			p.BrokenAt, p.Problem = broken.Seq, broken.Problem
			break
		}
		if err != nil {
			return p, err
		}
		for _, e := range page {
			if broken := asBroken(v.Next(e)); broken != nil {
				p.BrokenAt, p.Problem = broken.Seq, broken.Problem
				break
			}
			p.Entries, p.Head = e.Seq, e.Hash
		}
		s.mu.Lock()
		s.running.Entries, s.running.Of = p.Entries, max(p.Of, p.Entries)
		s.mu.Unlock()
		if len(page) == 0 || p.BrokenAt != 0 {
			break
		}
	}
	if p.BrokenAt == 0 && p.Entries < p.Of { // entries at the end that were there are gone
		p.BrokenAt, p.Problem = p.Entries+1, "gap"
	}
	p.EndedAt = s.Now().UTC().Truncate(time.Microsecond)
	return p, s.Store.SaveProof(ctx, p)
}
