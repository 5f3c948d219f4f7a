package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigia/internal/inventory"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func env() *Env { return &Env{Root: "/", Now: noon} }

// programs is a probe of the software section that finds n programs.
func programs(source string, n int) Probe {
	return Probe{Source: source, Section: inventory.SectionSoftware, Timeout: 10 * time.Second,
		Collect: func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
			for i := range n {
				part.Software = append(part.Software, inventory.Program{Name: fmt.Sprintf("%s-%d", source, i), Source: source, Scope: inventory.ScopeMachine})
			}
			return n, nil
		}}
}

func failing(source string, collect func(context.Context, *Env, *inventory.Snapshot) (int, error)) Probe {
	return Probe{Source: source, Section: inventory.SectionSoftware, Timeout: 10 * time.Second, Collect: collect}
}

func source(t *testing.T, s *inventory.Snapshot, name string) inventory.Source {
	t.Helper()
	for _, one := range s.Sources {
		if one.Source == name {
			return one
		}
	}
	t.Fatalf("no source %q in %+v", name, s.Sources)
	return inventory.Source{}
}

func TestRunMergesAndNormalizes(t *testing.T) {
	r := NewRunner([]Probe{
		programs("deb", 2), programs("snap", 1),
		{Source: "hardware", Section: inventory.SectionHardware, Collect: func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
			part.Hardware.Model, part.System.Name = "X1", "not mine to tell"
			return 1, nil
		}},
		{Source: "smbios", Section: inventory.SectionHardware, Collect: func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
			return 7, nil
		}},
		{Source: "ClamAV", Section: inventory.SectionAntivirus, Collect: func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
			part.Antivirus = []inventory.Antivirus{{Product: "ClamAV", State: "on"}}
			return 1, nil
		}},
	}, Options{})
	s := r.Run(context.Background(), env(), Filter{})
	if len(s.Software) != 3 || s.Hardware.Model != "X1" || s.System.Name != "" || len(s.Antivirus) != 1 || !s.TakenAt.Equal(noon) {
		t.Errorf("merged wrongly: %+v", s)
	}
	if got := source(t, s, "smbios"); got.Outcome != inventory.OutcomeOK || got.Entries != 7 {
		t.Errorf("smbios: %+v", got)
	}
	if s.Hardware.CPUs == nil || s.Antivirus[0].RealTime != "unknown" {
		t.Error("not normalized")
	}
}

func TestPartOfTheSources(t *testing.T) {
	r := NewRunner([]Probe{programs("deb", 2), programs("snap", 1), programs("flatpak", 1)}, Options{})
	whole := r.Run(context.Background(), env(), Filter{})
	part := r.Run(context.Background(), env(), Filter{Sources: []string{"snap"}})
	if len(part.Sources) != 1 || len(part.Software) != 1 {
		t.Fatalf("part: %+v", part)
	}
	if got := r.Run(context.Background(), env(), Filter{Sections: []inventory.Section{inventory.SectionSoftware}}); len(got.Sources) != 3 {
		t.Errorf("by section: %+v", got.Sources)
	}
	if got := r.Run(context.Background(), env(), Filter{Sources: []string{"none"}}); len(got.Sources) != 0 {
		t.Errorf("none: %+v", got.Sources)
	}
	part.Software[0].Name = "snap-new"
	next := r.Overlay(whole, part)
	if len(next.Software) != 4 || len(next.Sources) != 3 || next.Software[3].Name != "snap-new" || whole.Software[3].Name != "snap-0" {
		t.Errorf("overlay: %+v", next)
	}
}

