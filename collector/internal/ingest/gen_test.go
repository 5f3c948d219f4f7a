package ingest_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/store"
	"vigia/internal/inventory"
	"vigia/internal/wire"
)

var epoch = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

// pool is the programs of a made-up company: most machines have the common ones, the
// rest follows a Zipf law.
type pool struct {
	programs []inventory.Program
	common   int
}

func newPool(total, common int) *pool {
	p := &pool{common: common}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range total {
		prog := inventory.Program{Name: fmt.Sprintf("lib-%05d", i), Version: fmt.Sprintf("%d.%d.%d-%d+deb12u%d", rng.IntN(9), rng.IntN(30), rng.IntN(99), rng.IntN(9), rng.IntN(5)),
			Publisher: fmt.Sprintf("Maintainers of group %d <group%d@lists.example.org>", i%60, i%60),
			Origin:    "Debian", Source: "deb", Scope: inventory.ScopeMachine, Arch: "amd64", Requested: i%11 == 0}
		if i >= common && i%7 == 0 {
			prog.Origin, prog.Source, prog.Path = "", "file", fmt.Sprintf("/opt/tool-%05d/bin/tool", i)
			prog.SHA256 = fmt.Sprintf("%064x", i)
			prog.Requested = true
		}
		p.programs = append(p.programs, prog)
	}
	return p
}

// machine returns n programs of the m-th machine.
func (p *pool) machine(m, n int) []inventory.Program {
	rng := rand.New(rand.NewPCG(7, uint64(m)))
	installed := epoch.AddDate(0, -rng.IntN(30), -rng.IntN(28)).Truncate(time.Second)
	list := make([]inventory.Program, 0, n)
	taken := make(map[int]bool, n)
	add := func(i int) {
		if !taken[i] {
			taken[i] = true
			prog := p.programs[i]
			if i%5 == 0 {
				installed = installed.Add(time.Duration(rng.IntN(100_000)) * time.Second)
			}
			prog.InstalledAt = installed
			list = append(list, prog)
		}
	}
	for i := range min(p.common, n) {
		add(i)
	}
	zipf := rand.NewZipf(rng, 1.1, 8, uint64(len(p.programs)-p.common-1))
	for len(list) < n {
		add(p.common + int(zipf.Uint64()))
	}
	return list
}

// ids makes report ids that ascend.
type ids struct{ n uint64 }

func (g *ids) next() wire.ID {
	g.n++
	var id wire.ID
	binary.BigEndian.PutUint64(id[:], 0x0198_0000_0000_7000+g.n>>16)
	binary.BigEndian.PutUint64(id[8:], 0x8000_0000_0000_0000|g.n)
	return id
}

// wholeReport is what a machine tells the first time.
func wholeReport(t testing.TB, id wire.ID, at time.Time, host string, list []inventory.Program) *wire.Report {
	t.Helper()
	snap := inventory.Snapshot{TakenAt: at, Software: append([]inventory.Program(nil), list...),
		Machine:   inventory.Machine{Hostname: host, Serial: "SN-" + host, UUID: "4c4c4544-0000-0000-0000-" + fmt.Sprintf("%012x", len(host)), MachineID: host},
		System:    inventory.System{OS: "linux", Name: "Debian GNU/Linux 12 (bookworm)", Distribution: "debian", Version: "12", Kernel: "6.1.0-28-amd64", Arch: "x86_64", BootedAt: at.Add(-time.Hour)},
		Hardware:  inventory.Hardware{Vendor: "Dell Inc.", Model: "OptiPlex 7010", CPUs: []inventory.CPU{{Model: "Intel(R) Core(TM) i5", Cores: 4, Threads: 8}}, Memory: inventory.Memory{TotalBytes: 16 << 30}, Disks: []inventory.Disk{{Name: "sda", Serial: host, Bytes: 512 << 30}}},
		Antivirus: []inventory.Antivirus{{Product: "ClamAV", State: "on", RealTime: "off", Signatures: 8_700_000}},
		Sources:   []inventory.Source{{Source: "deb", Outcome: inventory.OutcomeOK, Entries: len(list)}}}
	snap.Normalize()
	digests := snap.Digests()
	r := &wire.Report{ID: id, TakenAt: at, Protocol: 1, AgentVersion: "1.0.0", Cause: wire.CauseStart}
	for _, s := range inventory.Sections() {
		u := wire.SectionUpdate{Section: s, Result: digests[s], Body: wire.BodyDocument}
		if s == inventory.SectionSoftware {
			u.Body, u.Software = wire.BodySoftware, snap.Software
		} else {
			doc, err := wire.EncodeDocument(&snap, s)
			if err != nil {
				t.Fatal(err)
			}
			u.Document = doc
		}
		r.Sections = append(r.Sections, u)
	}
	return r
}

// softwareReport tells the whole software section alone.
func softwareReport(id wire.ID, at time.Time, list []inventory.Program) *wire.Report {
	list, _ = inventory.NormalizePrograms(append([]inventory.Program(nil), list...))
	return &wire.Report{ID: id, TakenAt: at, Protocol: 1, AgentVersion: "1.0.0", Cause: wire.CauseNeed, Sections: []wire.SectionUpdate{
		{Section: inventory.SectionSoftware, Body: wire.BodySoftware, Result: inventory.DigestSoftware(list), Software: list}}}
}

// deltaReport tells what changed.
func deltaReport(id wire.ID, at time.Time, base, next []inventory.Program) *wire.Report {
	base, _ = inventory.NormalizePrograms(append([]inventory.Program(nil), base...))
	next, _ = inventory.NormalizePrograms(append([]inventory.Program(nil), next...))
	d := inventory.Diff(base, next)
	return &wire.Report{ID: id, TakenAt: at, Protocol: 1, AgentVersion: "1.0.0", Cause: wire.CauseNoticed, Sections: []wire.SectionUpdate{
		{Section: inventory.SectionSoftware, Body: wire.BodyDelta, Base: d.Base, Result: d.Result, Delta: &d}}}
}

// machineID is the identity of the m-th machine.
func machineID(m int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", m) }

func enroll(ctx context.Context, t testing.TB, s *store.Store, m int) string {
	t.Helper()
	_, err := s.CreateMachine(ctx, fleet.Machine{ID: machineID(m), Hostname: fmt.Sprintf("pc-%05d", m), State: fleet.Active, EnrolledAt: epoch})
	if err != nil {
		t.Fatalf("enrolling: %v", err)
	}
	return machineID(m)
}

// start runs an ingester until the test ends.
func start(t testing.TB, s *store.Store, now func() time.Time, change func(*ingest.Config)) *ingest.Ingester {
	t.Helper()
	cfg := ingest.Config{Store: s, Allowlists: s, Records: s.Nonconformities(), Directory: s, Now: now, Name: "test"}
	if change != nil {
		change(&cfg)
	}
	in := ingest.New(cfg)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := in.Run(ctx); err != nil {
			t.Errorf("running: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return in
}

func open(t testing.TB, in *ingest.Ingester, id string) *ingest.Session {
	t.Helper()
	s, err := in.Open(context.Background(), id)
	if err != nil {
		t.Fatalf("opening a session: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

func submit(t testing.TB, s *ingest.Session, r *wire.Report) ingest.Result {
	t.Helper()
	res, err := s.Submit(context.Background(), r, 1000)
	if err != nil {
		t.Fatalf("submitting: %v", err)
	}
	return res
}
