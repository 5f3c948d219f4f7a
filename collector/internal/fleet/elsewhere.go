package fleet

import (
	"context"
	"strings"
	"sync"
	"time"
)

// askWait is how long other collectors have to say that a machine is connected to
// them: they read the log of changes every half second, and so does who asked.
const askWait = 2500 * time.Millisecond

// questions are those that this collector has put to the others and waits on.
type questions struct {
	mu   sync.Mutex
	open map[string]chan struct{}
}

func (q *questions) put(id string) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open == nil {
		q.open = map[string]chan struct{}{}
	}
	answer := make(chan struct{})
	q.open[id] = answer
	return answer
}

// end closes a question, told whether it was answered.
func (q *questions) end(id string) (was bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	answer, was := q.open[id]
	if was {
		delete(q.open, id)
		close(answer)
	}
	return was
}

func (q *questions) has(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.open[id]
	return ok
}

// live reports whether a machine is connected to any collector. Others on the same
// database are asked through the log of changes; one that does not answer in time has
// no such connection.
func (s *Service) live(ctx context.Context, machine string) (bool, error) {
	if s.Live(machine) || !s.Shared {
		return s.Live(machine), nil
	}
	id := s.NewID()
	answer := s.asked.put(id)
	defer s.asked.end(id)
	err := s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Changes.Notify(ctx, ChangeAsked, id+" "+machine) })
	if err != nil {
		return false, err
	}
	timer := time.NewTimer(askWait)
	defer timer.Stop()
	select {
	case <-answer:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Asked answers another collector's question, ChangeAsked, where the machine is
// connected here.
func (s *Service) Asked(ctx context.Context, subject string) error {
	id, machine, ok := strings.Cut(subject, " ")
	if !ok || s.asked.has(id) || !s.Live(machine) {
		return nil
	}
	return s.Tx.InTx(ctx, func(ctx context.Context) error { return s.Changes.Notify(ctx, ChangeAnswered, id) })
}

// Answered takes the answer to a question of this collector; others are none of its business.
func (s *Service) Answered(subject string) { s.asked.end(subject) }
