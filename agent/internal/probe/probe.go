// Package probe owns the contract between the agent and everything that looks at
// the machine, and the runner that gives each look a deadline, an outcome and a
// rest when it misbehaves. It refuses to know any particular source.
package probe

import (
	"context"
	"errors"
	"time"

	"vigia/internal/inventory"
)

// ErrAbsent says that this machine does not have the source at all: no such package
// manager, no such product. Wrap it to tell what was looked for.
var ErrAbsent = errors.New("not present on this machine")

// ErrPartial says that what Collect filled in is right, and that there is more which
// could not be read. The source stands as failed: an earlier whole result is carried on
// in its place (inventory.Carry), and where there is none these entries are better
// than nothing. Wrap it together with what was wrong.
var ErrPartial = errors.New("read in part")

// Env is what a probe may look at. It is passed by pointer and never changed.
type Env struct {
	// Root is the folder to read as "/". Anything but "/" is an image or chroot: then
	// nothing of the host may be read: no /proc, no /sys, no SMBIOS, no running
	// services, no environment.
	Root string
	// Now is the time of this inventory.
	Now time.Time
	// CacheDir is where a probe may keep what is costly to compute again (origins,
	// hashes), one file per probe; empty means nowhere.
	CacheDir string
	// Hash asks for the SHA-256 of executables; it costs reading them.
	Hash bool
}

// Live reports whether Root is the running system.
func (e *Env) Live() bool { return e.Root == "/" || e.Root == "" }

// Probe is one source. Collect fills part, a snapshot of its own, and returns how many
// entries it found. It returns ErrAbsent (wrapped) where the source does not exist,
// and any other error where it exists and could not be read in full; what it had
// filled in by then is thrown away by the runner, unless the error is ErrPartial.
// Collect must obey ctx.
type Probe struct {
	Source   string            // name in Snapshot.Sources; for software also Program.Source
	Section  inventory.Section // the section it fills
	Timeout  time.Duration     // its deadline; the runner gives up then
	LiveOnly bool              // makes sense only on the running system: absent under another root
	Watch    []string          // globs, absolute from Root, whose change wakes this probe; on Windows /C:/…
	Registry []string          // keys of a Windows registry whose change wakes it, with what is below: HKLM\… and HKU\*\…
	Collect  func(ctx context.Context, env *Env, part *inventory.Snapshot) (entries int, err error)
}
