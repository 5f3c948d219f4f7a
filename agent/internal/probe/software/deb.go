package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

const (
	dpkgStatus     = "/var/lib/dpkg/status"
	dpkgStatusDir  = "/var/lib/dpkg/status.d" // distroless images: one file per package
	dpkgInfoDir    = "/var/lib/dpkg/info"
	extendedStates = "/var/lib/apt/extended_states"
	debOriginFile  = "deb-origins"
)

// Deb finds the packages that dpkg installed.
//
// Requested is true unless apt marked the package as a dependency or it is part of the
// base system (essential, or of priority required, important or standard: Base). The
// origin is that of the apt list which holds the installed version, else that of a list
// which holds a newer one of the same maintainer, else that of the system's vendor
// where its lists are not there and the package names it; a package nobody lists, such
// as a .deb installed by hand, has none. InstalledAt is when dpkg last wrote the
// package's list of files, so an upgrade moves it.
func Deb() probe.Probe {
	return probe.Probe{
		Source: "deb", Section: inventory.SectionSoftware, Timeout: 30 * time.Second,
		Watch:   []string{dpkgStatus, dpkgStatusDir + "/*", extendedStates},
		Collect: collectDeb,
	}
}

func collectDeb(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
	root, err := rootfs.Open(env.Root)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	pkgs, readErr := readDpkg(root)
	if readErr != nil && len(pkgs) == 0 {
		return 0, readErr
	}
	auto, err := readExtendedStates(root)
	if err != nil {
		return 0, err
	}
	cache := cacheFile(env, debOriginFile)
	if !env.Live() { // what was learned of the host says nothing about an image
		cache = ""
	}
	origins, err := findOrigins(ctx, root, cache, pkgs)
	if err != nil {
		return 0, err
	}
	native := nativeArch(pkgs)
	before := len(part.Software)
	for i, p := range pkgs {
		part.Software = append(part.Software, debProgram(root, p, origins[i].name, native, auto))
	}
	if readErr != nil {
		readErr = fmt.Errorf("%w: %w", probe.ErrPartial, readErr)
	}
	return len(part.Software) - before, readErr
}

// debProgram turns a package into an entry.
func debProgram(root *rootfs.FS, p *DebPackage, origin, native string, auto map[string]bool) inventory.Program {
	name := p.Name
	if p.Arch != native && p.Arch != "all" && native != "" {
		name += ":" + p.Arch
	}
	base := p.Essential
	switch p.Priority {
	case "required", "important", "standard":
		base = true
	}
	arch := p.Arch
	if arch == "all" { // apt files these under the native architecture
		arch = native
	}
	return inventory.Program{
		Name: name, Version: p.Version, Publisher: publisher(p.Maintainer), Origin: origin,
		Source: "deb", Scope: inventory.ScopeMachine, Arch: p.Arch,
		InstalledAt: debInstalledAt(root, p), Base: base,
		Requested: !base && !auto[p.Name+":"+arch] && !auto[p.Name+":"+p.Arch],
	}
}

// debInstalledAt is the time of the package's list of files; zero where there is none.
func debInstalledAt(root *rootfs.FS, p *DebPackage) time.Time {
	names := [2]string{p.Name, p.Name + ":" + p.Arch}
	if p.MultiArchSame {
		names[0], names[1] = names[1], names[0]
	}
	for _, name := range names {
		if info, err := root.Lstat(dpkgInfoDir + "/" + name + ".list"); err == nil {
			return info.ModTime().UTC()
		}
	}
	return time.Time{}
}

// nativeArch is the architecture of dpkg itself, else of most packages.
func nativeArch(pkgs []*DebPackage) string {
	count, best := make(map[string]int), ""
	for _, p := range pkgs {
		if p.Name == "dpkg" && p.Arch != "all" {
			return p.Arch
		}
		if p.Arch != "all" && p.Arch != "" {
			if count[p.Arch]++; count[p.Arch] > count[best] {
				best = p.Arch
			}
		}
	}
	return best
}

// readDpkg reads the database and the folder of single entries. It returns what it
// could read together with an error that says what it could not.
func readDpkg(root *rootfs.FS) ([]*DebPackage, error) {
	var pkgs []*DebPackage
	keep := func(p *DebPackage) {
		if p.OnDisk() {
			held := *p
			pkgs = append(pkgs, &held)
		}
	}
	err := readStatusFile(root, dpkgStatus, true, keep)
	singles, dirErr := root.ReadDir(dpkgStatusDir)
	if missing(err) && missing(dirErr) {
		return nil, absent(dpkgStatus)
	}
	if missing(err) {
		err = nil
	}
	for _, e := range singles {
		if e.Type()&fs.ModeType == 0 && path.Ext(e.Name()) != ".md5sums" {
			err = errors.Join(err, readStatusFile(root, path.Join(dpkgStatusDir, e.Name()), false, keep))
		}
	}
	return pkgs, err
}

func readStatusFile(root *rootfs.FS, name string, whole bool, keep func(*DebPackage)) error {
	f, err := root.Open(name)
	if err != nil {
		return fmt.Errorf("dpkg: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > maxDatabase {
		return fmt.Errorf("dpkg: %s: %d bytes, at most %d are read", name, info.Size(), maxDatabase)
	}
	if !whole { // such a file says nothing of its state: being there is being installed
		keep = asInstalled(keep)
	}
	refusals, err := ParseStatus(f, whole, keep)
	if err != nil {
		return fmt.Errorf("dpkg: %s: %w", name, err)
	}
	return refusals.Err(name)
}

func asInstalled(keep func(*DebPackage)) func(*DebPackage) {
	return func(p *DebPackage) {
		if p.State == "" {
			p.State = "installed"
		}
		keep(p)
	}
}

func readExtendedStates(root *rootfs.FS) (map[string]bool, error) {
	f, err := root.Open(extendedStates)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("apt: %w", err)
	}
	defer f.Close()
	auto, err := ParseExtendedStates(f)
	if err != nil {
		return nil, fmt.Errorf("apt: %s: %w", extendedStates, err)
	}
	return auto, nil
}
