package ingest

import (
	"context"
	"maps"
	"sync"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

// Session is one connected machine: what is held of it, so that a sign of life needs no
// query. It may be used by several goroutines, and must be closed.
type Session struct {
	in  *Ingester
	id  string
	row int64

	mu       sync.Mutex
	state    fleet.State
	digests  map[inventory.Section]inventory.Digest
	combined inventory.Digest
	backlog  int // reports that waited on the machine when it connected, not taken yet
}

// Result is the answer to a report or a sign of life.
type Result struct {
	Duplicate bool                // the report was taken before; nothing was done
	Need      []inventory.Section // wanted in full: what was told does not fit what is held
	Remarks   []inventory.Remark  // what was refused or changed
}

// Open begins a session. Errors: NotFound for an unknown machine, Forbidden
// "machine.<state>" for one that is not active.
func (in *Ingester) Open(ctx context.Context, machine string) (*Session, error) {
	m, digests, err := in.cfg.Store.OpenMachine(ctx, machine)
	if err != nil {
		return nil, err
	}
	if err := allowed(m.State, machine); err != nil {
		return nil, err
	}
	s := &Session{in: in, id: m.ID, row: m.Row, state: m.State, digests: digests, combined: inventory.CombineDigests(digests)}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.sessions[s.id] == nil {
		in.sessions[s.id] = make(map[*Session]struct{}, 1)
	}
	in.sessions[s.id][s] = struct{}{}
	return s, nil
}

// allowed returns Forbidden unless the state is Active.
func allowed(s fleet.State, machine string) error {
	if s == fleet.Active {
		return nil
	}
	return apperr.New(apperr.Forbidden, "machine."+string(s), apperr.Args{"machine": machine, "reason": string(s)})
}

// Close ends the session.
func (s *Session) Close() {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	delete(s.in.sessions[s.id], s)
	if len(s.in.sessions[s.id]) == 0 {
		delete(s.in.sessions, s.id)
	}
}

// Machine returns the machine's id.
func (s *Session) Machine() string { return s.id }

// Digests returns what is held of the machine, for Welcome.
func (s *Session) Digests() map[inventory.Section]inventory.Digest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.digests)
}

// Submit takes one report, of size bytes as it travelled, and returns after the commit.
// r is used up: its lists are put in normal form in place. Errors: Forbidden where the
// machine may not report; Conflict "report.taken" where another machine told a report
// with this id; Unavailable with Args["retry_after"] (a time.Duration) and "reason";
// Internal.
func (s *Session) Submit(ctx context.Context, r *wire.Report, size int) (Result, error) {
	s.mu.Lock()
	err, live := allowed(s.state, s.id), s.backlog == 0
	s.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	j, err := s.in.submit(ctx, s, r, size, live)
	if err != nil {
		return Result{}, err
	}
	if j.err == nil {
		s.mu.Lock()
		s.backlog = max(0, s.backlog-1)
		s.mu.Unlock()
		s.told(j.digests)
	}
	return j.result, j.err
}

// told remembers digests that are held now.
func (s *Session) told(digests map[inventory.Section]inventory.Digest) {
	if len(digests) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.Copy(s.digests, digests)
	s.combined = inventory.CombineDigests(s.digests)
}

// Unchanged takes a sign of life with the combined digest of what the machine has, and
// returns after the commit. Where the digest is not that of what is held, Result.Need
// names every section. Errors: Forbidden, Unavailable, Internal, as Submit.
func (s *Session) Unchanged(ctx context.Context, combined inventory.Digest) (Result, error) {
	s.mu.Lock()
	err, same := allowed(s.state, s.id), combined == s.combined
	s.mu.Unlock()
	if err != nil {
		return Result{}, err
	}
	seen := Seen{Machine: s.row, LastSeen: s.in.cfg.Now()}
	if same {
		seen.Looked = seen.LastSeen
	}
	if err := s.in.seen.wait(ctx, s.in, seen); err != nil {
		return Result{}, err
	}
	if !same {
		return Result{Need: inventory.Sections()}, nil
	}
	return Result{}, nil
}

// Hello takes the start of a connection: the agent's version, and how many reports wait
// on the machine. It returns after the commit.
func (s *Session) Hello(ctx context.Context, agent string, spooled int) error {
	s.mu.Lock()
	s.backlog = max(0, spooled)
	s.mu.Unlock()
	return s.in.seen.wait(ctx, s.in, Seen{Machine: s.row, LastSeen: s.in.cfg.Now(), Agent: plainText(agent, 64), Spooled: max(0, spooled)})
}

// MachineChanged reads the state of a machine again; call it for fleet.ChangeMachine.
func (in *Ingester) MachineChanged(ctx context.Context, machine string) error {
	in.mu.Lock()
	connected := len(in.sessions[machine]) > 0
	in.mu.Unlock()
	if !connected {
		return nil
	}
	m, digests, err := in.cfg.Store.OpenMachine(ctx, machine)
	if err != nil {
		return err
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	for s := range in.sessions[machine] {
		s.mu.Lock()
		s.state, s.digests, s.combined = m.State, digests, inventory.CombineDigests(digests)
		s.mu.Unlock()
	}
	return nil
}

// seenBuffer gathers signs of life until they are written together.
type seenBuffer struct {
	mu   sync.Mutex
	list map[int64]Seen
	n    int
	out  *flush
	wake chan struct{} // holds one: somebody waits, or the buffer is full
}

// flush is one writing of the buffer.
type flush struct {
	done chan struct{}
	err  error
}

// wait adds a sign of life and waits until it is committed.
func (b *seenBuffer) wait(ctx context.Context, in *Ingester, s Seen) error {
	b.mu.Lock()
	if b.out == nil {
		b.out, b.list = &flush{done: make(chan struct{})}, make(map[int64]Seen, 256)
		b.wakeUp()
	}
	was := b.list[s.Machine]
	if s.Agent == "" {
		s.Agent, s.Spooled = was.Agent, was.Spooled
	}
	if s.Looked.Before(was.Looked) {
		s.Looked = was.Looked
	}
	b.list[s.Machine] = s
	if b.n++; b.n == in.cfg.FlushMax {
		b.wakeUp()
	}
	f := b.out
	b.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return apperr.Wrap(ctx.Err(), apperr.Unavailable, "ingest.cancelled", nil)
	case <-in.stopped:
		return busy("shutting-down", time.Second)
	}
}

func (b *seenBuffer) wakeUp() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take empties the buffer.
func (b *seenBuffer) take() (map[int64]Seen, int, *flush) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, n, f := b.list, b.n, b.out
	b.list, b.n, b.out = nil, 0, nil
	return list, n, f
}

func (b *seenBuffer) full(limit int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n >= limit
}
