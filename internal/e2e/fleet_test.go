package e2e

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "github.com/mattn/go-sqlite3" // to count what is stored, past the collector

	"vigia/internal/fleetsim"
)

// childFleet names the folder of a fleet whose agents a child process of the tests
// runs, so that it can be killed.
const childFleet = "VIGIA_E2E_FLEET"

const killedAgents = 50

func openFleet(dir string, agents int) (*fleetsim.Fleet, error) {
	g, err := fleetsim.NewGenerator(1)
	if err != nil {
		return nil, err
	}
	return fleetsim.Open(fleetsim.Options{Dir: dir, Agents: agents, Generator: g, Now: time.Now, Random: mathrand.Float64, Entropy: rand.Reader})
}

// sendAll is the child process: it sends what waits in the spools of a folder.
func sendAll(dir string) error {
	f, err := openFleet(dir, killedAgents)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	f.Start(ctx)
	if err := f.Wait(ctx); err != nil {
		return err
	}
	return f.Close()
}

// newFleet makes enrolled agents, each with its first report and some changes queued.
func newFleet(t *testing.T, c *collector, dir string, agents, changes int) (f *fleetsim.Fleet, queued int) {
	t.Helper()
	f, err := openFleet(dir, agents)
	if err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSpace(must(t, c.cli("token", "create", "--uses", fmt.Sprint(agents))).out)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	if err := f.Enroll(ctx, token); err != nil {
		t.Fatal(err)
	}
	queue := func(b *fleetsim.Batch, err error) {
		if err == nil {
			err = f.Queue(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		queued += b.Len()
	}
	queue(f.First())
	if changes > 0 {
		queue(f.Change(changes, 3))
	}
	return f, queued
}

// stored checks what the collector holds against what the fleet sent.
func stored(t *testing.T, c *collector, f *fleetsim.Fleet, reports int) {
	t.Helper()
	out := must(t, c.cli("machine", "list", "--output", "json")).out
	if _, err := f.Verify(strings.NewReader(out)); err != nil {
		t.Error(err)
	}
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(c.data, "vigia.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]int{
		"select count(*) from report": reports,
		"select count(*) from (select 1 from software_event group by machine_id, kind, item_id, report_id having count(*) > 1)": 0,
	} {
		var got int
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %d (%v), want %d", query, got, err, want)
		}
	}
	must(t, c.cli("check"))
}

// TestKillsLoseNothingAndCountNothingTwice sends 1,000 reports while both sides are
// killed again and again.
func TestKillsLoseNothingAndCountNothingTwice(t *testing.T) {
	const changes, kills = 19, 5
	c := newCollector(t)
	c.allow(allowNothing)
	dir := t.TempDir()
	f, queued := newFleet(t, c, dir, killedAgents, changes)
	if queued != 1000 {
		t.Fatalf("%d reports are queued, want 1000", queued)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(childFleet, dir)
	send := func() *process { return start(t, filepath.Join(dir, "child.log"), self) }
	pause := func() { time.Sleep(time.Duration(50+mathrand.IntN(250)) * time.Millisecond) }
	agents := send()
	for n := range 2 * kills {
		pause()
		if n%2 == 0 {
			c.end(syscall.SIGKILL)
			pause()
			c.start()
		} else {
			agents.end(syscall.SIGKILL)
			agents = send()
		}
	}
	<-agents.done
	if code := agents.cmd.ProcessState.ExitCode(); code != 0 {
		t.Fatalf("the agents end with %d:\n%s", code, tail(agents.log))
	}
	if f, err = openFleet(dir, killedAgents); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stored(t, c, f, queued)
}

// TestCollectorRestartsUnderAFleet restarts the collector under 2,000 connected agents:
// all come back and nothing is missing.
func TestCollectorRestartsUnderAFleet(t *testing.T) {
	const agents = 2000
	raiseFiles(t, 4*agents)
	c := newCollector(t)
	c.allow("mode: learn\nrules: []\n")
	f, queued := newFleet(t, c, t.TempDir(), agents, 0)
	defer f.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if err := f.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := f.Wait(ctx); err != nil {
		t.Fatal(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		b, err := f.Change(1, 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Queue(b); err != nil {
			t.Fatal(err)
		}
		queued += b.Len()
		c.end(sig)
		c.start()
		began := time.Now()
		if err := f.Send(ctx, agents); err != nil {
			t.Fatalf("after %v: %v\n%s", sig, err, tail(c.log))
		}
		t.Logf("after %v: %d agents back, with a report each, %v after the start", sig, agents, time.Since(began).Round(100*time.Millisecond))
	}
	stored(t, c, f, queued)
}

// raiseFiles makes sure that this process and its children may open as many files.
func raiseFiles(t *testing.T, n uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Max < n {
		t.Fatalf("%d open files are allowed here, this test wants %d: ulimit -Hn", limit.Max, n)
	}
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
}

// TestDiskFull fills the disk of either side: what cannot be kept is told, nothing
// acknowledged is lost, and work goes on when there is room again.
func TestDiskFull(t *testing.T) {
	small := func(size string) string {
		t.Helper()
		dir := t.TempDir()
		must(t, command(t, "mount", "-t", "tmpfs", "-o", "size="+size, "tmpfs", dir))
		t.Cleanup(func() { must(t, command(t, "umount", "-l", dir)) })
		return dir
	}
	c := &collector{t: t, bin: filepath.Join(programs(t), "vigia-collector"), data: small("24m"), agents: freePort(t), web: freePort(t)}
	c.start()
	c.allow(allowNothing)
	a := newAgent(t).enroll(c)
	must(t, a.cli("run", "--once", "--state", a.state))

	// The collector's disk is full: a report is not acknowledged, and waits.
	const name = "sample-disk-full"
	ballast := fill(t, c.data)
	began := time.Now()
	a.start()
	installed(t, pack(t, name, "1.0"), name)
	eventually(t, "the report waits at the agent", patience, func() bool { return waiting(t, a) > 0 }, a.log, c.log)
	time.Sleep(2 * time.Second) // time enough for a collector that acknowledges too early
	if waiting(t, a) == 0 {
		t.Error("acknowledged on a full disk")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the report is stored when there is room again", 3*patience, func() bool { return c.finding(name) != nil }, a.log, c.log)
	a.reported(began)
	a.end(syscall.SIGTERM)

	// The agent's disk is full: it goes on, and reports what it cannot keep later.
	full := newAgent(t)
	full.state = small("4m")
	full.enroll(c)
	must(t, full.cli("run", "--once", "--state", full.state))
	ballast = fill(t, full.state)
	c.end(syscall.SIGTERM)
	full.process = start(t, filepath.Join(t.TempDir(), "agent.log"), full.bin, "run", "--state", full.state)
	const later = "sample-disk-full-later"
	installed(t, pack(t, later, "1.0"), later)
	eventually(t, "the agent tells that its disk is full", patience, func() bool {
		log := tail(full.log)
		return strings.Contains(log, "no space left")
	}, full.log)
	select {
	case <-full.done:
		t.Fatalf("the agent ended:\n%s", tail(full.log))
	default:
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	c.start()
	dpkg(t, "--purge", name) // something to notice
	eventually(t, "the finding of "+later, 3*patience, func() bool { return c.finding(later) != nil }, full.log, c.log)
}

// fill takes up all that is left of a folder's disk.
func fill(t *testing.T, dir string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(dir, "ballast")
	out, err := exec.Command("dd", "if=/dev/zero", "of="+ballast, "bs=4k").CombinedOutput()
	if err == nil {
		t.Fatalf("%s has no end:\n%s", dir, out)
	}
	return ballast
}