func TestOverlayOfAFailedSourceIsCarried(t *testing.T) {
	ok := true
	hw := Probe{Source: "hardware", Section: inventory.SectionHardware, Collect: func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
		part.Hardware.Model = "X1"
		if !ok {
			return 0, errors.New("broken")
		}
		return 1, nil
	}}
	deb := programs("deb", 2)
	r := NewRunner([]Probe{hw, {Source: "deb", Section: deb.Section, Collect: func(ctx context.Context, e *Env, part *inventory.Snapshot) (int, error) {
		if !ok {
			return 0, errors.New("broken")
		}
		return deb.Collect(ctx, e, part)
	}}}, Options{})
	whole := r.Run(context.Background(), env(), Filter{})
	ok = false
	part := r.Run(context.Background(), env(), Filter{Sources: []string{"deb", "hardware"}})
	next := r.Overlay(whole, part)
	if len(next.Software) != 0 || next.Hardware.Model != "" {
		t.Errorf("before carrying: %+v", next)
	}
	inventory.Carry(whole, next)
	if len(next.Software) != 2 || next.Hardware.Model != "X1" || source(t, next, "deb").Outcome != inventory.OutcomeStale {
		t.Errorf("after carrying: %+v", next)
	}
}

func TestAbsentFailedAndLiveOnly(t *testing.T) {
	absent := failing("rpm", func(context.Context, *Env, *inventory.Snapshot) (int, error) {
		return 0, fmt.Errorf("no rpm database: %w", ErrAbsent)
	})
	broken := failing("deb", func(_ context.Context, _ *Env, part *inventory.Snapshot) (int, error) {
		part.Software = []inventory.Program{{Name: "half", Source: "deb"}}
		return 1, errors.New("status file cut short")
	})
	live := programs("snap", 1)
	live.LiveOnly = true
	r := NewRunner([]Probe{absent, broken, live}, Options{})
	e := env()
	e.Root = t.TempDir()
	s := r.Run(context.Background(), e, Filter{})
	if got := source(t, s, "rpm"); got.Outcome != inventory.OutcomeAbsent || got.Error != "" {
		t.Errorf("absent: %+v", got)
	}
	if got := source(t, s, "deb"); got.Outcome != inventory.OutcomeFailed || got.Entries != 0 || got.Error != "status file cut short" {
		t.Errorf("failed: %+v", got)
	}
	if got := source(t, s, "snap"); got.Outcome != inventory.OutcomeAbsent {
		t.Errorf("live only: %+v", got)
	}
	if len(s.Software) != 0 || len(r.Rests()) != 0 {
		t.Errorf("half a result was kept, or a failure rests: %+v, %+v", s.Software, r.Rests())
	}
}

func TestCrashRests(t *testing.T) {
	for name, crash := range map[string]func(){
		"panic":  func() { panic("broken") },
		"goexit": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			var runs atomic.Int32
			bad := failing("bad", func(context.Context, *Env, *inventory.Snapshot) (int, error) {
				runs.Add(1)
				crash()
				return 0, nil
			})
			r := NewRunner([]Probe{bad, programs("deb", 1)}, Options{})
			s := r.Run(context.Background(), env(), Filter{})
			if got := source(t, s, "bad"); got.Outcome != inventory.OutcomeFailed || !strings.HasPrefix(got.Error, "crashed") {
				t.Errorf("crash: %+v", got)
			}
			if len(s.Software) != 1 {
				t.Error("the crash cost another source its result")
			}
			again := env()
			again.Now = noon.Add(23 * time.Hour)
			s = r.Run(context.Background(), again, Filter{})
			if got := source(t, s, "bad"); got.Outcome != inventory.OutcomeFailed || !strings.HasPrefix(got.Error, "rests until 2026-03-03T12:00:00Z: crashed") || runs.Load() != 1 {
				t.Errorf("resting: %+v after %d runs", got, runs.Load())
			}
			again.Now = noon.Add(24 * time.Hour)
			r.Run(context.Background(), again, Filter{})
			if runs.Load() != 2 {
				t.Error("did not wake from its rest")
			}
		})
	}
}

