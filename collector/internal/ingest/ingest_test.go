package ingest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/wire"
)

func at(d time.Duration) func() time.Time { return func() time.Time { return epoch.Add(d) } }

// enforce makes everything but sources named snap unauthorized, with records.
func enforce(t *testing.T, s *store.Store) {
	t.Helper()
	_, err := s.SaveAllowlist(context.Background(), authorization.Allowlist{Mode: authorization.Enforce, CreatedAt: epoch,
		Rules: []policy.Rule{{ID: "1", Name: "snaps", Effect: policy.Allow, Match: policy.Match{Source: "snap"}}}})
	if err != nil {
		t.Fatal(err)
	}
}

func prog(name, version, source string) inventory.Program {
	return inventory.Program{Name: name, Version: version, Source: source, Scope: inventory.ScopeMachine, Path: "/opt/" + name, SHA256: strings.Repeat("ab", 32)}
}

func TestFirstReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := enroll(ctx, t, s, 1)
		in := start(t, s, at(time.Hour), nil)
		sess := open(t, in, id)
		var g ids
		list := newPool(300, 100).machine(1, 150)
		r := wholeReport(t, g.next(), epoch, "pc-uno", list)
		told := map[inventory.Section]inventory.Digest{}
		for _, u := range r.Sections {
			told[u.Section] = u.Result
		}
		if res := submit(t, sess, r); res.Duplicate || len(res.Need) > 0 || len(res.Remarks) > 0 {
			t.Fatalf("answer %+v", res)
		}
		for _, digests := range []map[inventory.Section]inventory.Digest{sess.Digests(), open(t, in, id).Digests()} {
			if inventory.CombineDigests(digests) != inventory.CombineDigests(told) {
				t.Fatalf("holds %v, was told %v", digests, told)
			}
		}
		m, err := s.Machine(ctx, id)
		if err != nil || m.Hostname != "pc-uno" || m.Programs != 150 || m.OS == "" || !m.LastReport.Equal(epoch) || !m.LastSeen.Equal(epoch.Add(time.Hour)) {
			t.Fatalf("machine %+v, %v", m, err)
		}
		docs, err := s.Documents(ctx, id)
		if err != nil || len(docs) != 5 || docs[0].Section != inventory.SectionMachine || !strings.Contains(string(docs[0].Body), "pc-uno") {
			t.Fatalf("documents %v, %v", docs, err)
		}
		events, err := s.Events(ctx, id, time.Time{}, 0)
		if err != nil || len(events) != 1 || events[0].Kind != ingest.EventBaseline || events[0].Report == "" {
			t.Fatalf("events %v, %v", events, err)
		}
		if err := sess.Hello(ctx, "1.2.3", 4); err != nil {
			t.Fatal(err)
		}
		if m, err = s.Machine(ctx, id); err != nil || m.Agent != "1.2.3" || m.Spooled != 4 || !m.LastReport.Equal(epoch) {
			t.Fatalf("machine %+v, %v", m, err)
		}
		if res, err := sess.Unchanged(ctx, inventory.CombineDigests(told)); err != nil || len(res.Need) > 0 {
			t.Fatalf("unchanged: %v, %v", res, err)
		}
		if res, err := sess.Unchanged(ctx, inventory.Digest{1}); err != nil || len(res.Need) != 6 {
			t.Fatalf("unchanged, with another digest: %v, %v", res, err)
		}
	})
}

func TestHistoryOfAProgram(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := enroll(ctx, t, s, 1)
		sess := open(t, start(t, s, at(0), nil), id)
		var g ids
		one, two := []inventory.Program{prog("a", "1", "deb"), prog("b", "1", "deb")}, []inventory.Program{prog("a", "2", "deb"), prog("b", "1", "deb")}
		submit(t, sess, softwareReport(g.next(), epoch, one))
		submit(t, sess, deltaReport(g.next(), epoch.Add(time.Hour), one, two))
		events, err := s.Events(ctx, id, time.Time{}, 0)
		if err != nil || len(events) != 3 {
			t.Fatalf("events %v, %v", events, err)
		}
		for i, want := range []string{"came a 2", "went a 1"} {
			if e := events[i]; e.Kind+" "+e.Program.Name+" "+e.Program.Version != want || !e.At.Equal(epoch.Add(time.Hour)) {
				t.Errorf("event %d is %+v, want %s", i, e, want)
			}
		}
		installs, err := s.Installs(ctx, id)
		if err != nil || len(installs) != 2 || !installs[0].FirstSeen.Equal(epoch.Add(time.Hour)) || !installs[1].FirstSeen.Equal(epoch) {
			t.Fatalf("installs %+v, %v", installs, err)
		}
	})
}

