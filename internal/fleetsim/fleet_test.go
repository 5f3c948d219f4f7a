package fleetsim

import (
	"bytes"
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	collector "vigia/collector/app"
)

// running is a whole collector on loopback; stop ends it.
func running(t *testing.T, data, agents string) (addr string, stop func()) {
	t.Helper()
	a, err := collector.New(context.Background(), collector.Config{Data: data, Agents: agents, Web: "127.0.0.1:0", Synchronous: "NORMAL"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("running the collector: %v", err)
		}
		if err := a.Close(); err != nil {
			t.Errorf("closing the collector: %v", err)
		}
	}
	t.Cleanup(stop)
	return a.Addrs().Agents, stop
}

// cli runs a command of the collector on its data folder.
func cli(t *testing.T, data string, args ...string) string {
	t.Helper()
	var out, errOut bytes.Buffer
	if code := collector.Main(collector.Process{Args: append(args, "--data", data), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut,
		Env: func(string) (string, bool) { return "", false }}); code != 0 {
		t.Fatalf("%v: exit %d: %s", args, code, errOut.String())
	}
	return out.String()
}

func fleet(t *testing.T, dir string, agents int) *Fleet {
	t.Helper()
	g := generator(t, 1)
	g.Programs = 120
	f, err := Open(Options{Dir: dir, Agents: agents, Generator: g, Now: time.Now, Random: mathrand.Float64, Entropy: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("closing the fleet: %v", err)
		}
	})
	return f
}

// queue makes reports and gives them to the agents.
func queue(t *testing.T, f *Fleet, b *Batch, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Queue(b); err != nil {
		t.Fatal(err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestFleetReportsAndAllIsStored runs a small fleet against a collector that stops in
// the middle, and counts what is stored in the end.
func TestFleetReportsAndAllIsStored(t *testing.T) {
	const agents = 20
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	data, dir := t.TempDir(), t.TempDir()
	addr, stop := running(t, data, "127.0.0.1:0")
	f := fleet(t, dir, agents)
	must(t, f.Enroll(ctx, strings.TrimSpace(cli(t, data, "token", "create", "--uses", "20"))))
	must(t, f.Connect(ctx))
	b, err := f.First()
	queue(t, f, b, err)
	if _, err := f.Verify(strings.NewReader(cli(t, data, "machine", "list", "--output", "json"))); err != nil {
		t.Errorf("reports that wait are told to be missing: %v", err)
	}
	must(t, f.Send(ctx, 7))
	b, err = f.Change(3, 3)
	queue(t, f, b, err)
	stop()
	_, stop = running(t, data, addr)
	must(t, f.Wait(ctx))
	must(t, f.Unchanged(ctx, 2))
	stored(t, f, data)
	f.Disconnect()
	stop()

	c := f.Counts()
	if c.Enrolled != agents || c.Queued != 4*agents || c.Acknowledged != 4*agents || c.Unchanged != 2*agents || c.Needs != 0 || c.Retries == 0 {
		t.Errorf("counts: %+v", c)
	}
	if out := cli(t, data, "check"); !strings.Contains(out, "nothing is wrong") {
		t.Errorf("check: %s", out)
	}
}

// stored fails unless the collector has what was acknowledged, and Verify sees it where
// that is not so.
func stored(t *testing.T, f *Fleet, data string) {
	t.Helper()
	list := cli(t, data, "machine", "list", "--output", "json")
	if n, err := f.Verify(strings.NewReader(list)); err != nil || n != len(f.members) {
		t.Fatalf("%d machines are right: %v", n, err)
	}
	f.members[3].Programs++
	f.members[5].ID = "00000000-0000-4000-8000-000000000000"
	n, err := f.Verify(strings.NewReader(list))
	if err == nil || n != len(f.members)-2 || !strings.Contains(err.Error(), "is not stored") || !strings.Contains(err.Error(), "programs are stored") {
		t.Errorf("a machine that is missing and one that is wrong gave %d, %v", n, err)
	}
}

func TestFleetGoesOnWithItsFolder(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	data, dir := t.TempDir(), t.TempDir()
	_, _ = running(t, data, "127.0.0.1:0")
	token := strings.TrimSpace(cli(t, data, "token", "create", "--uses", "4"))
	f := fleet(t, dir, 4)
	must(t, f.Enroll(ctx, token))
	b, err := f.First()
	queue(t, f, b, err)
	must(t, f.Close())

	f = fleet(t, dir, 4)
	must(t, f.Enroll(ctx, token)) // the token is used up: identities must be kept
	if b, err := f.First(); err != nil || b.Len() != 0 {
		t.Errorf("%d reports are made a second time, %v", b.Len(), err)
	}
	b, err = f.Change(2, 3)
	queue(t, f, b, err)
	f.Start(ctx)
	must(t, f.Wait(ctx))
	must(t, f.Unchanged(ctx, 1))
	if c := f.Counts(); c.Acknowledged != 4+8 || c.Enrolled != 0 {
		t.Errorf("counts: %+v", c)
	}
}

func TestOnlyThisHost(t *testing.T) {
	for _, token := range []string{"", "vigia1.AAAA"} {
		if err := onlyLoopback(token); err == nil {
			t.Errorf("token %q was taken", token)
		}
	}
	data := t.TempDir()
	_, _ = running(t, data, "127.0.0.1:0")
	far := strings.TrimSpace(cli(t, data, "token", "create", "--collector-address", "vigia.example.com:7443"))
	if err := onlyLoopback(far); err == nil || !strings.Contains(err.Error(), "127.0.0.0/8") {
		t.Errorf("a token of another host: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{0, -1, MaxAgents + 1} {
		if _, err := Open(Options{Dir: dir, Agents: n}); err == nil {
			t.Errorf("%d agents were taken", n)
		}
	}
}