func TestRestsSurviveARestart(t *testing.T) {
	bad := failing("bad", func(context.Context, *Env, *inventory.Snapshot) (int, error) { panic("x") })
	r := NewRunner([]Probe{bad}, Options{})
	r.Run(context.Background(), env(), Filter{})
	kept, err := json.Marshal(r.Rests())
	if err != nil {
		t.Fatal(err)
	}
	var list []Rest
	if err := json.Unmarshal(kept, &list); err != nil || len(list) != 1 {
		t.Fatalf("%s: %v", kept, err)
	}
	runs := 0
	good := failing("bad", func(context.Context, *Env, *inventory.Snapshot) (int, error) { runs++; return 0, nil })
	r = NewRunner([]Probe{good}, Options{})
	r.SetRests(list)
	r.Run(context.Background(), env(), Filter{})
	if runs != 0 {
		t.Error("the rest was forgotten")
	}
	list[0].Until = noon.Add(1000 * time.Hour)
	r.SetRests(list)
	r.Run(context.Background(), env(), Filter{})
	if runs != 1 {
		t.Error("a rest set by a wrong clock never ends")
	}
}

func TestHangIsAbandonedOnce(t *testing.T) {
	release := make(chan struct{})
	var runs atomic.Int32
	hang := failing("hang", func(context.Context, *Env, *inventory.Snapshot) (int, error) {
		runs.Add(1)
		<-release
		return 0, nil
	})
	hang.Timeout = 20 * time.Millisecond
	r := NewRunner([]Probe{hang, programs("deb", 1)}, Options{Grace: time.Millisecond})
	s := r.Run(context.Background(), env(), Filter{})
	if got := source(t, s, "hang"); got.Outcome != inventory.OutcomeFailed || !strings.HasPrefix(got.Error, "hung") {
		t.Errorf("hang: %+v", got)
	}
	if len(s.Software) != 1 || len(r.Rests()) != 1 {
		t.Errorf("the hang cost another source its result, or does not rest: %+v", s)
	}
	r.SetRests(nil)
	s = r.Run(context.Background(), env(), Filter{})
	if got := source(t, s, "hang"); got.Outcome != inventory.OutcomeFailed || runs.Load() != 1 {
		t.Errorf("started again beside itself: %+v, %d runs", got, runs.Load())
	}
	close(release)
	for deadline := time.Now().Add(10 * time.Second); runs.Load() < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never started again after coming back")
		}
		r.Run(context.Background(), env(), Filter{})
	}
}

func TestSlowProbeThatObeysDoesNotRest(t *testing.T) {
	slow := failing("slow", func(ctx context.Context, _ *Env, _ *inventory.Snapshot) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	slow.Timeout = 5 * time.Millisecond
	r := NewRunner([]Probe{slow}, Options{Grace: 10 * time.Second})
	s := r.Run(context.Background(), env(), Filter{})
	if got := source(t, s, "slow"); got.Outcome != inventory.OutcomeFailed || !strings.Contains(got.Error, "deadline") || len(r.Rests()) != 0 {
		t.Errorf("slow: %+v, %+v", got, r.Rests())
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	first := failing("first", func(ctx context.Context, _ *Env, _ *inventory.Snapshot) (int, error) {
		cancel()
		<-ctx.Done()
		return 0, ctx.Err()
	})
	r := NewRunner([]Probe{first, programs("deb", 1)}, Options{})
	for range 2 { // cancelled on the way, then from the start
		s := r.Run(ctx, env(), Filter{})
		for _, name := range []string{"first", "deb"} {
			if got := source(t, s, name); got.Outcome != inventory.OutcomeFailed || !strings.Contains(got.Error, "canceled") {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if len(r.Rests()) != 0 {
			t.Errorf("rests: %+v", r.Rests())
		}
	}
}

func TestCancelledWhileHanging(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	release := make(chan struct{})
	defer close(release)
	deaf := failing("deaf", func(context.Context, *Env, *inventory.Snapshot) (int, error) {
		cancel()
		<-release
		return 0, nil
	})
	deaf.Timeout = time.Hour
	r := NewRunner([]Probe{deaf}, Options{Grace: time.Millisecond})
	s := r.Run(ctx, env(), Filter{})
	if got := source(t, s, "deaf"); got.Outcome != inventory.OutcomeFailed || !strings.Contains(got.Error, "canceled") || len(r.Rests()) != 0 {
		t.Errorf("deaf: %+v, %+v", got, r.Rests())
	}
}
