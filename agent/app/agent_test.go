package app

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

func TestWishesGatherWhileBusy(t *testing.T) {
	w := newWishes()
	w.sources([]string{"deb", "file"})
	w.sources([]string{"deb"})
	<-w.some
	if got := w.take(); got.cause != "" || len(got.sources) != 2 || got.sources[0] != "deb" {
		t.Errorf("took %+v", got)
	}
	w.whole("need")
	w.whole("schedule")
	w.sources([]string{"snap"})
	if got := w.take(); got.cause != "need" {
		t.Errorf("a whole inventory covers the rest, by its first cause: %+v", got)
	}
	if got := w.take(); got.cause != "" || len(got.sources) != 0 {
		t.Errorf("nothing was wished for since: %+v", got)
	}
}

func TestWaitingForAWishLearnsHowItWent(t *testing.T) {
	w := newWishes()
	broken := errors.New("broken")
	answer := make(chan error)
	go func() { answer <- w.wholeAndWait(context.Background(), "command") }()
	<-w.some
	w.take().answer(broken)
	if err := <-answer; !errors.Is(err, broken) {
		t.Errorf("told %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.wholeAndWait(ctx, "command"); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
	w.take().answer(nil) // must not block although nobody listens any more
}

func TestJitterSpreads(t *testing.T) {
	least, most := time.Duration(1<<62), time.Duration(0)
	for range 1000 {
		d := jittered(4 * time.Hour)
		least, most = min(least, d), max(most, d)
	}
	if least < 216*time.Minute || most > 264*time.Minute || most-least < 30*time.Minute {
		t.Errorf("between %v and %v", least, most)
	}
}

func TestFlagsTellNewProgramsOnce(t *testing.T) {
	var log bytes.Buffer
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f := newFlags(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	snap := func(names ...string) *inventory.Snapshot {
		s := &inventory.Snapshot{TakenAt: now}
		for _, n := range names {
			s.Software = append(s.Software, inventory.Program{Name: n, Version: "1", Source: "deb", Scope: inventory.ScopeMachine, Requested: true})
		}
		s.Normalize()
		return s
	}
	f.see(snap("old"))
	if f.count() != -1 {
		t.Error("a count without an allowlist")
	}
	doc := &policy.Document{Mode: policy.Monitor, Rules: []policy.Rule{{Name: "good", Effect: policy.Allow, Match: policy.Match{Name: "good"}}}}
	doc.Seal()
	raw, err := doc.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.setPolicy(raw); err != nil {
		t.Fatal(err)
	}
	if f.count() != 1 || strings.Contains(log.String(), "program=old") {
		t.Errorf("%d flagged; what was there before is counted, not told one by one: %s", f.count(), log.String())
	}
	log.Reset()
	f.see(snap("old", "good", "new"))
	f.see(snap("old", "good", "new"))
	if f.count() != 2 || strings.Count(log.String(), "program=new") != 1 || strings.Contains(log.String(), "program=good") {
		t.Errorf("%d flagged; a new one is told once: %s", f.count(), log.String())
	}
	if err := f.setPolicy([]byte("{}")); err == nil || f.count() != 2 {
		t.Errorf("an unusable policy: %v, %d flagged", err, f.count())
	}
}

func TestRestsOutliveARestart(t *testing.T) {
	state := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	want := probe.Rest{Source: "snap", Until: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Reason: "hung"}
	if err := saveRests(state, []probe.Rest{want}); err != nil {
		t.Fatal(err)
	}
	if got := loadRests(state, log); len(got) != 1 || got[0] != want {
		t.Errorf("read back %+v", got)
	}
	if err := os.WriteFile(restsPath(state), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := loadRests(state, log); got != nil {
		t.Errorf("of a damaged file: %+v", got)
	}
	if err := saveRests(state, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(restsPath(state)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing rests, and the file is there: %v", err)
	}
}

func TestStateFolderHasOneOwner(t *testing.T) {
	state := t.TempDir()
	cfg := agentConfig{State: state, Interval: time.Hour, Log: slog.New(slog.DiscardHandler), Now: time.Now}
	a, err := newAgent(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if on, err := running(state); err != nil || !on {
		t.Errorf("running: %v, %v", on, err)
	}
	if _, errOut, code := execute(t, "run", "--state", state); code != ExitFailure || !strings.Contains(errOut, "another agent runs on") {
		t.Errorf("a second one: exit code %d, %s", code, errOut)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if on, err := running(state); err != nil || on {
		t.Errorf("after the end: running %v, %v", on, err)
	}
}
