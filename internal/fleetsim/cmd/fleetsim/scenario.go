package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"vigia/internal/fleetsim"
	"vigia/internal/fleetsim/proc"
)

// bench is one fleet and what it went through.
type bench struct {
	flags
	fleet     *fleetsim.Fleet
	connected bool
	results   []result
}

// result is what one scenario measured. Done counts reports, signs of life or
// connections.
type result struct {
	Scenario     string  `json:"scenario"`
	Agents       int     `json:"agents"`
	Done         int64   `json:"done"`
	Seconds      float64 `json:"seconds"`
	PerSecond    float64 `json:"per_second"`
	CollectorCPU float64 `json:"collector_cpu_us"` // for each done; 0 without --pid
	DatabaseCPU  float64 `json:"database_cpu_us"`  // for each done; 0 without --database-pid
	SimulatorCPU float64 `json:"simulator_cpu_us"` // for each done
	Bytes        float64 `json:"bytes"`            // compressed, for each report
	RSSBefore    int64   `json:"rss_before"`       // bytes of the collector's memory; 0 without --pid
	RSSAfter     int64   `json:"rss_after"`
	Stored       int     `json:"stored"`  // machines that are stored as acknowledged
	Retries      int64   `json:"retries"` // connections that were not made or ended
}

// measured runs do, which returns how many it did, between looks at clocks and memory.
func (b *bench) measured(name string, do func() (int64, error)) (result, error) {
	r := result{Scenario: name, Agents: b.Agents}
	before := b.fleet.Counts()
	var err error
	var start clocks
	if start, r.RSSBefore, err = b.clocks(); err != nil {
		return r, err
	}
	if r.Done, err = do(); err != nil {
		return r, err
	}
	end, rss, err := b.clocks()
	if err != nil {
		return r, err
	}
	r.RSSAfter = rss
	r.Seconds = end.at.Sub(start.at).Seconds()
	r.PerSecond = float64(r.Done) / r.Seconds
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(max(1, r.Done)) }
	r.CollectorCPU, r.DatabaseCPU, r.SimulatorCPU = each(end.collector-start.collector), each(end.database-start.database), each(end.own-start.own)
	r.Retries = b.fleet.Counts().Retries - before.Retries
	return r, nil
}

// clocks is the processor time of all who take part, at a moment.
type clocks struct {
	at                       time.Time
	collector, database, own time.Duration
}

func (b *bench) clocks() (c clocks, rss int64, err error) {
	if c.collector, rss, err = proc.Of(b.PID); err != nil {
		return c, 0, err
	}
	if c.database, err = proc.Family(b.DatabasePID); err != nil {
		return c, 0, err
	}
	c.own, c.at = proc.Own(), time.Now()
	return c, rss, nil
}

func (b *bench) scenario(ctx context.Context, name string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, b.Timeout)
	defer cancel()
	if err := b.enroll(ctx); err != nil {
		return result{}, err
	}
	var r result
	var err error
	switch name {
	case "connect":
		r, err = b.connect(ctx)
	case "reconnect":
		r, err = b.reconnect(ctx)
	case "unchanged":
		r, err = b.unchanged(ctx)
	case "first":
		r, err = b.reports(ctx, name, b.fleet.First)
	case "changed":
		r, err = b.reports(ctx, name, func() (*fleetsim.Batch, error) { return b.fleet.Change(b.Rounds, b.Changes) })
	}
	if err != nil {
		return r, err
	}
	r.Stored, err = b.verify(ctx, name)
	return r, err
}

// reports measures from the moment when connected agents may send until the last
// acknowledgement.
func (b *bench) reports(ctx context.Context, name string, make func() (*fleetsim.Batch, error)) (result, error) {
	batch, err := make()
	if err != nil {
		return result{}, err
	}
	if batch.Len() == 0 {
		return result{}, errors.New("every agent in --state has reported already: use another folder")
	}
	if err := b.ensureConnected(ctx); err != nil {
		return result{}, err
	}
	before := b.fleet.Counts()
	if err := b.fleet.Queue(batch); err != nil {
		return result{}, err
	}
	queued := b.fleet.Counts()
	r, err := b.measured(name, func() (int64, error) {
		err := b.fleet.Send(ctx, b.AtOnce)
		return b.fleet.Counts().Acknowledged - before.Acknowledged, err
	})
	r.Bytes = float64(queued.QueuedBytes-before.QueuedBytes) / float64(batch.Len())
	if err == nil && r.Done != int64(batch.Len()) {
		err = fmt.Errorf("%d of %d reports were acknowledged", r.Done, batch.Len())
	}
	return r, err
}

