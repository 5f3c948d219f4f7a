package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"vigia/internal/buildinfo"
)

const (
	// batch is how many events or deliveries are taken up at once.
	batch = 100
	// lease is how long a collector holds deliveries; a batch is let go of well before.
	lease = 10 * time.Minute
	// patience is when a batch stops taking up another delivery.
	patience = 5 * time.Minute
	// maxAttempts is after how many tries a delivery fails: with the waits of backoff
	// the last one is about three days after the first.
	maxAttempts = 16
	// keep is how long ended deliveries are known.
	keep = 90 * 24 * time.Hour
	// maxAnswer is how much of an answer is read, in bytes.
	maxAnswer = 2 << 10
)

// Runner tells hooks of events: one beside each collector.
type Runner struct {
	Service *Service
	Name    string // of this collector, unique on the database
	Log     *slog.Logger
	Random  func() float64 // from [0, 1)
	Tick    time.Duration  // how often it looks
	Timeout time.Duration  // of one request; 0 means 15 s

	client *retryablehttp.Client
}

// Run works until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	tick := time.NewTicker(r.Tick)
	defer tick.Stop()
	for {
		if err := r.Round(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "webhooks are not told", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Round tells everything that is due now. It returns errors of the store only.
func (r *Runner) Round(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := r.Service.FanOut(ctx, batch)
		if err != nil {
			return err
		}
		if n < batch {
			break
		}
	}
	for ctx.Err() == nil {
		now := r.Service.Now()
		list, err := r.Service.Store.ClaimDeliveries(ctx, r.Name, now, now.Add(lease), batch)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := r.deliver(ctx, list, now); err != nil {
			return err
		}
	}
	return nil
}

// deliver sends a batch and writes down each result; what it does not get to, it lets
// go of.
func (r *Runner) deliver(ctx context.Context, list []Delivery, began time.Time) error {
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := r.Service.Store.ReleaseDeliveries(tidy, r.Name); err != nil {
			r.Log.WarnContext(ctx, "deliveries are held until their time passes", "err", err)
		}
	}()
	down := map[int64]bool{} // hooks that did not answer: the rest of theirs waits its own turn
	for _, d := range list {
		if ctx.Err() != nil || r.Service.Now().Sub(began) > patience {
			return nil
		}
		if down[d.Hook] {
			continue
		}
		status, problem := r.send(ctx, d)
		if ctx.Err() != nil && status == 0 {
			return nil // cut off by us: not a try
		}
		down[d.Hook] = status == 0
		if err := r.finish(ctx, d, status, problem); err != nil {
			return err
		}
	}
	return nil
}

func (r *Runner) finish(ctx context.Context, d Delivery, status int, problem string) error {
	now := r.Service.Now().UTC()
	res := Result{State: Delivered, NextAt: d.NextAt, At: now, Status: status, Problem: problem}
	switch {
	case status >= 200 && status < 300:
		res.Problem = ""
	case status == http.StatusGone, d.Attempts+1 >= maxAttempts:
		res.State = Failed
	default:
		res.State, res.NextAt, res.At = Waiting, now.Add(r.backoff(d.Attempts)), time.Time{}
	}
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	mine, err := r.Service.Store.FinishDelivery(done, d.Row, r.Name, res)
	if err == nil && !mine {
		r.Log.WarnContext(ctx, "a delivery was held too long: another collector may repeat it", "delivery", d.Row)
	}
	r.Log.InfoContext(ctx, "webhook told", "delivery", d.Row, "kind", d.Kind, "state", res.State, "status", status, "problem", res.Problem)
	return err
}

// backoff is drawn from the upper half of 10 s · 2^attempts, at most 8 h.
func (r *Runner) backoff(attempts int) time.Duration {
	d := min(10*time.Second<<min(attempts, 14), 8*time.Hour)
	return d/2 + time.Duration(r.Random()*float64(d/2))
}

// send makes one signed request. status is 0 where no answer came.
func (r *Runner) send(ctx context.Context, d Delivery) (status int, problem string) {
	req, err := r.request(ctx, d)
	if err != nil {
		return 0, oneLine(err.Error())
	}
	res, err := r.http().Do(req)
	if err != nil {
		return 0, oneLine(err.Error())
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, oneLine(fmt.Sprintf("%s: %s", res.Status, answer))
}

func (r *Runner) request(ctx context.Context, d Delivery) (*retryablehttp.Request, error) {
	h, err := r.Service.Store.Hook(ctx, d.Hook)
	if err != nil {
		return nil, err
	}
	k, err := r.Service.Sealer(false)
	if err != nil {
		return nil, err
	}
	secret, err := k.Open(sealName, h.Secret)
	if err != nil {
		return nil, err
	}
	at := r.Service.Now()
	signature, err := Sign(secret, d.UUID, at, d.Body)
	if err != nil {
		return nil, err
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, h.URL, []byte(d.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "vigia-collector/"+buildinfo.Version())
	req.Header.Set("webhook-id", d.UUID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", signature)
	return req, nil
}

// http is the client: two quick tries, for a connection that was just closed; longer
// waits are the queue's. A redirect is an answer like any other: what is signed for one
// address is not sent to another.
func (r *Runner) http() *retryablehttp.Client {
	if r.client != nil {
		return r.client
	}
	c := retryablehttp.NewClient()
	c.Logger, c.RetryMax, c.RetryWaitMin, c.RetryWaitMax = nil, 1, 200*time.Millisecond, time.Second
	c.HTTPClient.Timeout = 15 * time.Second
	if r.Timeout > 0 {
		c.HTTPClient.Timeout = r.Timeout
	}
	c.HTTPClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.CheckRetry = func(ctx context.Context, res *http.Response, err error) (bool, error) {
		return err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded), ctx.Err()
	}
	r.client = c
	return c
}

// Forget removes deliveries that ended long ago.
func (r *Runner) Forget(ctx context.Context) error {
	for before := r.Service.Now().Add(-keep); ; {
		n, err := r.Service.Store.PruneDeliveries(ctx, before, 500)
		if err != nil || n == 0 {
			return err
		}
	}
}

// oneLine is text for people: one line, bounded.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 500 {
		s = strings.ToValidUTF8(s[:500], "") + "…"
	}
	return s
}
