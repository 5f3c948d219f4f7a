package app

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"vigia/collector/internal/fleet"
	"vigia/internal/pki"
	vigiav1 "vigia/proto/vigia/v1"
)

// benchAgents makes the test binary play the agents of BenchmarkAgents.
const benchAgents = "VIGIA_BENCH_AGENTS"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(testCollector) != "":
		os.Exit(Main(Process{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.LookupEnv}))
	case os.Getenv(benchAgents) == "":
		os.Exit(m.Run())
	}
	if err := playAgents(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// crowd is what the process of agents is told. All machines share one key: making keys
// is not what is measured.
type crowd struct {
	Address string
	CAs     [][]byte
	Key     []byte
	Certs   [][]byte
}

// playAgents connects all agents of a crowd, and again for each line that it is told.
func playAgents(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	var c crowd
	if err := gob.NewDecoder(r).Decode(&c); err != nil {
		return err
	}
	trust, err := pki.ParseTrust(c.CAs)
	if err != nil {
		return err
	}
	key, err := pki.ParseKey(c.Key)
	if err != nil {
		return err
	}
	conns := make([]*grpc.ClientConn, len(c.Certs))
	for lines := bufio.NewScanner(r); lines.Scan(); {
		for _, conn := range conns { // all at once, as when a collector restarts
			if conn != nil {
				_ = conn.Close()
			}
		}
		var wg sync.WaitGroup
		failed := make(chan error, len(conns))
		turns := make(chan struct{}, 32)
		for i := range conns {
			turns <- struct{}{}
			wg.Go(func() {
				defer func() { <-turns }()
				leaf := &tls.Certificate{Certificate: [][]byte{c.Certs[i]}, PrivateKey: key}
				config := pki.ClientTLS(trust, func() (*tls.Certificate, error) { return leaf, nil }, time.Now)
				var err error
				if conns[i], err = welcomed(c.Address, config); err != nil {
					failed <- err
				}
			})
		}
		wg.Wait()
		close(failed)
		if err := <-failed; err != nil {
			return err
		}
		fmt.Fprintln(out, "connected")
	}
	return nil
}

// welcomed opens one stream and waits for its Welcome.
func welcomed(address string, config *tls.Config) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce)
	st, err := vigiav1.NewAgentsClient(conn).Connect(context.Background())
	if err != nil {
		return conn, err
	}
	if err := st.Send(hello(nonce)); err != nil {
		return conn, err
	}
	m, err := st.Recv()
	if err == nil && m.GetWelcome() == nil {
		err = fmt.Errorf("answer to Hello is %v", m)
	}
	return conn, err
}

// BenchmarkAgents connects agents from another process to a whole collector on SQLite,
// by mTLS over loopback, and connects them anew b.N times. KiB/agent is what the
// collector's process grew by for each (resident, and heap and stacks after a
// collection), reconnects/s includes the agents' own work on the same processors,
// cpu-us/reconnect is the collector's alone.
func BenchmarkAgents(b *testing.B) {
	const agents = 2000
	c := quiet(b)
	peer := startAgents(b, crowdOf(b, c, agents))
	rss, heap := memory()
	peer.connect(b)
	rssAfter, heapAfter := memory()
	cpu := cpuTime()
	b.ResetTimer()
	for b.Loop() {
		peer.connect(b)
	}
	b.StopTimer()
	n := float64(agents * b.N)
	b.ReportMetric(float64(rssAfter-rss)/1024/agents, "rss-KiB/agent")
	b.ReportMetric(float64(heapAfter-heap)/1024/agents, "live-KiB/agent")
	b.ReportMetric(n/b.Elapsed().Seconds(), "reconnects/s")
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/n, "cpu-us/reconnect")
	rssAfter, heapAfter = memory()
	b.Logf("after reconnects: %d KiB resident, %d KiB live for each agent", (rssAfter-rss)/1024/agents, (heapAfter-heap)/1024/agents)
	if path := os.Getenv("VIGIA_BENCH_HEAP"); path != "" {
		dumpHeap(b, path)
	}
}

// quiet is a collector without a log.
func quiet(b *testing.B) *App {
	b.Helper()
	a, err := New(context.Background(), Config{Data: b.TempDir(), Agents: "127.0.0.1:0", Web: "127.0.0.1:0", Synchronous: "NORMAL"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := errors.Join(<-ended, a.Close()); err != nil {
			b.Error(err)
		}
	})
	return a
}

// crowdOf makes n machines of a collector, with certificates.
func crowdOf(b testing.TB, c *App, n int) crowd {
	b.Helper()
	key, err := pki.GenerateKey()
	if err != nil {
		b.Fatal(err)
	}
	csr, err := pki.NewCSR(key)
	if err != nil {
		b.Fatal(err)
	}
	text, err := pki.MarshalKey(key)
	if err != nil {
		b.Fatal(err)
	}
	out := crowd{Address: c.Addrs().Agents, CAs: c.desk.authority.Trust().DER(), Key: text}
	err = c.desk.store.InTx(context.Background(), func(ctx context.Context) error {
		for i := range n {
			m, err := c.desk.store.CreateMachine(ctx, fleet.Machine{ID: newID(), Hostname: "pc-" + strconv.Itoa(i), State: fleet.Active, EnrolledAt: time.Now()})
			if err != nil {
				return err
			}
			var cert *x509.Certificate
			if cert, err = c.desk.authority.CA().IssueMachine(csr, m.ID, m.Hostname, time.Now()); err != nil {
				return err
			}
			out.Certs = append(out.Certs, cert.Raw)
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// agentsProcess is the process that plays a crowd.
type agentsProcess struct {
	in  io.Writer
	out *bufio.Scanner
}

func startAgents(b *testing.B, c crowd) agentsProcess {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), benchAgents+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	if err := gob.NewEncoder(in).Encode(c); err != nil {
		b.Fatal(err)
	}
	return agentsProcess{in: in, out: bufio.NewScanner(out)}
}

// connect lets all agents connect anew and returns when each has its Welcome.
func (p agentsProcess) connect(b *testing.B) {
	b.Helper()
	if _, err := fmt.Fprintln(p.in, "connect"); err != nil {
		b.Fatal(err)
	}
	if !p.out.Scan() {
		b.Fatalf("the agents ended: %v", p.out.Err())
	}
}

// memory returns what this process holds: resident, and live after a collection, bytes.
func memory() (resident, live int64) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		panic(err)
	}
	for range 6 { // stacks shrink by half at a time
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if os.Getenv("VIGIA_BENCH_HEAP") != "" {
		fmt.Fprintln(os.Stderr, "heap", m.HeapAlloc>>10, "inuse", m.HeapInuse>>10, "idle", m.HeapIdle>>10, "released", m.HeapReleased>>10, "stacks", m.StackInuse>>10, "sys", m.Sys>>10, "gcsys", m.GCSys>>10, "other", (m.OtherSys+m.BuckHashSys+m.MSpanSys+m.MCacheSys)>>10)
	}
	return pages * int64(os.Getpagesize()), int64(m.HeapAlloc + m.StackInuse)
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// dumpHeap writes profiles of what agents hold, for whoever looks for it.
func dumpHeap(b *testing.B, path string) {
	b.Helper()
	for _, kind := range []string{"heap", "goroutine"} {
		f, err := os.Create(path + "." + kind)
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(pprof.Lookup(kind).WriteTo(f, 0), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