func TestTheSameReportTwice(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		first, second := enroll(ctx, t, s, 1), enroll(ctx, t, s, 2)
		a, b := start(t, s, at(0), nil), start(t, s, at(0), func(c *ingest.Config) { c.Name = "other" })
		var g ids
		id := g.next()
		list := []inventory.Program{prog("a", "1", "deb")}
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken := 0
		for i := range 20 { // in one batch, in several, and through two collectors
			sess := open(t, []*ingest.Ingester{a, b}[i%2], first)
			wg.Go(func() {
				res, err := sess.Submit(ctx, softwareReport(id, epoch, list), 1)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Errorf("submitting: %v", err)
				}
				if !res.Duplicate {
					taken++
				}
			})
		}
		wg.Wait()
		if events, err := s.Events(ctx, first, time.Time{}, 0); taken != 1 || err != nil || len(events) != 1 {
			t.Fatalf("taken %d times, events %v, %v", taken, events, err)
		}
		_, err := open(t, a, second).Submit(ctx, softwareReport(id, epoch, list), 1)
		if !apperr.Is(err, apperr.Conflict) {
			t.Fatalf("another machine's report with the same id: %v", err)
		}
	})
}

func TestMachinesThatMayNotReport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		in := start(t, s, at(0), nil)
		if _, err := in.Open(ctx, machineID(9)); !apperr.Is(err, apperr.NotFound) {
			t.Errorf("unknown machine: %v", err)
		}
		var g ids
		for i, state := range []fleet.State{fleet.Quarantined, fleet.Revoked, fleet.Archived} {
			id := enroll(ctx, t, s, i+1)
			sess := open(t, in, id)
			if err := s.SetMachineState(ctx, id, state, "test", epoch); err != nil {
				t.Fatal(err)
			}
			// The session has not heard of it yet: the transaction sees it.
			if _, err := sess.Submit(ctx, softwareReport(g.next(), epoch, nil), 1); !apperr.Is(err, apperr.Forbidden) {
				t.Errorf("%s: %v", state, err)
			}
			if err := in.MachineChanged(ctx, id); err != nil {
				t.Fatal(err)
			}
			if _, err := sess.Unchanged(ctx, inventory.Digest{}); !apperr.Is(err, apperr.Forbidden) {
				t.Errorf("%s, unchanged: %v", state, err)
			}
			if _, err := in.Open(ctx, id); !apperr.Is(err, apperr.Forbidden) {
				t.Errorf("%s, opening: %v", state, err)
			}
		}
	})
}

