package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/policy"
)

func TestAuditChainOfSeveralCollectors(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		failed := errors.New("on purpose")
		for i, err := range together(60, [2]*store.Store{one, two}, func(s *store.Store, i int) error {
			return s.InTx(ctx, func(ctx context.Context) error {
				err := s.Append(ctx, audit.Entry{At: noon, Actor: "person:ana@example.com", Action: "token.create", Object: fmt.Sprintf("token/%d", i), After: audit.JSON(i)})
				if err == nil && i%3 == 0 {
					return failed
				}
				return err
			})
		}) {
			if (i%3 == 0) != errors.Is(err, failed) {
				t.Errorf("%d: %v", i, err)
			}
		}
		if n, err := two.VerifyAudit(ctx); err != nil || n != 40 {
			t.Errorf("%d entries, %v", n, err)
		}
	})
}

func TestAuditListAndTampering(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		for i, e := range []audit.Entry{
			{Actor: "a", Action: "token.create", Object: "token/1", After: []byte(`{"b": 1,"a":2}`)},
			{Actor: "b", Action: "tokens", Object: "token/12"},
			{Actor: "a", Action: "machine.revoke", Object: "machine/x", Before: []byte("null")},
			{Actor: "broken \xff\x00", Action: "token", Object: "machine"},
		} {
			e.At = noon.Add(time.Duration(i) * time.Second)
			must(t, s.Append(ctx, e))
		}
		for want, f := range map[string]audit.Filter{
			"[4 3 2 1]": {}, "[3 1]": {Actor: "a"}, "[4 1]": {Action: "token"}, "[2 1]": {Object: "token/"}, "[1]": {Object: "token/1"}, "[3]": {Before: 4, Limit: 1},
		} {
			found, err := s.AuditList(ctx, f)
			must(t, err)
			seqs := []int64{}
			for _, e := range found {
				seqs = append(seqs, e.Seq)
			}
			if fmt.Sprint(seqs) != want {
				t.Errorf("%+v: got %v, want %s", f, seqs, want)
			}
		}
		first, err := s.AuditEntries(ctx, 1, 1)
		if err != nil || len(first) != 1 || string(first[0].After) != `{"b": 1,"a":2}` || first[0].Before != nil || !first[0].At.Equal(noon) {
			t.Errorf("first %+v, %v", first, err)
		}
		for _, c := range []struct{ spoil, problem string }{
			{"UPDATE audit SET object = 'token/2' WHERE seq = 1", "1 content"},
			{"DELETE FROM audit WHERE seq = 1", "2 gap"},
		} {
			_, err := s.Writer().Exec(c.spoil)
			must(t, err)
			found, err := s.Check(ctx)
			if err != nil || len(found) != 1 || found[0].Part != "audit" || found[0].Object+" "+found[0].Detail != c.problem {
				t.Errorf("%s: %+v, %v", c.spoil, found, err)
			}
		}
	})
}

func TestAllowlistVersions(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		none := authorization.Allowlist{Mode: authorization.Learn, Baseline: true}
		if got, err := one.CurrentAllowlist(ctx); err != nil || !reflect.DeepEqual(got, none) {
			t.Errorf("before any: %+v, %v", got, err)
		}
		want := authorization.Allowlist{Version: 1, Mode: authorization.Enforce, Baseline: true, Rules: []policy.Rule{{Name: "tools of the IT department", Reason: "ñ"}}, CreatedAt: noon, CreatedBy: "cli:root", Cause: "import"}
		saved, err := one.SaveAllowlist(ctx, want)
		if err != nil || !reflect.DeepEqual(saved, want) {
			t.Errorf("saved %+v, %v", saved, err)
		}
		if got, err := two.CurrentAllowlist(ctx); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("current %+v, %v", got, err)
		}
		won := 0
		for _, err := range together(6, [2]*store.Store{one, two}, func(s *store.Store, _ int) error {
			_, err := s.SaveAllowlist(ctx, authorization.Allowlist{Version: 2, Mode: authorization.Monitor, CreatedAt: noon, Undoes: 1})
			return err
		}) {
			if err == nil {
				won++
			} else {
				wantKey(t, err, apperr.Conflict, "allowlist.changed")
			}
		}
		if won != 1 {
			t.Errorf("%d of 6 who started from version 1 made version 2", won)
		}
		if got, err := one.AllowlistHistory(ctx, 0); err != nil || len(got) != 2 || got[0].Version != 2 || got[0].Undoes != 1 || got[1].Rules != nil {
			t.Errorf("history %+v, %v", got, err)
		}
		if got, err := one.AllowlistVersion(ctx, 1); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version 1 %+v, %v", got, err)
		}
		_, err = one.AllowlistVersion(ctx, 9)
		wantKey(t, err, apperr.NotFound, "allowlist.unknown")
	})
}

