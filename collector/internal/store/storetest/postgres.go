package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vigia/collector/internal/store"
)

// template is the database that has the newest schema and nothing in it.
const template = "vigia_template"

// shared is the server of this test process, and databases counts what is in it.
// Both are there because starting a server per test would take seconds each.
var (
	shared    = sync.OnceValues(startShared)
	databases atomic.Int64
)

func startShared() (*Server, error) {
	s, err := startServer()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.sql("CREATE DATABASE " + template); err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, store.Config{DatabaseURL: s.url(template)})
	if err != nil {
		return nil, fmt.Errorf("making the template database: %w", err)
	}
	return s, st.Close()
}

// Postgres returns the URL of a database of its own, with the newest schema and
// nothing in it, on the server that the tests of this process share.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("starting PostgreSQL for the tests: %v", err)
	}
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := s.sql("CREATE DATABASE " + name + " TEMPLATE " + template); err != nil {
		t.Fatalf("making a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := s.sql("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("removing the test's database: %v", err)
		}
	})
	return s.url(name)
}

// NewServer starts a PostgreSQL server of the test's own, which it may stop and start.
func NewServer(t testing.TB) *Server {
	t.Helper()
	s, err := startServer()
	if err != nil {
		t.Fatalf("starting PostgreSQL for the test: %v", err)
	}
	t.Cleanup(s.remove)
	return s
}

// URL makes an empty database and returns its URL, good across restarts.
func (s *Server) URL(t testing.TB, name string) string {
	t.Helper()
	if err := s.sql("CREATE DATABASE " + name); err != nil {
		t.Fatalf("making database %s: %v", name, err)
	}
	return s.url(name)
}

// Stop stops the server: orderly, or as if it had crashed.
func (s *Server) Stop(t testing.TB, crash bool) {
	t.Helper()
	how := "fast"
	if crash {
		how = "crash"
	}
	if err := s.stop(how); err != nil {
		t.Fatalf("stopping PostgreSQL: %v", err)
	}
}

// Start starts the stopped server again and waits until it answers.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("starting PostgreSQL again: %v", err)
	}
}

func (s *Server) url(database string) string {
	return "postgres://vigia@/" + database + "?host=" + strings.ReplaceAll(s.dir, "/", "%2F") + "&port=5432&sslmode=disable"
}