func TestOddReportsKeepTheRest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := enroll(ctx, t, s, 1)
		sess := open(t, start(t, s, at(0), nil), id)
		var g ids
		good := prog("good", "1", "deb")
		odd := []inventory.Program{
			{Name: "nul\x00and\xff\xfebroken", Version: "1", Source: "deb", Scope: inventory.ScopeMachine},
			{Name: strings.Repeat("long", 1<<18), Version: "1", Source: "deb", Scope: inventory.ScopeMachine},
			{Name: "year0", Version: "1", Source: "deb", Scope: inventory.ScopeMachine, InstalledAt: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)},
			{Name: "year9999", Version: "1", Source: "deb", Scope: inventory.ScopeMachine, InstalledAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
			{Name: "galactic", Version: "1", Source: "deb", Scope: "galaxy"}, {Version: "no name", Source: "deb"}, good, good,
		}
		r := &wire.Report{ID: g.next(), TakenAt: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Cause: "odd\x00", Dropped: []wire.Dropped{{Reports: 3, Reason: wire.DroppedSize}}, AgentVersion: strings.Repeat("v", 9000), Sections: []wire.SectionUpdate{
			{Section: inventory.SectionSoftware, Body: wire.BodySoftware, Result: inventory.Digest{7}, Software: odd},
			{Section: inventory.SectionSystem, Body: wire.BodyDocument, Result: inventory.Digest{8}, Document: []byte(`{"os":"beos","name":"x\u0000y","booted_at":"0000-00-00T00:00:00Z","users":7}`)},
			{Section: inventory.SectionHardware, Body: wire.BodyDocument, Result: inventory.Digest{9}, Document: []byte(`{{{`)},
		}}
		res := submit(t, sess, r)
		problems := map[string]bool{}
		for _, m := range res.Remarks {
			problems[m.Problem] = true
		}
		for _, want := range []string{inventory.ProblemBadText, inventory.ProblemTooLong, inventory.ProblemBadTime, inventory.ProblemUnknown,
			inventory.ProblemNoName, inventory.ProblemDuplicate, ingest.ProblemDigest, wire.ProblemBadDocument, ingest.ProblemDropped} {
			if !problems[want] {
				t.Errorf("no remark %q among %v", want, res.Remarks)
			}
		}
		if m, err := s.Machine(ctx, id); err != nil || m.Programs != 6 {
			t.Fatalf("kept %d programs, want 6; %v", m.Programs, err)
		}
		if d := sess.Digests(); d[inventory.SectionSoftware] != (inventory.Digest{7}) || d[inventory.SectionSystem] != (inventory.Digest{8}) {
			t.Errorf("the digests told are not those held: %v", d)
		}
		if kept, err := s.Remarks(ctx, id, 0); err != nil || len(kept) != 1 || len(kept[0].Remarks) != len(res.Remarks) || kept[0].ID != r.ID {
			t.Fatalf("remarks kept: %+v, %v", kept, err)
		}
		// A delta from the digest told is taken on trust.
		d := &inventory.Delta{Base: inventory.Digest{7}, Result: inventory.Digest{70}, Set: []inventory.Program{prog("more", "1", "deb")}, Removed: []inventory.Key{good.Key(), {1, 2, 3}}}
		res = submit(t, sess, &wire.Report{ID: g.next(), TakenAt: epoch, Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware, Body: wire.BodyDelta, Base: d.Base, Result: d.Result, Delta: d}}})
		if m, err := s.Machine(ctx, id); err != nil || m.Programs != 6 || len(res.Need) != 0 {
			t.Fatalf("after a delta: %d programs, answer %+v, %v", m.Programs, res, err)
		}
		if problems, err := s.CheckInventory(ctx); err != nil || len(problems) > 0 {
			t.Fatal(problems, err)
		}
	})
}

func TestHundredThousandPrograms(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id, other := enroll(ctx, t, s, 1), enroll(ctx, t, s, 2)
		in := start(t, s, at(0), nil)
		var g ids
		list := make([]inventory.Program, 100_000)
		for i := range list {
			list[i] = inventory.Program{Name: fmt.Sprintf("p%06d", i), Version: "1", Source: "deb", Scope: inventory.ScopeMachine}
		}
		huge := &wire.Report{ID: g.next(), TakenAt: epoch, Sections: []wire.SectionUpdate{{Section: inventory.SectionSoftware, Body: wire.BodySoftware, Software: list}}}
		small := softwareReport(g.next(), epoch, list[:1]) // before list is the ingester's
		var wg sync.WaitGroup
		wg.Go(func() {
			res, err := open(t, in, id).Submit(ctx, huge, 1)
			if err != nil || !slices.ContainsFunc(res.Remarks, func(r inventory.Remark) bool { return r.Problem == inventory.ProblemTooMany }) {
				t.Errorf("answer %v, %v", res.Remarks, err)
			}
		})
		if res, err := open(t, in, other).Submit(ctx, small, 1); err != nil || len(res.Remarks) > 0 {
			t.Errorf("the other machine: %v, %v", res, err)
		}
		wg.Wait()
		if m, err := s.Machine(ctx, id); err != nil || m.Programs != inventory.MaxPrograms {
			t.Fatalf("kept %d programs; %v", m.Programs, err)
		}
	})
}

func TestTooMuchAtOnceIsToldToComeLater(t *testing.T) {
	s := storetest.SQLite(t)
	id := enroll(context.Background(), t, s, 1)
	in := ingest.New(ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: at(0), Pending: 100}) // nothing runs it
	sess := open(t, in, id)
	var g ids
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	var later sync.Map
	for i := range 20 {
		r := softwareReport(g.next(), epoch, nil)
		wg.Go(func() {
			_, err := sess.Submit(ctx, r, 1)
			later.Store(i, err)
		})
	}
	wg.Wait()
	told := 0
	later.Range(func(_, v any) bool {
		err, _ := v.(error)
		e, ok := err.(*apperr.Error)
		if !ok || e.Code != apperr.Unavailable {
			t.Errorf("told %v", err)
		} else if e.Args["reason"] == "busy" && e.Args["retry_after"].(time.Duration) > 0 {
			told++
		}
		return true
	})
	if told < 5 {
		t.Errorf("%d of 20 were told to come later", told)
	}
}