func (b *bench) unchanged(ctx context.Context) (result, error) {
	if err := b.ensureConnected(ctx); err != nil {
		return result{}, err
	}
	return b.measured("unchanged", func() (int64, error) {
		before := b.fleet.Counts().Unchanged
		err := b.fleet.Unchanged(ctx, b.Cycles)
		return b.fleet.Counts().Unchanged - before, err
	})
}

func (b *bench) ensureConnected(ctx context.Context) error {
	if b.connected {
		return nil
	}
	b.connected = true
	return b.fleet.Connect(ctx)
}

// connect measures how fast agents come, and what they cost the collector once they
// are there and nothing happens. Its memory is comparable where it was just started.
func (b *bench) connect(ctx context.Context) (result, error) {
	if b.connected {
		b.fleet.Disconnect()
		b.connected = false
	}
	r, err := b.measured("connect", func() (int64, error) { return int64(b.Agents), b.ensureConnected(ctx) })
	if err != nil {
		return r, err
	}
	if err := pause(ctx, b.Settle); err != nil {
		return r, err
	}
	_, r.RSSAfter, err = proc.Of(b.PID)
	return r, err
}

// reconnect measures how fast all agents come back after they were cut off, Cycles
// times.
func (b *bench) reconnect(ctx context.Context) (result, error) {
	if err := b.ensureConnected(ctx); err != nil {
		return result{}, err
	}
	var sum result
	for range b.Cycles {
		b.fleet.Disconnect()
		b.connected = false
		r, err := b.measured("reconnect", func() (int64, error) { return int64(b.Agents), b.ensureConnected(ctx) })
		if err != nil {
			return r, err
		}
		sum = sum.plus(r)
	}
	return sum, nil
}

// plus joins two measurements of one scenario.
func (r result) plus(o result) result {
	done := float64(r.Done + o.Done)
	mean := func(a, b float64) float64 { return (a*float64(r.Done) + b*float64(o.Done)) / done }
	o.CollectorCPU, o.DatabaseCPU, o.SimulatorCPU = mean(r.CollectorCPU, o.CollectorCPU), mean(r.DatabaseCPU, o.DatabaseCPU), mean(r.SimulatorCPU, o.SimulatorCPU)
	o.Done, o.Seconds, o.Retries, o.RSSBefore = r.Done+o.Done, r.Seconds+o.Seconds, r.Retries+o.Retries, max(r.RSSBefore, o.RSSBefore)
	o.PerSecond = float64(o.Done) / o.Seconds
	return o
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// verify compares the collector's list of machines with what was acknowledged, and lets
// every agent ask whether the collector holds the very inventory it sent last.
func (b *bench) verify(ctx context.Context, name string) (int, error) {
	list, err := b.command(ctx, "machine", "list", "--output", "json")
	if err != nil {
		return 0, err
	}
	right, err := b.fleet.Verify(bytes.NewReader(list))
	if err == nil && (name == "first" || name == "changed") {
		err = b.fleet.Unchanged(ctx, 1)
	}
	return right, err
}

func (b *bench) enroll(ctx context.Context) error {
	if b.Token == "" {
		out, err := b.command(ctx, "token", "create", "--uses", strconv.Itoa(b.Agents), "--note", "fleetsim")
		if err != nil {
			return err
		}
		b.Token = strings.TrimSpace(string(out))
	}
	return b.fleet.Enroll(ctx, b.Token)
}

// command runs the collector's program on the database of the running collector.
func (b *bench) command(ctx context.Context, args ...string) ([]byte, error) {
	if b.DatabaseURL != "" {
		args = append(args, "--database-url", b.DatabaseURL)
	} else {
		args = append(args, "--data", b.Data)
	}
	var problem bytes.Buffer
	cmd := exec.CommandContext(ctx, b.Collector, args...)
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", b.Collector, strings.Join(args[:2], " "), err, strings.TrimSpace(problem.String()))
	}
	return out, nil
}
