package webhook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/notify/webhook"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/setting"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// receiver is another system: it keeps what comes and answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []*http.Request
	bodies []string
	answer atomic.Int32 // status
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.answer.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		b, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		r.got, r.bodies = append(r.got, q), append(r.bodies, string(b))
		r.mu.Unlock()
		if r.answer.Load() == http.StatusFound {
			w.Header().Set("Location", r.URL+"/elsewhere")
		}
		w.WriteHeader(int(r.answer.Load()))
		fmt.Fprint(w, strings.Repeat("answer ", 10_000))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// bench is the use-case and two collectors' runners over one database.
type bench struct {
	t       *testing.T
	ctx     context.Context
	store   *store.Store
	service *webhook.Service
	runners [2]*webhook.Runner
	ahead   atomic.Int64
	ids     atomic.Int64
}

func newBench(t *testing.T, s *store.Store) *bench {
	b := &bench{t: t, store: s, ctx: actor.With(context.Background(), actor.Actor{Kind: actor.CLI, ID: "root", Role: actor.Administrator})}
	key := setting.Key{1, 2, 3}
	b.service = webhook.New(webhook.Deps{InTx: s.InTx, Store: s, Audit: s, Now: b.now,
		Sealer: func(bool) (webhook.Sealer, error) { return key, nil },
		NewID:  func() string { return fmt.Sprintf("id-%d", b.ids.Add(1)) },
		Say: func(_ context.Context, lang string, e webhook.Event) (string, string) {
			return lang + ":" + e.Kind, "https://c/" + e.Object
		}})
	for i := range b.runners {
		b.runners[i] = &webhook.Runner{Service: b.service, Name: fmt.Sprint("collector ", i), Log: slog.New(slog.DiscardHandler), Random: func() float64 { return 1 }, Timeout: 2 * time.Second}
	}
	return b
}

func (b *bench) now() time.Time {
	return time.Date(2026, 11, 23, 18, 0, 0, 0, time.UTC).Add(time.Duration(b.ahead.Load()))
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// happens writes n entries of the audit chain.
func (b *bench) happens(action string, n int) {
	b.t.Helper()
	for i := range n {
		b.must(b.store.InTx(b.ctx, func(ctx context.Context) error {
			return b.store.Append(ctx, audit.Entry{At: b.now(), Actor: "cli:root", Action: action, Object: fmt.Sprintf("token/%d", i)})
		}))
	}
}

// round lets both collectors look at once.
func (b *bench) round() {
	b.t.Helper()
	var wg sync.WaitGroup
	for _, r := range b.runners {
		wg.Go(func() {
			if err := r.Round(b.ctx); err != nil {
				b.t.Error(err)
			}
		})
	}
	wg.Wait()
}

func (b *bench) deliveries(state webhook.State) []webhook.Delivery {
	b.t.Helper()
	page, err := b.service.DeliveryPage(b.ctx, webhook.Filter{State: state}, paging.Order{})
	b.must(err)
	return page.Rows
}

func (b *bench) hook(url string, format webhook.Format, kinds ...string) webhook.Hook {
	b.t.Helper()
	h, err := b.service.Create(b.ctx, webhook.Hook{Name: fmt.Sprint("hook ", b.ids.Add(1)), URL: url, Format: format, Kinds: kinds, Lang: "es", Active: true})
	b.must(err)
	return h
}

func TestEventsAreToldOnceAcrossCollectors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, in := newBench(t, s), newReceiver(t)
		b.happens("token.create", 3) // nobody listens yet
		h := b.hook(in.URL+"/x", webhook.EventJSON, "token.*")
		b.hook(in.URL+"/chat", webhook.ChatJSON, "token.revoke")
		b.happens("token.create", 40)
		b.happens("machine.revoke", 5)
		b.happens("token.revoke", 1)
		b.round()
		b.round()
		if in.count() != 42 || len(b.deliveries(webhook.Delivered)) != 42 {
			t.Fatalf("%d requests, %d delivered, want 42", in.count(), len(b.deliveries(webhook.Delivered)))
		}
		seen := map[string]bool{}
		for i, q := range in.got {
			id, at := q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp")
			if q.URL.Path == "/chat" {
				if in.bodies[i] != `{"text":"es:token.revoke\nhttps://c/token/0"}` {
					t.Errorf("chat: %s", in.bodies[i])
				}
				continue
			}
			if seen[id] {
				t.Errorf("%s came twice", id)
			}
			seen[id] = true
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(h.Secret, "whsec_"))
			b.must(err)
			m := hmac.New(sha256.New, raw)
			m.Write([]byte(id + "." + at + "." + in.bodies[i]))
			if want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)); q.Header.Get("webhook-signature") != want {
				t.Errorf("signature %q, want %q", q.Header.Get("webhook-signature"), want)
			}
			var body map[string]string
			if err := json.Unmarshal([]byte(in.bodies[i]), &body); err != nil || body["id"] != id || !strings.HasPrefix(body["type"], "token.") || body["actor"] != "cli:root" || body["timestamp"] == "" {
				t.Errorf("%s: %v", in.bodies[i], err)
			}
		}
		chain, err := s.AuditEntries(b.ctx, 1, 1000)
		b.must(err)
		for _, e := range chain {
			if strings.Contains(string(e.After), "whsec_") || strings.Contains(string(e.After), "v1:") {
				t.Errorf("the audit chain tells a secret: %s", e.After)
			}
		}
	})
}

