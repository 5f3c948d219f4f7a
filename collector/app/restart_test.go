package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"vigia/collector/internal/rpcapi"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/inventory"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// testCollector makes the test binary a collector, for tests that kill one.
const testCollector = "VIGIA_TEST_COLLECTOR"

// sender is an agent that has reports to deliver: it connects, sends what is not
// acknowledged, and begins again when the stream ends.
type sender struct {
	address string
	config  *tls.Config
	nonce   []byte
	acked   *atomic.Int64
}

// packed is one report as it travels.
type packed struct {
	id   wire.ID
	body []byte
}

// packSnapshot encodes a whole report of s.
func packSnapshot(t testing.TB, s *inventory.Snapshot) packed {
	t.Helper()
	r, body := report(t, s)
	return packed{id: r.ID, body: body}
}

// deliver returns when every report is acknowledged, in their order.
func (s *sender) deliver(ctx context.Context, reports []packed) error {
	for len(reports) > 0 {
		n, err := s.session(ctx, reports)
		reports = reports[n:]
		if err != nil && ctx.Err() != nil {
			return fmt.Errorf("%d reports are left: %w", len(reports), err)
		}
		if err != nil {
			time.Sleep(100*time.Millisecond + rand.N(400*time.Millisecond))
		}
	}
	return nil
}

// session delivers over one connection and returns how many were acknowledged.
func (s *sender) session(ctx context.Context, reports []packed) (done int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(credentials.NewTLS(s.config)))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	st, err := vigiav1.NewAgentsClient(conn).Connect(ctx)
	if err != nil {
		return 0, err
	}
	if err := st.Send(hello(s.nonce)); err != nil {
		return 0, err
	}
	if m, err := st.Recv(); err != nil || m.GetWelcome() == nil {
		return 0, fmt.Errorf("no welcome: %v, %v", m, err)
	}
	for _, r := range reports {
		for _, p := range wire.Split(r.id[:], r.body) {
			if err := st.Send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}}); err != nil {
				return done, err
			}
		}
		for {
			m, err := st.Recv()
			if err != nil {
				return done, err
			}
			if m.GetLater() != nil {
				return done, errors.New("told to come later")
			}
			if string(m.GetAck().GetReportId()) == string(r.id[:]) {
				break
			}
		}
		done++
		s.acked.Add(1)
	}
	return done, nil
}

// senders are agents of a crowd.
func senders(t testing.TB, c crowd, acked *atomic.Int64) []*sender {
	t.Helper()
	key, err := pki.ParseKey(c.Key)
	if err != nil {
		t.Fatal(err)
	}
	trust, err := pki.ParseTrust(c.CAs)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]*sender, len(c.Certs))
	for i, der := range c.Certs {
		leaf := leafOf(t, key, der)
		nonce := make([]byte, 16)
		nonce[0], nonce[1], nonce[2] = 1, byte(i), byte(i>>8)
		out[i] = &sender{address: c.Address, nonce: nonce, acked: acked,
			config: pki.ClientTLS(trust, func() (*tls.Certificate, error) { return leaf, nil }, time.Now)}
	}
	return out
}

// collectorProcess is a collector that can be killed.
type collectorProcess struct {
	t    *testing.T
	args []string
	cmd  *exec.Cmd
}

func (p *collectorProcess) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0], p.args...)
	p.cmd.Env, p.cmd.Stderr = append(os.Environ(), testCollector+"=1"), io.Discard
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends it as a power cut would.
func (p *collectorProcess) kill() {
	p.t.Helper()
	if p.cmd.ProcessState != nil {
		return // it has ended
	}
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Error(err)
	}
	_ = p.cmd.Wait() // it was killed, which Wait tells as an error
}

// freeAddress is one that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestKill9During1000Reports: the collector is killed again and again while 20 machines
// tell 50 changes each; nothing acknowledged is lost, nothing counts twice.
func TestKill9During1000Reports(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		const machines, each = 20, 50
		c := start(t, where)
		fleet := crowdOf(t, c.App, machines)
		flags := c.data
		if err := c.stop(); err != nil {
			t.Fatal(err)
		}
		fleet.Address = freeAddress(t)
		p := &collectorProcess{t: t, args: append([]string{"serve", "--agents", fleet.Address, "--web", freeAddress(t)}, flags...)}
		p.start()
		defer p.kill()
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
		defer cancel()
		var acked atomic.Int64
		var wg sync.WaitGroup
		var ids []wire.ID
		for i, s := range senders(t, fleet, &acked) {
			snap := snapshot(fmt.Sprintf("pc-%d", i))
			var reports []packed
			for n := range each {
				snap.Software = append(slices.Clone(snap.Software), inventory.Program{Name: fmt.Sprintf("program-%02d", n), Version: "1", Source: "deb", Scope: "machine"})
				r := packSnapshot(t, snap)
				reports, ids = append(reports, r), append(ids, r.id)
			}
			wg.Go(func() {
				if err := s.deliver(ctx, reports); err != nil {
					t.Errorf("machine %d: %v", i, err)
				}
			})
		}
		for _, at := range []int64{200, 450, 700} {
			for acked.Load() < at && ctx.Err() == nil {
				time.Sleep(2 * time.Millisecond)
			}
			p.kill()
			t.Logf("killed after %d acknowledgements", acked.Load())
			p.start()
		}
		wg.Wait()
		p.kill()
		again := start(t, where)
		known, err := again.desk.store.KnownReports(ctx, ids)
		if err != nil || len(known) != machines*each || acked.Load() != machines*each {
			t.Errorf("%d reports are stored, %d were acknowledged, want %d; %v", len(known), acked.Load(), machines*each, err)
		}
		for _, m := range rowsOf[machineRow](t, again, "machine", "list") {
			events, err := again.desk.store.Events(ctx, m.ID, time.Time{}, 1000)
			if err != nil || m.Programs != each || len(events) != each { // the first list is one line
				t.Errorf("%s: %d programs, %d events, want %d; %v", m.Hostname, m.Programs, len(events), each, err)
			}
		}
		again.cli("check")
	})
}

