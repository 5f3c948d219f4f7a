package web_test

import (
	"context"

	"vigia/collector/internal/rollout"
)

// fakeUpdates has a stage that is open and one that is paused, and a machine that went back.
type fakeUpdates struct{ f *fake }

func (u fakeUpdates) Releases(context.Context) ([]rollout.Release, error) {
	if u.f.empty {
		return nil, u.f.broken
	}
	return []rollout.Release{{Version: "1.4.0", PublishedAt: ago(day), PublishedBy: "cli:root"}}, u.f.broken
}

func (u fakeUpdates) Stages(context.Context) ([]rollout.Stage, error) {
	if u.f.empty {
		return nil, u.f.broken
	}
	return []rollout.Stage{
		{Row: 2, Version: "1.4.0", Share: 10, CreatedAt: ago(day), CreatedBy: "cli:root"},
		{Row: 1, Version: "1.4.0", Group: "Piloto " + markup, Share: 100, Paused: true, CreatedAt: ago(2 * day), CreatedBy: "cli:root"},
	}, u.f.broken
}

func (u fakeUpdates) Counts(context.Context) ([]rollout.Count, error) {
	if u.f.empty {
		return nil, u.f.broken
	}
	return []rollout.Count{
		{Version: "1.3.9", Phase: "current", Machines: 120}, {Version: "1.3.9", Target: "1.4.0", Phase: "downloading", Machines: 3},
		{Version: "1.3.9", Target: "1.4.0", Phase: "trying", Machines: 2}, {Version: "1.3.9", Target: "1.4.0", Phase: "failed", Machines: 1},
		{Version: "1.3.9", Target: "1.4.0", Phase: "rolled-back", Machines: 1}, {Version: "1.4.0", Phase: "current", Machines: 9},
	}, u.f.broken
}

func (u fakeUpdates) Problems(context.Context, int) ([]rollout.Progress, error) {
	if u.f.empty {
		return nil, u.f.broken
	}
	return []rollout.Progress{{Machine: laptop, Hostname: "pc-017", Version: "1.3.9", Target: "1.4.0", Phase: "rolled-back",
		Problem: "it did not report within 15m0s " + markup, At: ago(day)}}, u.f.broken
}

func (u fakeUpdates) Pause(context.Context, int64, bool) error { return u.f.broken }
