// Package runner runs the named tasks of a program together: the first error stops
// all, stopping takes a bounded time, and a task that does not stop is named. It
// refuses to restart tasks and to know what they do.
package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// ErrHung is wrapped by the error of Run when tasks did not stop in time.
var ErrHung = errors.New("did not stop in time")

// Task is one part of a program. Run must return soon after ctx ends. Returning nil
// means "done": the other tasks go on. A panic counts as an error.
type Task struct {
	Name string
	Run  func(ctx context.Context) error
}

// Run starts all tasks and returns when all have returned, or stopWithin after the
// stop began. The stop begins when ctx ends or a task fails. The result joins the
// errors of all tasks, each with the task's name, leaving out context.Canceled after
// the stop, and names those that hang (ErrHung); they keep running in the background.
func Run(ctx context.Context, log *slog.Logger, stopWithin time.Duration, tasks ...Task) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result, len(tasks))
	running := make([]string, 0, len(tasks))
	for _, t := range tasks {
		running = append(running, t.Name)
		go func() { results <- result{t.Name, guarded(ctx, t)} }()
	}
	var errs []error
	var deadline <-chan time.Time
	stopping := ctx.Done()
	for len(running) > 0 {
		select {
		case <-stopping:
			stopping = nil
			timer := time.NewTimer(stopWithin)
			defer timer.Stop()
			deadline = timer.C
		case r := <-results:
			running = slices.DeleteFunc(running, func(n string) bool { return n == r.name })
			if err := r.problem(ctx); err != nil {
				log.Error("task failed, stopping all", "task", r.name, "err", err)
				errs = append(errs, err)
				cancel()
			} else {
				log.Debug("task ended", "task", r.name)
			}
		case <-deadline:
			names := strings.Join(running, ", ")
			log.Error("tasks hang", "tasks", names, "waited", stopWithin)
			return errors.Join(append(errs, fmt.Errorf("%s: %w (%s)", names, ErrHung, stopWithin))...)
		}
	}
	return errors.Join(errs...)
}

type result struct {
	name string
	err  error
}

// problem returns what r adds to the error of Run: nothing for a task that ended well
// or that only reports the stop itself.
func (r result) problem(ctx context.Context) error {
	if r.err == nil || (ctx.Err() != nil && errors.Is(r.err, context.Canceled)) {
		return nil
	}
	return fmt.Errorf("%s: %w", r.name, r.err)
}

func guarded(ctx context.Context, t Task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return t.Run(ctx)
}
