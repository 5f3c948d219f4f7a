package software

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

const flatpakSystem = "/var/lib/flatpak"

// Flatpak finds what flatpak installed for the whole machine and for each user.
//
// Name is the application's ID ("org.mozilla.firefox"), which never changes, while its
// display name does with language and release. Origin is the title of the remote it
// came from ("Flathub"), else the remote's name. Runtimes and extensions are Hidden and
// not Requested. InstalledAt is when the installed commit was put in place.
func Flatpak() probe.Probe {
	return probe.Probe{
		Source: "flatpak", Section: inventory.SectionSoftware, Timeout: 20 * time.Second,
		// flatpak touches .changed whenever it installed or removed something
		Watch:   []string{flatpakSystem + "/.changed", "/home/*/.local/share/flatpak/.changed", "/root/.local/share/flatpak/.changed"},
		Collect: collectFlatpak,
	}
}

func collectFlatpak(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
	root, err := rootfs.Open(env.Root)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	mounts, err := networkMounts(env)
	if err != nil {
		return 0, err
	}
	people, err := homes(root, mounts)
	if err != nil {
		return 0, err
	}
	places := []home{{path: flatpakSystem}}
	for _, h := range people {
		places = append(places, home{path.Join(h.path, ".local/share/flatpak"), h.user})
	}
	before, found := len(part.Software), false
	var errs error
	for _, place := range places {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if _, err := root.Stat(place.path); missing(err) {
			continue
		}
		found = true
		list, err := flatpakIn(root, place)
		part.Software = append(part.Software, list...)
		errs = errors.Join(errs, err)
	}
	if !found {
		return 0, absent(flatpakSystem)
	}
	if errs != nil {
		errs = fmt.Errorf("%w: %w", probe.ErrPartial, errs)
	}
	return len(part.Software) - before, errs
}

// flatpakIn reads one installation.
func flatpakIn(root *rootfs.FS, place home) ([]inventory.Program, error) {
	titles, err := flatpakRemotes(root, place.path)
	if err != nil {
		return nil, err
	}
	var list []inventory.Program
	for _, kind := range [...]string{"app", "runtime"} {
		dirs, err := root.Glob(path.Join(place.path, kind, "*/*/*"))
		if err != nil {
			return nil, err
		}
		for _, dir := range dirs {
			p, err := flatpakProgram(root, dir, titles)
			if missing(err) { // an uninstalled branch leaves its folder for a while
				continue
			}
			if err != nil {
				return list, err
			}
			p.Scope, p.User = inventory.ScopeMachine, place.user
			if place.user != "" {
				p.Scope = inventory.ScopeUser
			}
			p.Requested, p.Hidden = kind == "app", kind == "runtime"
			list = append(list, p)
		}
	}
	return list, nil
}

// flatpakProgram reads what is active in dir, the folder of one branch.
func flatpakProgram(root *rootfs.FS, dir string, titles map[string]string) (inventory.Program, error) {
	active := path.Join(dir, "active")
	file := path.Join(active, "deploy")
	info, err := root.Stat(file)
	if err != nil {
		return inventory.Program{}, err
	}
	b, err := root.ReadFile(file, maxSmallFile)
	if err != nil {
		return inventory.Program{}, err
	}
	d, err := ParseDeploy(b)
	if err != nil {
		return inventory.Program{}, fmt.Errorf("flatpak: %s: %w", file, err)
	}
	branch, arch, id := path.Base(dir), path.Base(path.Dir(dir)), path.Base(path.Dir(path.Dir(dir)))
	about := flatpakAbout(root, active, id)
	p := inventory.Program{
		Name: id, Version: d.Version, Publisher: about.Developer, Origin: d.Remote, Source: "flatpak",
		Path: dir, Arch: arch, InstalledAt: info.ModTime().UTC(),
	}
	if p.Version == "" {
		p.Version = about.Version
	}
	if p.Version == "" {
		p.Version = branch
	}
	if title := titles[d.Remote]; title != "" {
		p.Origin = title
	}
	return p, nil
}

// flatpakAbout reads the AppStream file that an application brings.
func flatpakAbout(root *rootfs.FS, active, id string) appstream {
	for _, name := range [...]string{"metainfo/" + id + ".metainfo.xml", "metainfo/" + id + ".appdata.xml", "appdata/" + id + ".appdata.xml"} {
		if b, err := root.ReadFile(path.Join(active, "files/share", name), maxSmallFile); err == nil {
			return ParseMetainfo(b)
		}
	}
	return appstream{}
}

// flatpakRemotes returns the titles of the remotes an installation knows.
func flatpakRemotes(root *rootfs.FS, dir string) (map[string]string, error) {
	b, err := root.ReadFile(path.Join(dir, "repo/config"), maxSmallFile)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("flatpak: %w", err)
	}
	titles := make(map[string]string)
	err = ParseKeyFile(bytes.NewReader(b), func(group, key, value string) {
		var name string
		if n, _ := fmt.Sscanf(group, "remote %q", &name); n == 1 && key == "xa.title" {
			titles[name] = value
		}
	})
	return titles, err
}