// TestRestartUnder2000Agents: all come back by themselves and what they had to tell is
// stored once.
func TestRestartUnder2000Agents(t *testing.T) {
	const agents = 2000
	dir := t.TempDir()
	set := func(c *Config) { c.Limits = rpcapi.Limits{}; c.Agents = "127.0.0.1:0" }
	c := startWith(t, dir, set)
	fleet := crowdOf(t, c.App, agents)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	var acked atomic.Int64
	var wg sync.WaitGroup
	for i, s := range senders(t, fleet, &acked) {
		one := packSnapshot(t, snapshot(fmt.Sprintf("pc-%d", i), inventory.Program{Name: "curl", Version: "8", Source: "deb", Scope: "machine"}))
		two := packSnapshot(t, snapshot(fmt.Sprintf("pc-%d", i), inventory.Program{Name: "curl", Version: "9", Source: "deb", Scope: "machine"}))
		wg.Go(func() {
			if err := s.stay(ctx, one, two); err != nil {
				t.Errorf("machine %d: %v", i, err)
			}
		})
	}
	for acked.Load() < agents && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	began := time.Now()
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	address := fleet.Address
	c = startWith(t, dir, func(cfg *Config) { set(cfg); cfg.Agents = address })
	wg.Wait()
	t.Logf("%d agents were back with their second report %s after the stop began", agents, time.Since(began).Round(time.Millisecond))
	if acked.Load() != 2*agents {
		t.Errorf("%d reports were acknowledged, want %d", acked.Load(), 2*agents)
	}
	titles := rowsOf[softwareRow](t, c, "software", "list")
	titles = slices.DeleteFunc(titles, func(r softwareRow) bool { return r.Installs == 0 })
	if len(titles) != 1 || titles[0].Version != "9" || titles[0].Installs != agents {
		t.Errorf("software: %+v", titles)
	}
	c.cli("check")
}

// stay delivers one report, stays connected until the collector goes, and delivers the
// other to the next one.
func (s *sender) stay(ctx context.Context, one, two packed) error {
	for {
		err := s.whileConnected(ctx, one)
		if errors.Is(err, errWentAway) {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the first report: %w", err)
		}
		time.Sleep(100*time.Millisecond + rand.N(400*time.Millisecond))
	}
	return s.deliver(ctx, []packed{two})
}

var errWentAway = errors.New("the collector went away after the report was acknowledged")

// whileConnected delivers a report and waits for the end of the stream.
func (s *sender) whileConnected(ctx context.Context, r packed) error {
	conn, err := grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(credentials.NewTLS(s.config)))
	if err != nil {
		return err
	}
	defer conn.Close()
	st, err := vigiav1.NewAgentsClient(conn).Connect(ctx)
	if err != nil {
		return err
	}
	if err := st.Send(hello(s.nonce)); err != nil {
		return err
	}
	for _, p := range wire.Split(r.id[:], r.body) {
		if err := st.Send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}}); err != nil {
			return err
		}
	}
	for acked := false; ; {
		m, err := st.Recv()
		switch {
		case err != nil && acked:
			return errWentAway
		case err != nil:
			return err
		case m.GetLater() != nil && acked:
			return errWentAway
		case string(m.GetAck().GetReportId()) == string(r.id[:]):
			acked = true
			s.acked.Add(1)
		}
	}
}

// TestPostgresRestartsUnderLoad: the database is stopped, as by a crash, while machines
// tell; the collector goes on when it is back, and what was acknowledged is there.
func TestPostgresRestartsUnderLoad(t *testing.T) {
	const machines, each = 10, 40
	server := storetest.NewServer(t)
	c := start(t, server.URL(t, "load"))
	fleet := crowdOf(t, c.App, machines)
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	var acked atomic.Int64
	var wg sync.WaitGroup
	var ids []wire.ID
	for i, s := range senders(t, fleet, &acked) {
		var reports []packed
		for n := range each {
			r := packSnapshot(t, snapshot(fmt.Sprintf("pc-%d", i), inventory.Program{Name: "curl", Version: fmt.Sprint(n), Source: "deb", Scope: "machine"}))
			reports, ids = append(reports, r), append(ids, r.id)
		}
		wg.Go(func() {
			if err := s.deliver(ctx, reports); err != nil {
				t.Errorf("machine %d: %v", i, err)
			}
		})
	}
	for i, at := range []int64{80, 200} {
		for acked.Load() < at && ctx.Err() == nil {
			time.Sleep(2 * time.Millisecond)
		}
		server.Stop(t, i == 0)
		t.Logf("the database went after %d acknowledgements", acked.Load())
		server.Start(t)
	}
	wg.Wait()
	known, err := c.desk.store.KnownReports(ctx, ids)
	if err != nil || len(known) != machines*each || acked.Load() != machines*each {
		t.Errorf("%d reports are stored, %d were acknowledged, want %d; %v", len(known), acked.Load(), machines*each, err)
	}
	c.cli("check")
}
