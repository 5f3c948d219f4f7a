package store_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"reflect"
	"testing"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func TestTokens(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		want := fleet.Token{SecretHash: sha256.Sum256([]byte("secret")), Site: "Querétaro", UsesLeft: 3, ExpiresAt: noon.Add(time.Hour), Serials: []string{"A", "B"}, CreatedAt: noon, CreatedBy: "cli:root", Note: "n"}
		made, err := one.CreateToken(ctx, want)
		must(t, err)
		want.Row, want.ID = made.Row, fmt.Sprintf("T%d", made.Row)
		if got, err := two.TokenBySecret(ctx, want.SecretHash); err != nil || !reflect.DeepEqual(got, want) || !reflect.DeepEqual(made, want) {
			t.Errorf("got %+v, %v", got, err)
		}
		used := 0
		for _, err := range together(8, [2]*store.Store{one, two}, func(s *store.Store, _ int) error { return s.UseToken(ctx, made.Row) }) {
			if err == nil {
				used++
			} else {
				wantKey(t, err, apperr.Conflict, "token.used-up")
			}
		}
		if used != 3 {
			t.Errorf("a token for 3 was used %d times", used)
		}
		for range 2 {
			got, err := one.RevokeToken(ctx, "t1", noon)
			if err != nil || !got.RevokedAt.Equal(noon) || got.UsesLeft != 0 {
				t.Errorf("revoked %+v, %v", got, err)
			}
		}
		for _, id := range []string{"T99", "T0", "7", "T", "T99999999999999999999"} {
			_, err := one.RevokeToken(ctx, id, noon)
			wantKey(t, err, apperr.NotFound, "token.unknown")
		}
		if list, err := one.Tokens(ctx); err != nil || len(list) != 1 {
			t.Errorf("list %v, %v", list, err)
		}
	})
}

func TestCertificates(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		newMachine(t, s, 1)
		old := fleet.Certificate{Serial: "0a", Machine: uuid(1), NotBefore: noon.Add(-time.Hour), NotAfter: noon}
		now := fleet.Certificate{Serial: "0b", Machine: uuid(1), NotBefore: noon, NotAfter: noon.Add(time.Hour)}
		must(t, s.SaveCertificate(ctx, old))
		must(t, s.SaveCertificate(ctx, now))
		wantKey(t, s.SaveCertificate(ctx, now), apperr.Conflict, "store.exists")
		wantKey(t, s.SaveCertificate(ctx, fleet.Certificate{Serial: "0c", Machine: uuid(2)}), apperr.NotFound, "machine.unknown")
		must(t, s.RevokeCertificates(ctx, uuid(1), noon))
		must(t, s.RevokeCertificates(ctx, uuid(1), noon.Add(time.Hour)))
		old.RevokedAt, now.RevokedAt = noon, noon
		if got, err := s.Certificates(ctx, uuid(1)); err != nil || !reflect.DeepEqual(got, []fleet.Certificate{now, old}) {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := s.RevokedSerials(ctx, noon); err != nil || !reflect.DeepEqual(got, []string{"0b"}) {
			t.Errorf("revoked %v, %v", got, err)
		}
	})
}

func TestChangesComeOnceAndInOrder(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		stores := [2]*store.Store{one, two}
		done := make(chan []error)
		go func() {
			done <- together(40, stores, func(s *store.Store, i int) error {
				return s.InTx(ctx, func(ctx context.Context) error { return s.Notify(ctx, fleet.ChangeMachine, fmt.Sprint(i)) })
			})
		}()
		seen := map[string]bool{}
		var at int64
		read := func() {
			changes, newest, err := two.Since(ctx, at)
			must(t, err)
			for _, c := range changes {
				if c.Seq <= at || seen[c.Subject] || c.Kind != fleet.ChangeMachine {
					t.Errorf("change %+v after %d", c, at)
				}
				at, seen[c.Subject] = c.Seq, true
			}
			if newest != at {
				t.Errorf("newest %d, want %d", newest, at)
			}
		}
		var errs []error
		for errs == nil {
			select {
			case errs = <-done:
			default:
			}
			read()
		}
		for _, err := range errs {
			must(t, err)
		}
		if len(seen) != 40 {
			t.Errorf("saw %d of 40 changes", len(seen))
		}
	})
}