func TestOneBadReportDoesNotCostOthers(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := context.Background()
	bad := &stubborn{Store: s}
	in := start(t, s, at(0), func(c *ingest.Config) { c.Store, c.Linger = bad, 50*time.Millisecond })
	var g ids
	var wg sync.WaitGroup
	for m := 1; m <= 8; m++ {
		sess := open(t, in, enroll(ctx, t, s, m))
		r := softwareReport(g.next(), epoch, []inventory.Program{prog(fmt.Sprintf("p%d", m), "1", "deb")})
		wg.Go(func() {
			if _, err := sess.Submit(ctx, r, 1); (err != nil) != (m == 5) {
				t.Errorf("machine %d: %v", m, err)
			}
		})
	}
	wg.Wait()
	if st := in.Stats(); st.Reports != 7 || st.Retried == 0 {
		t.Errorf("stats %+v", st)
	}
}

// stubborn refuses every batch with machine 5 in it.
type stubborn struct{ *store.Store }

func (s *stubborn) Save(ctx context.Context, c *ingest.Changes) error {
	for _, m := range c.Software {
		if m.ID == machineID(5) {
			return apperr.New(apperr.Internal, "test.refused", nil)
		}
	}
	return s.Store.Save(ctx, c)
}

// directory makes a person with an area manager and Human Resources, and their machine.
func directory(t *testing.T, s *store.Store) string {
	t.Helper()
	ctx := context.Background()
	for _, err := range []error{
		s.SaveSite(ctx, org.Site{Name: "Querétaro"}),
		s.SavePerson(ctx, org.Person{Email: "jefe@example.com", Name: "Jefa", Role: actor.AreaManager, Active: true}),
		s.SaveArea(ctx, org.Area{Name: "Ventas", Manager: "jefe@example.com"}),
		s.SavePerson(ctx, org.Person{Email: "ana@example.com", Name: "Ana", Area: "Ventas", Site: "Querétaro", PrimaryMachine: "pc-00001", Role: actor.Employee, Active: true}),
		s.SavePerson(ctx, org.Person{Email: "rh@example.com", Name: "RH", Role: actor.HR, Active: true}),
		s.SavePerson(ctx, org.Person{Email: "fue@example.com", Name: "Fue", Role: actor.HR}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	id := enroll(ctx, t, s, 1)
	if n, err := s.AssignPrimary(ctx); err != nil || n != 1 {
		t.Fatalf("assigned %d, %v", n, err)
	}
	return id
}

func TestNonconformity(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := directory(t, s)
		enforce(t, s)
		clock := epoch
		var mu sync.Mutex
		now := func() time.Time { mu.Lock(); defer mu.Unlock(); return clock }
		tick := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); clock = clock.Add(d) }
		sess := open(t, start(t, s, now, nil), id)
		var g ids
		tell := func(list ...inventory.Program) wire.ID {
			tick(time.Minute)
			r := softwareReport(g.next(), now(), list)
			submit(t, sess, r)
			return r.ID
		}
		get := func(number string) nonconformity.Nonconformity {
			n, err := s.Nonconformities().ByNumber(ctx, number)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		found := tell(prog("game", "1", "file"), prog("ok", "1", "snap"))
		n := get("NC-2026-0001")
		if n.Person != "ana@example.com" || n.PersonName != "Ana" || n.Area != "Ventas" || n.Site != "Querétaro" || n.Machine != id || n.State != nonconformity.Open {
			t.Fatalf("record %+v", n)
		}
		var parts []string
		for _, p := range n.Parties {
			parts = append(parts, p.Part+" "+p.Email)
		}
		if want := []string{"user ana@example.com", "area-manager jefe@example.com", "hr rh@example.com"}; !slices.Equal(parts, want) {
			t.Fatalf("parties %v, want %v", parts, want)
		}
		if e := n.Evidence; len(e) != 1 || e[0].Report != found.String() || e[0].Path != "/opt/game" || e[0].SHA256 == "" || e[0].Source != "file" || e[0].Kind != "found" {
			t.Fatalf("evidence %+v", e)
		}
		tell(prog("game", "2", "file"), prog("torrent", "1", "file")) // an upgrade, and a second one joins
		if n = get("NC-2026-0001"); len(n.Programs) != 2 || n.Programs[0].Version != "2" || n.Programs[0].State != "present" {
			t.Fatalf("programs %+v", n.Programs)
		}
		tell(prog("torrent", "1", "file"))
		if n = get("NC-2026-0001"); n.State != nonconformity.Open || n.Programs[0].State != "gone" {
			t.Fatalf("one of two is gone: %+v", n)
		}
		gone := tell()
		if n = get("NC-2026-0001"); n.State != nonconformity.Contained || n.ContainedAt.IsZero() || n.Evidence[len(n.Evidence)-1].Report != gone.String() || n.Evidence[len(n.Evidence)-1].Path != "/opt/torrent" {
			t.Fatalf("both are gone: %+v", n)
		}
		tell(prog("game", "3", "file"))
		if n = get("NC-2026-0001"); n.State != nonconformity.Open || !n.ContainedAt.IsZero() || n.Recurrences != 1 {
			t.Fatalf("one came back: %+v", n)
		}
		tick(25 * time.Hour)
		tell(prog("game", "3", "file"), prog("miner", "1", "file"))
		if n = get("NC-2026-0002"); len(n.Programs) != 1 || n.Programs[0].Name != "miner" {
			t.Fatalf("after a day: %+v", n)
		}
		var kinds []string
		for _, e := range get("NC-2026-0001").History {
			kinds = append(kinds, e.Kind)
		}
		if want := "opened upgraded joined contained recurred"; strings.Join(kinds, " ") != want {
			t.Errorf("history %v, want %s", kinds, want)
		}
		all, err := s.Findings(ctx, authorization.FindingFilter{State: authorization.Open})
		if err != nil || len(all) != 2 || all[1].Recurrences != 1 || all[1].Nonconformity != "NC-2026-0001" || all[0].FirstSeen.Before(epoch.Add(25*time.Hour)) {
			t.Fatalf("findings %+v, %v", all, err)
		}
	})
}

