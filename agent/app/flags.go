package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// flags judges this machine's programs by the collector's allowlist, also while there
// is no connection, and logs each new program that is not authorized. The collector
// decides for itself; this is what IT finds on the machine.
type flags struct {
	log *slog.Logger
	now func() time.Time

	mu       sync.Mutex
	compiled *policy.Compiled
	last     *inventory.Snapshot
	known    map[policy.CheckRow]bool // flagged before; nil until judged once
}

func newFlags(log *slog.Logger, now func() time.Time) *flags {
	return &flags{log: log, now: now}
}

// setPolicy takes the document of the collector; an unusable one is an error, and the
// one before stays.
func (f *flags) setPolicy(document []byte) error {
	doc, err := policy.DecodeDocument(bytes.NewReader(document))
	if err != nil {
		return fmt.Errorf("reading the policy: %w", err)
	}
	compiled, err := policy.Compile(doc)
	if err != nil {
		return fmt.Errorf("compiling the policy: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.compiled = compiled
	f.judge()
	return nil
}

// see takes a new inventory, which nobody changes any more.
func (f *flags) see(s *inventory.Snapshot) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = s
	f.judge()
}

func (f *flags) judge() {
	if f.compiled == nil || f.last == nil {
		return
	}
	now := make(map[policy.CheckRow]bool)
	for _, row := range policy.CheckAll(f.compiled, f.last, f.now()) {
		if !row.Flagged() {
			break // flagged ones come first
		}
		now[row] = true
		if f.known != nil && !f.known[row] && f.compiled.Mode() != policy.Learn {
			f.log.Warn("program without authorization", "program", row.Program, "version", row.Version, "source", row.Source, "verdict", row.Verdict, "rule", row.Rule)
		}
	}
	if f.known == nil {
		f.log.Info("programs judged by the allowlist", "mode", f.compiled.Mode(), "unauthorized", len(now))
	}
	f.known = now
}

// count returns how many programs are not authorized; -1 where that is not known.
func (f *flags) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil {
		return -1
	}
	return len(f.known)
}
