package runner

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func untilStopped(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func TestFirstErrorStopsAll(t *testing.T) {
	boom := errors.New("boom")
	err := Run(t.Context(), slog.New(slog.DiscardHandler), time.Minute,
		Task{"waits", untilStopped},
		Task{"done at once", func(context.Context) error { return nil }},
		Task{"breaks", func(context.Context) error { return boom }})
	if !errors.Is(err, boom) || err.Error() != "breaks: boom" {
		t.Fatalf("got %v", err)
	}
}

func TestEndOfContextIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, slog.New(slog.DiscardHandler), time.Minute, Task{"a", untilStopped}, Task{"b", untilStopped}); err != nil {
		t.Fatal(err)
	}
}

func TestTaskThatHangsIsNamed(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var logged bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Run(ctx, slog.New(slog.NewTextHandler(&logged, nil)), 20*time.Millisecond,
		Task{"good", untilStopped},
		Task{"stubborn", func(context.Context) error { <-release; return nil }})
	if !errors.Is(err, ErrHung) || !strings.Contains(err.Error(), "stubborn") || strings.Contains(err.Error(), "good") {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(logged.String(), "stubborn") {
		t.Fatalf("log does not name the task: %s", logged.String())
	}
}

func TestPanicIsAnError(t *testing.T) {
	err := Run(t.Context(), slog.New(slog.DiscardHandler), time.Minute,
		Task{"waits", untilStopped}, Task{"panics", func(context.Context) error { panic("odd message") }})
	if err == nil || !strings.Contains(err.Error(), "panics: panic: odd message") {
		t.Fatalf("got %v", err)
	}
}