func record(machine string) nonconformity.Nonconformity {
	return nonconformity.Nonconformity{
		State: nonconformity.Open, Machine: machine, Hostname: "pc-001", Person: "ana@example.com", PersonName: "Ana", Area: "Ventas", Site: "León", OpenedAt: noon,
		Parties:  []nonconformity.Party{{Part: "user", Email: "ana@example.com", Name: "Ana"}, {Part: "hr", Email: "hr@example.com"}},
		Programs: []nonconformity.Program{{Finding: 1, Name: "Tetris", Version: "1", Source: "deb", State: "present"}},
		Evidence: []nonconformity.Evidence{{Kind: "found", Finding: 1, Report: uuid(90), At: noon, Program: "Tetris", Source: "deb", Path: "/x", SHA256: "00"}},
		History:  []nonconformity.Event{{At: noon, Actor: "system:ingest", Kind: "opened", Detail: "Tetris"}},
	}
}

func TestNonconformityLife(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, n := context.Background(), s.Nonconformities()
		newMachine(t, s, 1)
		want, err := n.Create(ctx, record(uuid(1)))
		must(t, err)
		if want.Number != "NC-2026-0001" || want.Row == 0 {
			t.Errorf("created %+v", want)
		}
		if got, err := n.ByNumber(ctx, "nc-2026-0001"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		must(t, s.InTx(ctx, func(ctx context.Context) error {
			got, err := n.Joinable(ctx, uuid(1), "ana@example.com", noon.Add(-time.Hour))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("joinable %+v", got)
			}
			return err
		}))
		_, err = n.Joinable(ctx, uuid(1), "ana@example.com", noon.Add(time.Microsecond))
		wantKey(t, err, apperr.NotFound, "nonconformity.none")
		_, err = n.Joinable(ctx, uuid(1), "", noon)
		wantKey(t, err, apperr.NotFound, "nonconformity.none")

		partial := want
		partial.History = nil
		wantKey(t, n.Save(ctx, partial), apperr.Conflict, "nonconformity.changed")
		want.State, want.ContainedAt, want.Recurrences = nonconformity.Contained, noon.Add(time.Hour), 2
		want.Programs = append([]nonconformity.Program(nil), want.Programs...)
		want.Programs[0].State, want.Programs[0].GoneAt = "gone", noon.Add(time.Hour)
		want.Programs = append(want.Programs, nonconformity.Program{Finding: 2, Name: "Über Tool", State: "present"})
		want.Evidence = append(want.Evidence, nonconformity.Evidence{Kind: "gone", Finding: 1, Report: uuid(91), At: noon.Add(time.Hour)})
		want.History = append(want.History, nonconformity.Event{At: noon.Add(time.Hour), Actor: "system:ingest", Kind: "contained"})
		must(t, n.Save(ctx, want))
		must(t, n.Save(ctx, want)) // the same again changes nothing
		if got, err := n.ByNumber(ctx, want.Number); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("after save %+v, %v\nwant %+v", got, err, want)
		}
		_, err = n.Joinable(ctx, uuid(1), "ana@example.com", noon)
		wantKey(t, err, apperr.NotFound, "nonconformity.none")
		_, err = n.ByNumber(ctx, "NC-1-1")
		wantKey(t, err, apperr.NotFound, "nonconformity.unknown")
		_, err = n.Create(ctx, record(uuid(2)))
		wantKey(t, err, apperr.NotFound, "machine.unknown")
		want.History = nil
		for _, f := range []nonconformity.Filter{{}, {Query: "uber"}, {Query: "LEON"}, {State: nonconformity.Contained}, {Machine: uuid(1)}, {Person: "ana@example.com", Limit: 1}, {After: want.Row + 1}} {
			if got, err := n.List(ctx, f); err != nil || !reflect.DeepEqual(got, []nonconformity.Nonconformity{want}) {
				t.Errorf("%+v: %+v, %v", f, got, err)
			}
		}
		for _, f := range []nonconformity.Filter{{Query: "%"}, {State: nonconformity.Open}, {Machine: uuid(2)}, {Person: "x"}, {After: want.Row}} {
			if got, err := n.List(ctx, f); err != nil || len(got) != 0 {
				t.Errorf("%+v: %+v, %v", f, got, err)
			}
		}
	})
}

