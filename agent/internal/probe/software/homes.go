package software

import (
	"bufio"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
)

// home is the folder of one account.
type home struct{ path, user string }

// Home is the folder of one account, for sources of other packages.
type Home struct{ Path, User string }

// Homes returns the homes of people that are not on a network.
func Homes(env *probe.Env, root *rootfs.FS) ([]Home, error) {
	mounts, err := networkMounts(env)
	if err != nil {
		return nil, err
	}
	list, err := homes(root, mounts)
	if err != nil {
		return nil, err
	}
	all := make([]Home, 0, len(list))
	for _, h := range list {
		all = append(all, Home{h.path, h.user})
	}
	return all, nil
}

// passwdEntry is one line of passwd(5), as far as it is used here.
type passwdEntry struct {
	name, home string
	uid        int
}

// ParsePasswd reads passwd(5). Lines that make no sense are passed over, as the C
// library does.
func ParsePasswd(r io.Reader) ([]passwdEntry, error) {
	var list []passwdEntry
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		f := strings.Split(sc.Text(), ":")
		if len(f) != 7 || f[0] == "" || !path.IsAbs(f[5]) {
			continue
		}
		if uid, err := strconv.Atoi(f[2]); err == nil && uid >= 0 {
			list = append(list, passwdEntry{name: f[0], home: path.Clean(f[5]), uid: uid})
		}
	}
	return list, sc.Err()
}

// homes returns the homes of people: those of root and of accounts from 1000 on
// (UID_MIN of login.defs) in passwd, and every other folder in /home, which belongs to
// accounts of a directory service and bears their name. Sorted by path. Those on a
// network or FUSE file system (mounts) are left out without being touched: they may
// hang, and belong to more than one machine.
func homes(root *rootfs.FS, mounts map[string]bool) ([]home, error) {
	byPath := make(map[string]string)
	f, err := root.Open("/etc/passwd")
	if err == nil {
		defer f.Close()
		list, err := ParsePasswd(io.LimitReader(f, maxSmallFile))
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if (e.uid == 0 || (e.uid >= 1000 && e.uid < 65534)) && strings.Count(e.home, "/") > 0 && e.home != "/" && byPath[e.home] == "" {
				byPath[e.home] = e.name
			}
		}
	} else if !missing(err) {
		return nil, err
	}
	var entries []fs.DirEntry
	if !onMount("/home", mounts) {
		if entries, err = root.ReadDir("/home"); err != nil && !missing(err) {
			return nil, err
		}
	}
	for _, e := range entries {
		if p := path.Join("/home", e.Name()); e.IsDir() && byPath[p] == "" && e.Name() != "lost+found" {
			byPath[p] = e.Name()
		}
	}
	var list []home
	for p, user := range byPath {
		if onMount(p, mounts) {
			continue
		}
		if info, err := root.Lstat(p); err == nil && info.IsDir() {
			list = append(list, home{p, user})
		}
	}
	slices.SortFunc(list, func(a, b home) int { return strings.Compare(a.path, b.path) })
	return list, nil
}

// onMount reports whether p is one of the mounts, or lies in one.
func onMount(p string, mounts map[string]bool) bool {
	for ; p != "/" && p != "."; p = path.Dir(p) {
		if mounts[p] {
			return true
		}
	}
	return false
}

// networkMounts returns the places of network and FUSE file systems; none in an image,
// where nothing is mounted.
func networkMounts(env *probe.Env) (map[string]bool, error) {
	if !env.Live() {
		return nil, nil
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("finding network file systems: %w", err)
	}
	return ParseMountInfo(string(text)), nil
}
