package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vigia/collector/internal/rpcapi"
	"vigia/collector/internal/store/storetest"
)

func TestCollectorsThatStartTogetherShareOneCA(t *testing.T) {
	server := storetest.NewServer(t)
	url := server.URL(t, "together")
	var all sync.WaitGroup
	prints := make([]string, 4)
	for i := range prints {
		all.Go(func() {
			d, err := openDesk(context.Background(), Config{DatabaseURL: url}, nil)
			if err != nil {
				t.Error(err)
				return
			}
			prints[i] = d.authority.CA().Fingerprint().String()
			if err := d.close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, p := range prints {
		if p == "" || p != prints[0] {
			t.Errorf("CAs %v", prints)
		}
	}
}

func TestRestartKeepsTheCAAndTheMachines(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	a := c.enroll(c.token(), facts)
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir)
	l, _ := a.connect(again)
	l.submit(snapshot("pc-017"))
}

func TestTheDataFolderIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	start(t, dir)
	for _, path := range []string{dir, databaseFile(dir), filepath.Join(dir, "collector.lock")} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
}

func TestAStreamWithoutHelloIsClosed(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	a := c.enroll(c.token(), facts)
	if err := c.stop(); err != nil {
		t.Fatal(err)
	}
	app, err := New(context.Background(), Config{Data: dir, Agents: "127.0.0.1:0", Web: "127.0.0.1:0", Limits: rpcapi.Limits{FirstHello: 200 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	l := a.open(&collector{App: app, t: t})
	if _, err := l.end(20 * time.Second); err == nil {
		t.Error("a silent stream ended without an error")
	}
	cancel()
	if err := errors.Join(<-ended, app.Close()); err != nil {
		t.Error(err)
	}
}

func TestTokenForAnotherNameMakesTheCertificateFit(t *testing.T) {
	c := start(t, t.TempDir())
	port := c.Addrs().Agents[strings.LastIndex(c.Addrs().Agents, ":"):]
	tok := c.token("--collector-address", "vigia.example.com"+port)
	if len(tok.Addresses) != 1 || tok.Addresses[0] != "vigia.example.com"+port {
		t.Errorf("addresses %v", tok.Addresses)
	}
	eventually(t, "the certificate names it", func() bool {
		cert, err := c.agentCert.Get(nil)
		return err == nil && cert.Leaf.VerifyHostname("vigia.example.com") == nil
	})
}