func TestMonitorThenEnforceOpensRecordsForNewFindingsOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		id := enroll(ctx, t, s, 1)
		in := start(t, s, at(0), nil)
		sess := open(t, in, id)
		var g ids
		list := []inventory.Program{prog("old", "1", "file")}
		submit(t, sess, softwareReport(g.next(), epoch, list))
		for _, mode := range []authorization.Mode{authorization.Monitor, authorization.Enforce} {
			if _, err := s.SaveAllowlist(ctx, authorization.Allowlist{Mode: mode, CreatedAt: epoch}); err != nil {
				t.Fatal(err)
			}
			if r, err := in.Reevaluate(ctx, 0); err != nil || !r.Done {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		submit(t, sess, softwareReport(g.next(), epoch, append(list, prog("new", "1", "file"))))
		found, err := s.Findings(ctx, authorization.FindingFilter{})
		if err != nil || len(found) != 2 || found[0].Program != "new" || found[0].Nonconformity == "" || found[1].Nonconformity != "" {
			t.Fatalf("findings %+v, %v", found, err)
		}
	})
}

func TestFullDiskIsTold(t *testing.T) {
	s := storetest.Open(t, store.Config{Path: filepath.Join(t.TempDir(), "v.db")})
	ctx := context.Background()
	full := &noSpace{Store: s}
	in := start(t, s, at(0), func(c *ingest.Config) { c.Store = full })
	sess := open(t, in, enroll(ctx, t, s, 1))
	var g ids
	r := softwareReport(g.next(), epoch, nil)
	_, err := sess.Submit(ctx, r, 1)
	e, ok := err.(*apperr.Error)
	if !ok || e.Code != apperr.Unavailable || e.Args["reason"] != "disk-full" || e.Args["retry_after"] == nil {
		t.Fatalf("a full disk is told as %v", err)
	}
}

// noSpace is a store whose disk is full.
type noSpace struct{ *store.Store }

func (s *noSpace) Save(context.Context, *ingest.Changes) error {
	return apperr.New(apperr.Unavailable, "store.disk-full", nil)
}
