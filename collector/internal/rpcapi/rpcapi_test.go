package rpcapi

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/apperr"
	vigiav1 "vigia/proto/vigia/v1"
)

func server(t *testing.T) *Server {
	t.Helper()
	s := &Server{Deps: Deps{Describe: func(err error) string { return "sentence of " + err.Error() }, Log: slog.New(slog.DiscardHandler), Limits: Limits{}.orDefault()}}
	var err error
	if s.metrics, err = newMetrics(prometheus.NewRegistry(), &s.open, &s.pending); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCodesAreMappedOneToOne(t *testing.T) {
	s, seen := server(t), map[codes.Code]bool{}
	for _, c := range []apperr.Code{apperr.Invalid, apperr.Unauthenticated, apperr.Forbidden, apperr.NotFound, apperr.Conflict, apperr.TooMany, apperr.Unavailable, apperr.Internal} {
		st := status.Convert(s.status(context.Background(), "testing", apperr.New(c, "some.key", nil)))
		if seen[st.Code()] || st.Code() == codes.OK || st.Code() == codes.Unknown {
			t.Errorf("%s becomes %s, which another code has", c, st.Code())
		}
		seen[st.Code()] = true
		info, ok := st.Details()[0].(*errdetails.ErrorInfo)
		if !ok || info.GetReason() != "some.key" || !strings.HasPrefix(st.Message(), "sentence of") {
			t.Errorf("%s: %v", c, st)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if got := status.Code(s.status(ctx, "testing", errors.New("x"))); got != codes.Canceled {
		t.Errorf("a call that was given up becomes %s", got)
	}
}

func TestLaterTellsReasonAndTime(t *testing.T) {
	err := apperr.New(apperr.Unavailable, "ingest.busy", apperr.Args{"retry_after": 3 * time.Second, "reason": "disk-full"})
	if retryAfter(err, busyWait) != 3*time.Second || laterReason(err) != "disk-full" {
		t.Error("the error's own reason and time are not told")
	}
	plain := errors.New("x")
	if retryAfter(plain, busyWait) != busyWait || laterReason(plain) != "busy" {
		t.Error("no defaults")
	}
	if laterReason(apperr.New(apperr.Unavailable, "store.disk-full", nil)) != "disk-full" {
		t.Error("a full disk reads as busy")
	}
	if m := msgLater("busy", 1000*time.Hour, nil).GetLater(); m.GetRetryAfterMs() != 3_600_000 {
		t.Errorf("%d ms", m.GetRetryAfterMs())
	}
}

func TestOutboxKeepsOrderAndIsBounded(t *testing.T) {
	var mu sync.Mutex
	var got []string
	gate := make(chan struct{})
	o := outbox{send: func(m *vigiav1.FromCollector) error {
		<-gate
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m.GetLater().GetReason())
		return nil
	}}
	for i := range 3 {
		if !o.later(msgLater(string(rune('a'+i)), 0, nil)) {
			t.Fatal("no room for three")
		}
	}
	many := make([]*vigiav1.FromCollector, maxQueued)
	if o.later(many...) {
		t.Error("more than the limit is queued")
	}
	close(gate)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		mu.Lock()
		n := len(got)
		mu.Unlock()
		if n == 3 || time.Now().After(end) {
			break
		}
	}
	o.close(func() { t.Error("cut off although nothing waited") })
	if strings.Join(got, "") != "abc" {
		t.Errorf("sent %v", got)
	}
	if !o.later(msgLater("late", 0, nil)) {
		t.Error("a closed outbox says that it is full")
	}
}

func TestOutboxCutsOffWhoDoesNotRead(t *testing.T) {
	blocked := make(chan struct{})
	o := outbox{send: func(*vigiav1.FromCollector) error { <-blocked; return errors.New("cut off") }}
	o.later(msgLater("x", 0, nil), msgLater("y", 0, nil))
	done := make(chan struct{})
	go func() { defer close(done); o.close(func() { close(blocked) }) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("closing waits for ever")
	}
}

func TestAFaultInOneMessageIsCaught(t *testing.T) {
	c := &stream{s: server(t)}
	if err := c.aside(func() error { panic("a fault") }); status.Code(err) != codes.Internal {
		t.Errorf("%v", err)
	}
	if err := c.aside(func() error { return nil }); err != nil {
		t.Error(err)
	}
}

func TestCleanText(t *testing.T) {
	if got := cleanText("a\x00b\x1b[31m\xffñ"+strings.Repeat("z", 100), 12); strings.ContainsAny(got, "\x00\x1b") || len(got) > 16 {
		t.Errorf("%q", got)
	}
}

func TestCheckProtocol(t *testing.T) {
	for p := range uint32(vigiav1.Protocol + 3) {
		err := checkProtocol(p)
		ok := p >= vigiav1.OldestProtocol && p <= vigiav1.Protocol
		if ok != (err == nil) || !ok && status.Code(err) != codes.FailedPrecondition {
			t.Errorf("protocol %d: %v", p, err)
		}
	}
}
