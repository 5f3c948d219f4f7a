package notify

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"
)

const (
	// batch is how many messages one connection carries.
	batch = 10
	// lease is how long a collector holds messages; batches end well before.
	lease = 10 * time.Minute
	// patience is when a batch stops taking up another message.
	patience = 5 * time.Minute
)

// Sender sends what the queue holds.
type Sender struct {
	Queue  *Queuer
	SMTP   SMTP
	Server func(ctx context.Context) (Server, error) // as it is now; an empty Host: nothing is sent
	Name   string                                    // of this collector, unique on the database
	Log    *slog.Logger
	Random func() float64 // from [0, 1)
	Tick   time.Duration  // how often it looks

	paused   time.Time // the server is left alone until then
	failures int       // of the server, in a row
}

// Run sends until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	tick := time.NewTicker(s.Tick)
	defer tick.Stop()
	for {
		if err := s.Round(ctx); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "mail is not sent", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.Queue.wake:
		}
	}
}

// Round sends everything that is due now, in batches, until nothing is or the server
// fails. It returns errors of the store and of settings only.
func (s *Sender) Round(ctx context.Context) error {
	if _, err := s.Queue.Store.ExpireMail(ctx, s.Queue.Now(), 500); err != nil {
		return err
	}
	for ctx.Err() == nil && !s.Queue.Now().Before(s.paused) {
		to, err := s.Server(ctx)
		if err != nil || to.Host == "" {
			return err
		}
		now := s.Queue.Now()
		list, err := s.Queue.Store.ClaimMail(ctx, s.Name, now, now.Add(lease), 0, batch)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := s.deliver(ctx, s.Name, to, list); err != nil {
			return err
		}
	}
	return nil
}

// SendNow tries one message at once, also before its time, and returns what became of
// it. Where another collector holds it just now, it is returned as it is.
func (s *Sender) SendNow(ctx context.Context, row int64) (Mail, error) {
	to, err := s.Server(ctx)
	if err != nil {
		return Mail{}, err
	}
	if to.Host != "" {
		now, holder := s.Queue.Now(), s.Name+"/"+s.Queue.NewID()
		list, err := s.Queue.Store.ClaimMail(ctx, holder, now, now.Add(lease), row, 1)
		if err != nil {
			return Mail{}, err
		}
		if err := s.deliver(ctx, holder, to, list); err != nil {
			return Mail{}, err
		}
	}
	return s.Queue.Store.MailByRow(ctx, row)
}

// deliver sends a batch over one connection and writes down each result. What it does
// not get to, it lets go of.
func (s *Sender) deliver(ctx context.Context, holder string, to Server, list []Mail) error {
	if len(list) == 0 {
		return nil
	}
	began := s.Queue.Now()
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := s.Queue.Store.ReleaseMail(tidy, holder); err != nil {
			s.Log.WarnContext(ctx, "mail is held until its time passes", "err", err)
		}
	}()
	conn, err := s.SMTP.dial(ctx, to)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		s.pause(ctx, err)
		return s.finish(ctx, holder, list[0], err) // the others were not tried
	}
	defer conn.close()
	for _, m := range list {
		if ctx.Err() != nil || s.Queue.Now().Sub(began) > patience {
			return nil
		}
		err := conn.send(m)
		if ctx.Err() != nil && err != nil {
			return nil // cut off by us: not an attempt
		}
		if ferr := s.finish(ctx, holder, m, err); ferr != nil {
			return ferr
		}
		var r *refusal
		if errors.As(err, &r) && r.server {
			s.pause(ctx, err)
			return nil
		}
		s.failures, s.paused = 0, time.Time{}
	}
	return nil
}

// finish writes down how an attempt ended.
func (s *Sender) finish(ctx context.Context, holder string, m Mail, err error) error {
	now := s.Queue.Now().UTC()
	r := Result{State: Sent, At: now, NextAt: m.NextAt}
	var no *refusal
	switch {
	case err == nil:
	case errors.As(err, &no) && no.permanent:
		r.State, r.Problem, r.Code = Bounced, problem(err), no.code
	default:
		r.State, r.NextAt, r.Problem = Waiting, now.Add(s.backoff(m.Attempts)), problem(err)
		if no != nil {
			r.Code = no.code
		}
	}
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	mine, ferr := s.Queue.Store.FinishMail(done, m.Row, holder, r)
	switch {
	case ferr != nil:
		return ferr
	case !mine:
		s.Log.WarnContext(ctx, "mail was held too long: another collector may send it again", "mail", m.Row, "message_id", m.MessageID)
	case r.State == Bounced:
		s.Log.WarnContext(ctx, "mail refused for good", "mail", m.Row, "template", m.Template, "code", r.Code, "problem", r.Problem)
	default:
		s.Log.InfoContext(ctx, "mail tried", "mail", m.Row, "template", m.Template, "state", r.State, "problem", r.Problem)
	}
	return nil
}

// backoff is drawn from the upper half of 30 s · 2^attempts, at most 2 h.
func (s *Sender) backoff(attempts int) time.Duration {
	d := min(30*time.Second<<min(attempts, 12), 2*time.Hour)
	return d/2 + time.Duration(s.Random()*float64(d/2))
}

// pause leaves a server alone that failed: 5 s, doubled each time, at most 5 minutes.
func (s *Sender) pause(ctx context.Context, err error) {
	d := min(5*time.Second<<min(s.failures, 10), 5*time.Minute)
	s.failures++
	s.paused = s.Queue.Now().Add(d/2 + time.Duration(s.Random()*float64(d/2)))
	s.Log.WarnContext(ctx, "the mail server fails", "in_a_row", s.failures, "again_at", s.paused, "err", err)
}

// problem is the cause for people: one line, bounded.
func problem(err error) string {
	text := oneLine(err.Error())
	if i := strings.Index(text, ", affected recipient(s)"); i > 0 {
		text = text[:i]
	}
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…"
	}
	return text
}

// Retry makes a message wait again and asks the sender beside it to hurry. Errors:
// NotFound "mail.unknown", Conflict "mail.cannot-retry".
func (q *Queuer) Retry(ctx context.Context, row int64) (Mail, error) {
	now := q.Now().UTC()
	m, err := q.Store.RetryMail(ctx, row, now, now.Add(life))
	if err == nil {
		q.nudge()
	}
	return m, err
}

// How long ended messages keep their text, and are known at all.
const (
	keepText = 30 * 24 * time.Hour
	keepMail = 400 * 24 * time.Hour
)

// Forget wipes and removes what is older than that.
func (q *Queuer) Forget(ctx context.Context) error {
	for now := q.Now(); ; {
		n, err := q.Store.PruneMail(ctx, now.Add(-keepText), now.Add(-keepMail), 500)
		if err != nil || n == 0 {
			return err
		}
	}
}