func TestFailuresAreTriedAgainThenGivenUpAndReplayed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b, in := newBench(t, s), newReceiver(t)
		h := b.hook(in.URL, webhook.EventJSON, "*")
		b.round() // its own creation
		for _, status := range []int32{http.StatusInternalServerError, http.StatusFound} {
			in.answer.Store(status)
			b.happens("token.create", 1)
			b.round()
			d := b.deliveries(webhook.Waiting)
			if len(d) != 1 || d[0].Attempts != 1 || d[0].Status != int(status) || !d[0].NextAt.After(b.now()) || len(d[0].Problem) > 600 {
				t.Fatalf("%+v", d)
			}
			before := in.count()
			b.round()
			if in.count() != before {
				t.Error("tried again before its time")
			}
			in.answer.Store(http.StatusOK)
			b.ahead.Add(int64(time.Minute))
			if b.round(); len(b.deliveries(webhook.Waiting)) != 0 {
				t.Errorf("%+v", b.deliveries(webhook.Waiting))
			}
		}
		for _, q := range in.got {
			if q.URL.Path == "/elsewhere" {
				t.Error("a redirect was followed")
			}
		}
		in.CloseClientConnections()
		in.Close() // nobody there
		b.happens("token.create", 3)
		tries := 0
		for range 40 {
			if b.round(); len(b.deliveries(webhook.Waiting)) == 0 {
				break
			}
			tries++
			b.ahead.Add(int64(9 * time.Hour))
		}
		failed := b.deliveries(webhook.Failed)
		if len(failed) != 3 || failed[0].Attempts != 16 || failed[0].Problem == "" {
			t.Fatalf("after %d rounds: %+v", tries, failed)
		}
		again := newReceiver(t)
		h.URL = again.URL
		_, err := b.service.Change(b.ctx, h, false)
		b.must(err)
		d, err := b.service.Replay(b.ctx, failed[0].Row)
		b.must(err)
		b.round()
		if again.count() != 2 || again.got[0].Header.Get("webhook-id") != failed[0].UUID && again.got[1].Header.Get("webhook-id") != failed[0].UUID {
			t.Errorf("%d requests", again.count()) // the change, and the replay
		}
		if got, err := b.service.Delivery(b.ctx, d.Row); err != nil || got.State != webhook.Delivered || got.Replays != failed[0].Row {
			t.Errorf("%+v %v", got, err)
		}
		b.must(b.service.Delete(b.ctx, h.Row))
		if _, err := b.service.Delivery(b.ctx, d.Row); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("deleted: %v", err)
		}
	})
}

func TestBadHooksAreNamed(t *testing.T) {
	good := webhook.Hook{Name: "x", URL: "https://example.com/x", Format: webhook.EventJSON, Kinds: []string{"nonconformity.*"}}
	for field, h := range map[string]webhook.Hook{
		"name":   {Name: " \n", URL: good.URL, Format: good.Format, Kinds: good.Kinds},
		"url":    {Name: "x", URL: "file:///etc/passwd", Format: good.Format, Kinds: good.Kinds},
		"format": {Name: "x", URL: good.URL, Format: "xml", Kinds: good.Kinds},
		"kinds":  {Name: "x", URL: good.URL, Format: good.Format, Kinds: []string{"[", "a"}},
	} {
		_, err := webhook.Check(h)
		var e *apperr.Error
		if !apperr.Is(err, apperr.Invalid) || !errors.As(err, &e) || e.Args["field"] != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if h, err := webhook.Check(good); err != nil || h.Name != "x" {
		t.Errorf("%+v %v", h, err)
	}
	if _, err := webhook.Check(webhook.Hook{Name: "x", URL: "https://u:p@example.com", Format: good.Format, Kinds: good.Kinds}); err == nil || strings.Contains(err.Error(), ":p@") {
		t.Errorf("a password in the address: %v", err)
	}
}

func TestOnlyAdministratorsChangeHooks(t *testing.T) {
	b := newBench(t, storetest.SQLite(t))
	ctx := actor.With(context.Background(), actor.Actor{Kind: actor.Person, ID: "ivan@example.com", Role: actor.Auditor})
	_, err := b.service.Create(ctx, webhook.Hook{})
	if !apperr.Is(err, apperr.Forbidden) {
		t.Errorf("create: %v", err)
	}
	if err := b.service.Delete(ctx, 1); !apperr.Is(err, apperr.Forbidden) {
		t.Errorf("delete: %v", err)
	}
	if _, err := b.service.List(ctx); err != nil {
		t.Errorf("list: %v", err)
	}
	if _, err := b.service.List(context.Background()); !apperr.Is(err, apperr.Forbidden) {
		t.Errorf("nobody: %v", err)
	}
}
