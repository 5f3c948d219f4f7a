package service

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/kardianos/service"
)

// Run runs work until ctx ends or the service manager asks to stop. It works the same
// in a terminal.
func Run(ctx context.Context, log *slog.Logger, _ *Sink, work func(context.Context) error) error {
	p := &program{ctx: ctx, work: work, log: log, done: make(chan error, 1)}
	svc, err := service.New(p, config("", nil))
	if err != nil || service.Interactive() {
		return work(ctx)
	}
	if err := svc.Run(); err != nil {
		return fmt.Errorf("running as a service: %w", err)
	}
	return p.result
}

// afterInstall has nothing to add: the unit says it all.
func afterInstall() error { return nil }

// program is what kardianos/service starts and stops.
type program struct {
	ctx    context.Context
	cancel context.CancelFunc
	work   func(context.Context) error
	log    *slog.Logger
	done   chan error
	result error
}

func (p *program) Start(s service.Service) error {
	ctx, cancel := context.WithCancel(p.ctx)
	p.cancel = cancel
	go func() {
		err := p.work(ctx)
		p.done <- err
		if ctx.Err() == nil { // ended by itself: the manager must learn of it
			if stopErr := s.Stop(); stopErr != nil {
				p.log.Error("telling the service manager that the agent ended", "error", stopErr)
			}
		}
	}()
	return nil
}

func (p *program) Stop(service.Service) error {
	p.cancel()
	select {
	case p.result = <-p.done:
	case <-time.After(StopTimeout):
		p.log.Error("the agent did not stop in time", "timeout", StopTimeout)
	}
	return nil
}
