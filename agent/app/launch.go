package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"vigia/agent/internal/command"
	"vigia/agent/internal/updater"
	"vigia/agent/internal/uplink"
	"vigia/internal/buildinfo"
)

// launcherVar names, for a version that came by itself, the installed program that
// started it and is to be asked again which version runs.
const launcherVar = "VIGIA_LAUNCHER"

func (a *agent) versions() *updater.Versions {
	return &updater.Versions{Dir: filepath.Join(a.cfg.State, "versions"), Now: a.cfg.Now}
}

// updates is the task that looks for newer versions.
func (a *agent) updates(ctx context.Context) error {
	if a.cfg.UpdateEvery == 0 {
		return nil
	}
	root, err := os.ReadFile(updateRoot(a.cfg.State))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		a.cfg.Log.Error("the root of trust of updates cannot be read; there are no updates", "error", err)
		return nil
	}
	u := &updater.Updater{Versions: a.versions(), Trust: filepath.Join(a.cfg.State, "updates"), Root: root, Version: buildinfo.Get().Version,
		Every: a.cfg.UpdateEvery, Random: mathrand.Float64, Log: a.cfg.Log, Now: a.cfg.Now, Try: tryProgram,
		LastAck: func() time.Time { return a.client.Status().LastAck },
		Open: func(ctx context.Context) (updater.Channel, error) {
			return uplink.OpenUpdates(ctx, a.cfg.State, a.cfg.Now)
		},
	}
	return u.Run(ctx)
}

// updateRoot is where a root of trust may be put on a machine beforehand.
func updateRoot(state string) string {
	if state == defaultState() {
		return filepath.Join(filepath.Dir(defaultConfig()), "update-root.json")
	}
	return filepath.Join(state, "update-root.json")
}

// tryProgram runs a new program to see that it can, and is what it should be.
func tryProgram(ctx context.Context, program, version string) error {
	out, err := command.Run(ctx, command.Command{Path: program, Args: []string{"version", "--output", "json"}, Timeout: 30 * time.Second})
	if err != nil {
		return err
	}
	var info buildinfo.Info
	if err := json.Unmarshal(out, &info); err != nil || info.Version != version {
		return fmt.Errorf("it says that it is version %q, not %q", info.Version, version)
	}
	return nil
}

// other returns the program that is to run in place of this one; empty: this one.
func (c *runCmd) other(s *session) string {
	if c.Once || os.Getenv(launcherVar) != "" {
		return ""
	}
	v := &updater.Versions{Dir: filepath.Join(c.State, "versions"), Now: s.now}
	path, err := v.Choose(buildinfo.Get().Version)
	if err != nil {
		s.log.Error("which version is to run is not known; this one does", "error", err)
	}
	return path
}
