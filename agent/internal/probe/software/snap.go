package software

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

const (
	snapStateFile  = "/var/lib/snapd/state.json"
	snapAssertions = "/var/lib/snapd/assertions/asserts-v0"
)

// Snap finds what snapd installed, from its state and each snap's own description,
// which is readable while the snap is mounted.
//
// Version is the snap's own followed by nothing, or its revision ("rev 4173") where the
// snap is not mounted, as in an image. Origin is "snapcraft" for what the store signed
// and empty for a snap installed from a file. Publisher is the store account's display
// name. Bases, kernels, gadgets, snapd itself and snaps without anything to start
// (content providers such as gnome-42-2204) are Hidden and not Requested.
func Snap() probe.Probe {
	return probe.Probe{
		Source: "snap", Section: inventory.SectionSoftware, Timeout: 20 * time.Second,
		Watch:   []string{snapStateFile},
		Collect: collectSnap,
	}
}

func collectSnap(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
	root, err := rootfs.Open(env.Root)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	f, err := root.Open(snapStateFile)
	if missing(err) {
		return 0, absent(snapStateFile)
	}
	if err != nil {
		return 0, fmt.Errorf("snapd: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > maxDatabase {
		return 0, fmt.Errorf("snapd: %s: %d bytes, at most %d are read", snapStateFile, info.Size(), maxDatabase)
	}
	snaps, err := ParseSnapState(f)
	if err != nil {
		return 0, fmt.Errorf("snapd: %s: %w", snapStateFile, err)
	}
	for name, s := range snaps {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		part.Software = append(part.Software, snapProgram(root, name, s))
	}
	return len(snaps), nil
}

func snapProgram(root *rootfs.FS, name string, s snapState) inventory.Program {
	p := inventory.Program{
		Name: name, Version: "rev " + string(s.Current), Source: "snap", Scope: inventory.ScopeMachine,
		Path: path.Join("/snap", name),
	}
	for _, rev := range s.Sequence {
		if rev.Revision == s.Current && rev.SnapID != "" {
			p.Origin, p.Publisher = "snapcraft", snapPublisher(root, rev.SnapID)
		}
	}
	support := s.Type != "app" && s.Type != ""
	if b, err := root.ReadFile(path.Join(p.Path, string(s.Current), "meta/snap.yaml"), maxSmallFile); err == nil {
		if y, err := ParseSnapYAML(bytes.NewReader(b)); err == nil {
			if y.Version != "" {
				p.Version = y.Version
			}
			support = support || !y.HasApps
		}
	}
	if info, err := root.Stat(path.Join("/var/lib/snapd/snaps", name+"_"+string(s.Current)+".snap")); err == nil {
		p.InstalledAt = info.ModTime().UTC()
	}
	p.Requested, p.Hidden = !support, support
	return p
}

// snapPublisher follows a snap's declaration to the account behind it, as snapd keeps
// both on disk, signed by the store. Empty where either is not there.
func snapPublisher(root *rootfs.FS, snapID string) string {
	account := assertion(root, "snap-declaration/16/"+snapID, "publisher-id")
	if account == "" {
		return ""
	}
	return assertion(root, "account/"+account, "display-name")
}

// assertion returns one header of the assertion kept in dir, "active" or "active.N".
func assertion(root *rootfs.FS, dir, header string) string {
	if strings.Contains(dir, "..") || strings.ContainsAny(dir, `*?[\`) {
		return ""
	}
	files, err := root.Glob(path.Join(snapAssertions, dir, "active*"))
	if err != nil || len(files) == 0 {
		return ""
	}
	b, err := root.ReadFile(files[len(files)-1], maxSmallFile)
	if err != nil {
		return ""
	}
	headers, err := ParseAssertionHeaders(bytes.NewReader(b))
	if err != nil {
		return ""
	}
	return headers[header]
}
