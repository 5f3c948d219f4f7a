package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vigia/agent/internal/service"
	"vigia/internal/fsatomic"
)

type forgetCmd struct {
	State string `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	Yes   bool   `help:"Do it; without this flag it only tells what would be removed."`
	// For the Windows installer: an upgrade removes the old version, which must not take
	// the identity with it.
	Hold       bool `hidden:"" help:"Keep all through a removal with --unless-held within the next minutes."`
	UnlessHeld bool `hidden:"" help:"Remove nothing after --hold."`
	Await      bool `hidden:"" help:"Only wait until the agent has stopped: its file cannot be removed before."`
}

// holdFor is how long an upgrade may take from --hold to --unless-held.
const holdFor = 15 * time.Minute

func (c *forgetCmd) holdFile() string { return filepath.Join(c.State, "hold") }

// held reports whether the removal that is under way is part of an upgrade, and ends the hold.
func (c *forgetCmd) held(now time.Time) bool {
	info, err := os.Lstat(c.holdFile())
	if err != nil {
		return false
	}
	return os.Remove(c.holdFile()) == nil && now.Sub(info.ModTime()).Abs() < holdFor
}

func (*forgetCmd) Help() string {
	return `Reports that were not sent yet are lost, and the machine must be enrolled again. The collector
keeps its record of the machine. The agent must be stopped.

Examples:
  vigia-agent forget
  vigia-agent service stop && vigia-agent forget --yes`
}

func (c *forgetCmd) Run(s *session) error {
	entries, err := os.ReadDir(c.State)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		fmt.Fprintln(s.out, "nothing is kept here") // an installer gives no standard output
		return nil
	}
	if err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	if c.Hold {
		return fsatomic.WriteFile(c.holdFile(), nil, 0o600)
	}
	if c.UnlessHeld && c.held(s.now()) {
		return nil
	}
	if err := c.stopped(s.ctx); err != nil || c.Await {
		return err
	}
	if !c.ours() {
		return &exitError{ExitUsage, fmt.Errorf("--state %s: this is not an agent's folder; nothing is removed", c.State)}
	}
	if !c.Yes {
		fmt.Fprintf(s.out, "identity, spool and all else in %s would be removed; --yes does it\n", c.State)
		return nil
	}
	if err := os.RemoveAll(c.State); err != nil {
		return fmt.Errorf("removing: %w", err)
	}
	fmt.Fprintf(s.out, "removed %s\n", c.State)
	return nil
}

// stopped waits until no agent runs here, for an installer as long as one may take to stop.
func (c *forgetCmd) stopped(ctx context.Context) error {
	patience := time.Duration(0)
	if c.UnlessHeld || c.Await {
		patience = service.StopTimeout
	}
	for end := time.Now().Add(patience); ; {
		on, err := running(c.State)
		if err != nil || !on {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("an agent runs on %s: stop it first (vigia-agent service stop)", c.State)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// ours reports whether an agent made the folder.
func (c *forgetCmd) ours() bool {
	for _, name := range []string{"identity.json", "status.json", "spool", "token"} {
		if _, err := os.Lstat(filepath.Join(c.State, name)); err == nil {
			return true
		}
	}
	return false
}
