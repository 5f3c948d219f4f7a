package app

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"vigia/collector/internal/rpcapi"
	"vigia/collector/internal/store/storetest"
	"vigia/internal/pki"
	"vigia/internal/wire"
	vigiav1 "vigia/proto/vigia/v1"
)

// browser is an HTTPS client that keeps cookies and takes any certificate, as a person
// does who accepts the collector's own.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
}

func get(t *testing.T, c *http.Client, url string) (int, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestHealthAndMetrics(t *testing.T) {
	c := start(t, t.TempDir())
	b := browser(t)
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if code, body := get(t, b, "https://"+c.Addrs().Web+path); code != 200 || body != want {
			t.Errorf("%s: %d %q", path, code, body)
		}
	}
	a := c.enroll(c.token(), facts)
	a.connect(c)
	eventually(t, "the connection is counted", func() bool {
		_, body := get(t, b, "http://"+c.Addrs().Metrics+"/metrics")
		return strings.Contains(body, "vigia_agents_connected 1") && strings.Contains(body, `vigia_enrollments_total{result="ok"} 1`) && strings.Contains(body, "vigia_build_info")
	})
	if code, _ := get(t, b, "https://"+c.Addrs().Web+"/metrics"); code == 200 {
		t.Error("metrics are on the console's address")
	}
	resp, err := healthv1.NewHealthClient(dial(t, c.Addrs().Agents, pki.EnrollTLS(c.token().CA, time.Now))).Check(soon(t), &healthv1.HealthCheckRequest{})
	if err != nil || resp.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("gRPC health: %v %v", resp, err)
	}
}

func TestSigninLinkOpensTheConsoleOnce(t *testing.T) {
	c := start(t, t.TempDir())
	link := strings.TrimSpace(c.cli("signin-link"))
	if !strings.HasPrefix(link, "https://"+c.Addrs().Web+"/signin/") {
		t.Fatalf("link %q", link)
	}
	b := browser(t)
	if code, body := get(t, b, link); code != 200 || !strings.Contains(body, "<form") {
		t.Fatalf("the link's page: %d\n%s", code, body)
	}
	use := func(b *http.Client) int {
		resp, err := b.Post(link, "application/x-www-form-urlencoded", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if code := use(b); code != 200 {
		t.Errorf("signing in: %d", code)
	}
	if code, _ := get(t, b, "https://"+c.Addrs().Web+"/machines"); code != 200 {
		t.Errorf("machines after signing in: %d", code)
	}
	if code := use(browser(t)); code == 200 {
		t.Error("the link opened twice")
	}
	if code, body := get(t, browser(t), "https://"+c.Addrs().Web+"/machines"); code == 200 && strings.Contains(body, "pc-") {
		t.Error("machines are shown to anybody")
	}
}

func TestNotReadyWithoutItsDatabase(t *testing.T) {
	server := storetest.NewServer(t)
	c := start(t, server.URL(t, "readiness"))
	b := browser(t)
	ready := func() bool { code, _ := get(t, b, "https://"+c.Addrs().Web+"/readyz"); return code == 200 }
	if !ready() {
		t.Fatal("not ready")
	}
	a := c.enroll(c.token(), facts)
	l, _ := a.connect(c)
	server.Stop(t, true)
	eventually(t, "not ready while the database is away", func() bool { return !ready() })
	server.Start(t)
	eventually(t, "ready again", ready)
	r, body := report(t, snapshot("pc-017"))
	eventually(t, "the stream outlived the restart", func() bool { // the first answers may be "later": connections of the pool are dead
		for _, p := range wire.Split(r.ID[:], body) {
			l.send(&vigiav1.FromAgent{Kind: &vigiav1.FromAgent_Report{Report: p}})
		}
		return l.next(func(m *vigiav1.FromCollector) bool { return m.GetAck() != nil || m.GetLater() != nil }).GetAck() != nil
	})
}

func TestPeersWithoutCertificateMayOnlyEnroll(t *testing.T) {
	c := start(t, t.TempDir())
	conn := dial(t, c.Addrs().Agents, pki.EnrollTLS(c.token().CA, time.Now))
	st, err := vigiav1.NewAgentsClient(conn).Connect(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Recv(); status.Code(err) != codes.Unauthenticated {
		t.Errorf("Connect: %v", err)
	}
	if _, err := vigiav1.NewAgentsClient(conn).Renew(soon(t), &vigiav1.RenewRequest{}); status.Code(err) != codes.Unauthenticated {
		t.Errorf("Renew: %v", err)
	}
	foreign, err := pki.NewCA("another company", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	wrongPin := dial(t, c.Addrs().Agents, pki.EnrollTLS(foreign.Fingerprint(), time.Now))
	if _, err := vigiav1.NewEnrollmentClient(wrongPin).Enroll(soon(t), &vigiav1.EnrollRequest{}); status.Code(err) != codes.Unavailable {
		t.Errorf("a token of another collector: %v", err)
	}
}

func TestConnectionsAboveTheLimitAreTurnedAway(t *testing.T) {
	cfg := Config{Data: t.TempDir(), Agents: "127.0.0.1:0", Web: "127.0.0.1:0", Limits: rpcapi.Limits{Connections: 2}}
	a, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	pin := a.desk.authority.CA().Fingerprint()
	ask := func() error {
		_, err := healthv1.NewHealthClient(dial(t, a.Addrs().Agents, pki.EnrollTLS(pin, time.Now))).Check(soon(t), &healthv1.HealthCheckRequest{})
		return err
	}
	for range 2 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if err := ask(); status.Code(err) != codes.Unavailable {
		t.Errorf("third connection: %v", err)
	}
}
