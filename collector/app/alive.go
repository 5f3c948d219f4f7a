package app

import (
	"context"
	"net/http"
	"time"
)

// signsOfLife tells the service manager that the collector serves, and from then on that
// it is alive, as long as its own console answers. A database that is away is no reason
// to be started anew: /healthz does not ask it.
func (a *App) signsOfLife(ctx context.Context, h http.Handler) error {
	m := a.cfg.Manager
	a.tellManager(ctx, m.Ready)
	defer a.tellManager(ctx, m.Stopping)
	if m.Watchdog() == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(m.Watchdog() / 3)
	defer tick.Stop()
	for {
		if answers(ctx, h) {
			a.tellManager(ctx, m.Alive)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *App) tellManager(ctx context.Context, tell func() error) {
	if err := tell(); err != nil {
		a.cfg.Log.DebugContext(ctx, "the service manager was not told", "err", err)
	}
}

// answers reports whether h answers /healthz.
func answers(ctx context.Context, h http.Handler) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://localhost/healthz", nil)
	if err != nil {
		return false
	}
	w := &codeOnly{header: http.Header{}}
	h.ServeHTTP(w, r)
	return w.code == http.StatusOK
}

// codeOnly keeps an answer's code.
type codeOnly struct {
	header http.Header
	code   int
}

func (c *codeOnly) Header() http.Header         { return c.header }
func (c *codeOnly) WriteHeader(code int)        { c.code = code }
func (c *codeOnly) Write(b []byte) (int, error) { return len(b), nil }