func TestNonconformityNumbersHaveNoGaps(t *testing.T) {
	pair(t, func(t *testing.T, one, two *store.Store) {
		ctx := context.Background()
		newMachine(t, one, 1)
		failed := errors.New("on purpose")
		errs := together(40, [2]*store.Store{one, two}, func(s *store.Store, i int) error {
			return s.InTx(ctx, func(ctx context.Context) error {
				r := record(uuid(1))
				r.OpenedAt = r.OpenedAt.AddDate(i%2, 0, 0)
				if _, err := s.Nonconformities().Create(ctx, r); err != nil {
					return err
				}
				if i%4 < 2 {
					return failed
				}
				return nil
			})
		})
		for i, err := range errs {
			if (i%4 < 2) != errors.Is(err, failed) {
				t.Errorf("%d: %v", i, err)
			}
		}
		numbers := map[string]bool{}
		all, err := one.Nonconformities().List(ctx, nonconformity.Filter{})
		must(t, err)
		for _, r := range all {
			numbers[r.Number] = true
		}
		for i := 1; i <= 10; i++ {
			for _, year := range []int{2026, 2027} {
				if !numbers[nonconformity.FormatNumber(year, i)] {
					t.Errorf("no %s", nonconformity.FormatNumber(year, i))
				}
			}
		}
		if found, err := one.Check(ctx); err != nil || len(found) != 0 || len(numbers) != 20 {
			t.Errorf("%d numbers, problems %+v, %v", len(numbers), found, err)
		}
		_, err = one.Writer().Exec("UPDATE nonconformity_counter SET last = 11 WHERE year = 2027")
		must(t, err)
		if found, err := one.Check(ctx); err != nil || len(found) != 1 || found[0].Part != "nonconformities" || found[0].Object != "2027" {
			t.Errorf("problems %+v, %v", found, err)
		}
	})
}

func TestBackup(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		path := filepath.Join(t.TempDir(), "copy.db")
		newMachine(t, s, 1)
		if s.Engine() == "postgres" {
			wantKey(t, s.BackupTo(ctx, path), apperr.Invalid, "store.backup-postgres")
			return
		}
		// A backup waits for no writer.
		must(t, s.InTx(ctx, func(tx context.Context) error {
			must(t, s.SetBlob(tx, "later", []byte("x")))
			return s.BackupTo(ctx, path)
		}))
		wantKey(t, s.BackupTo(ctx, path), apperr.Conflict, "store.backup-exists")
		copied := storetest.Open(t, store.Config{Path: path})
		if m, err := copied.Machine(ctx, uuid(1)); err != nil || m.Hostname != "pc-001" {
			t.Errorf("in the copy: %+v, %v", m, err)
		}
		_, err := copied.Blob(ctx, "later")
		wantKey(t, err, apperr.NotFound, "blob.unknown")
		newMachine(t, copied, 2)
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("the copy may be read by others: %v, %v", info.Mode(), err)
		}
	})
}

func TestCheckSeesABrokenReference(t *testing.T) {
	s := storetest.SQLite(t)
	newMachine(t, s, 1)
	for _, q := range []string{"PRAGMA foreign_keys = off", "UPDATE machine SET site_id = 77"} {
		_, err := s.Writer().Exec(q)
		must(t, err)
	}
	if found, err := s.Check(context.Background()); err != nil || len(found) != 1 || found[0].Part != "database" {
		t.Errorf("problems %+v, %v", found, err)
	}
}