func TestChangesArePruned(t *testing.T) {
	now := noon
	s := storetest.Open(t, store.Config{Path: t.TempDir() + "/vigia.db", Now: func() time.Time { return now }})
	ctx := context.Background()
	must(t, s.Notify(ctx, fleet.ChangePolicy, "old"))
	now = now.Add(25 * time.Hour)
	must(t, s.Notify(ctx, fleet.ChangePolicy, "new"))
	if got, newest, err := s.Since(ctx, 0); err != nil || newest != 2 || len(got) != 1 || got[0].Subject != "new" {
		t.Errorf("got %v, %d, %v", got, newest, err)
	}
}

func TestCommands(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		newMachine(t, s, 1)
		c := fleet.Command{ID: uuid(7), Machine: uuid(1), Kind: "report-now", Args: map[string]string{"why": "asked"}, CreatedAt: noon, CreatedBy: "cli:root"}
		must(t, s.QueueCommand(ctx, c))
		wantKey(t, s.QueueCommand(ctx, c), apperr.Conflict, "store.exists")
		if got, err := s.PendingCommands(ctx, uuid(1)); err != nil || !reflect.DeepEqual(got, []fleet.Command{c}) {
			t.Errorf("pending %+v, %v", got, err)
		}
		must(t, s.FinishCommand(ctx, c.ID, true, "", noon))
		must(t, s.FinishCommand(ctx, c.ID, false, "late", noon))
		wantKey(t, s.FinishCommand(ctx, "x", true, "", noon), apperr.NotFound, "command.unknown")
		if got, err := s.PendingCommands(ctx, uuid(1)); err != nil || len(got) != 0 {
			t.Errorf("pending %+v, %v", got, err)
		}
	})
}

func TestBlobs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		_, err := s.Blob(ctx, "ca")
		wantKey(t, err, apperr.NotFound, "blob.unknown")
		for _, want := range []string{"one\x00\xff", "two", "two", ""} {
			must(t, s.SetBlob(ctx, "ca", []byte(want)))
			if got, err := s.Blob(ctx, "ca"); err != nil || string(got) != want {
				t.Errorf("got %q, %v", got, err)
			}
		}
	})
}

func TestSigninLinkIsUsedOnce(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		link := account.Link{Purpose: account.ForOperator, Hash: sha256.Sum256([]byte("a")), Person: "ana@example.com", CreatedAt: noon, CreatedBy: "cli:root", ExpiresAt: time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)}
		must(t, one.CreateLink(ctx, link))
		used := 0
		for _, err := range together(6, [2]*store.Store{one, two}, func(s *store.Store, _ int) error {
			got, err := s.UseLink(ctx, link.Hash, noon)
			if err == nil && (got.Person != link.Person || !got.UsedAt.Equal(noon)) {
				return fmt.Errorf("got %+v", got)
			}
			return err
		}) {
			if err == nil {
				used++
			} else {
				wantKey(t, err, apperr.Conflict, "signin.used")
			}
		}
		if used != 1 {
			t.Errorf("used %d times", used)
		}
		link.Hash = sha256.Sum256([]byte("b"))
		must(t, one.CreateLink(ctx, link))
		_, err := one.UseLink(ctx, link.Hash, link.ExpiresAt)
		wantKey(t, err, apperr.Unauthenticated, "signin.expired")
		_, err = one.UseLink(ctx, sha256.Sum256([]byte("c")), noon)
		wantKey(t, err, apperr.NotFound, "signin.unknown")
	})
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		n := s.Sessions()
		must(t, n.Commit("token", []byte("one"), time.Now().Add(time.Hour)))
		must(t, n.Commit("token", []byte("two"), time.Now().Add(time.Hour)))
		must(t, n.Commit("old", nil, time.Now().Add(-time.Second)))
		if got, found, err := n.Find("token"); err != nil || !found || string(got) != "two" {
			t.Errorf("got %q, %v, %v", got, found, err)
		}
		if _, found, err := n.Find("old"); err != nil || found {
			t.Errorf("expired: %v, %v", found, err)
		}
		if removed, err := n.Prune(context.Background(), time.Now()); err != nil || removed != 1 {
			t.Errorf("pruned %d, %v", removed, err)
		}
		must(t, n.Delete("token"))
		if _, found, err := n.Find("token"); err != nil || found {
			t.Errorf("deleted: %v, %v", found, err)
		}
	})
}
