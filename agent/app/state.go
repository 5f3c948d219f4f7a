package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/spool"
	"vigia/agent/internal/uplink"
	"vigia/internal/buildinfo"
	"vigia/internal/fsatomic"
	"vigia/internal/inventory"
)

// statusEvery is how often the running agent looks whether its status changed.
const statusEvery = 2 * time.Second

// taken is what is told of the latest inventory.
type taken struct {
	TakenAt  time.Time          `json:"taken_at"`
	Cause    string             `json:"cause"`
	Programs int                `json:"programs"`
	Sources  []inventory.Source `json:"sources"`
}

// latest holds the newest taken, for the status.
type latest struct {
	mu sync.Mutex
	is *taken
}

func (l *latest) set(s *inventory.Snapshot, cause string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.is = &taken{TakenAt: s.TakenAt, Cause: cause, Programs: len(s.Software), Sources: s.Sources}
}

func (l *latest) get() *taken {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.is
}

// statusFile is what a running agent writes down of itself, and `status` prints.
type statusFile struct {
	Version      string        `json:"version"`
	StartedAt    time.Time     `json:"started_at"`
	Uplink       uplink.Status `json:"uplink"`
	Inventory    *taken        `json:"inventory"`
	Rests        []probe.Rest  `json:"rests"`
	Unauthorized int           `json:"unauthorized"` // by the kept allowlist; -1 where there is none
}

func statusPath(state string) string { return filepath.Join(state, "status.json") }

func (a *agent) status() statusFile {
	return statusFile{Version: buildinfo.Get().Version, StartedAt: a.started.UTC(), Uplink: a.client.Status(),
		Inventory: a.latest.get(), Rests: a.runner.Rests(), Unauthorized: a.flags.count()}
}

// keepStatus writes the status down whenever it changed. To ask all parts how they are
// is also the sign of life that the service manager waits for: a part that hangs with its
// lock held is noticed.
func (a *agent) keepStatus(ctx context.Context) error {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	var before statusFile
	var trouble string
	for {
		now := a.status()
		a.tellManager(a.cfg.Manager.Alive)
		if !reflect.DeepEqual(now, before) {
			err := writeJSONFile(statusPath(a.cfg.State), now)
			if err == nil {
				before, trouble = now, ""
			} else if err.Error() != trouble { // told once, tried again
				a.cfg.Log.Warn("writing the status", "error", err)
				trouble = err.Error()
			}
		}
		select {
		case <-ctx.Done():
			return a.writeStatus()
		case <-tick.C:
		}
	}
}

func (a *agent) writeStatus() error {
	return writeJSONFile(statusPath(a.cfg.State), a.status())
}

// readStatus returns what the agent wrote last; nil where it never ran.
func readStatus(state string) (*statusFile, error) {
	data, err := os.ReadFile(statusPath(state))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the status: %w", err)
	}
	var s statusFile
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("reading the status: %s is damaged (the running agent writes it anew): %w", statusPath(state), err)
	}
	return &s, nil
}

// running reports whether an agent has the state folder open.
func running(state string) (bool, error) {
	used, _, err := spool.InUse(spoolDir(state))
	if err != nil {
		return false, fmt.Errorf("looking at the spool: %w (its folder is for administrators)", err)
	}
	return used, nil
}

func writeJSONFile(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(path, append(data, '\n'), 0o600)
}

func restsPath(state string) string { return filepath.Join(state, "rests.json") }

// loadRests reads which sources rest since before the last stop.
func loadRests(state string, log *slog.Logger) []probe.Rest {
	data, err := os.ReadFile(restsPath(state))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var list []probe.Rest
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		log.Warn("which sources rest is not known; all are asked", "error", err)
		return nil
	}
	return list
}

// saveRests writes the rests down, where there are or were any.
func saveRests(state string, list []probe.Rest) error {
	if len(list) == 0 {
		if err := os.Remove(restsPath(state)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return writeJSONFile(restsPath(state), list)
}
