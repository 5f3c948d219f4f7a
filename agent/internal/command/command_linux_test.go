package command

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRunGivesOutputAndAFixedEnvironment(t *testing.T) {
	t.Setenv("VIGIA_SECRET", "x")
	out, err := Run(t.Context(), Command{Path: "/usr/bin/env"})
	if err != nil || strings.Contains(string(out), "SECRET") || !strings.Contains(string(out), "LC_ALL=C\n") {
		t.Errorf("%q, %v", out, err)
	}
	if out, err = Run(t.Context(), Command{Path: "/bin/pwd"}); err != nil || string(out) != "/\n" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err = Run(t.Context(), Command{Path: "/bin/cat"}); err != nil || len(out) != 0 {
		t.Errorf("standard input is not empty: %q, %v", out, err)
	}
}

func TestRunRefusesAndEnds(t *testing.T) {
	if _, err := Run(t.Context(), Command{Path: "true"}); !errors.Is(err, ErrNotAbsolute) {
		t.Errorf("relative: %v", err)
	}
	if _, err := Run(t.Context(), Command{Path: "/none/such"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if out, err := Run(t.Context(), Command{Path: "/usr/bin/yes", Output: 1000}); !errors.Is(err, ErrOutput) || out != nil {
		t.Errorf("endless output: %d bytes, %v", len(out), err)
	}
	var exit *ExitError
	if _, err := Run(t.Context(), Command{Path: "/bin/sh", Args: []string{"-c", "echo why >&2; exit 3"}}); !errors.As(err, &exit) || exit.Code != 3 || exit.Stderr != "why" {
		t.Errorf("exit code: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Command{Path: "/bin/true"}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestRunEndsChildrenToo has a shell start a program that would outlive it.
func TestRunEndsChildrenToo(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	began := time.Now()
	_, err := Run(t.Context(), Command{Path: "/bin/sh", Args: []string{"-c", "(sleep 2; touch " + mark + ") & sleep 600"}, Timeout: 200 * time.Millisecond})
	if !errors.Is(err, ErrTimeout) || time.Since(began) > 20*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	time.Sleep(2500 * time.Millisecond)
	if _, err := os.Stat(mark); err == nil {
		t.Error("a child went on")
	}
}
