package software

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"

	"vigia/agent/internal/rootfs"
	"vigia/internal/fsatomic"
)

// originCache is what an earlier run found out: one line per installed version. It
// makes later runs free, and keeps the origin of a version that left the lists. It
// holds nothing secret, and where it is lost or spoilt it is made again.
const originCacheHead = "vigia deb origins 1 "

// maxOriginCache bounds the cache file, in bytes.
const maxOriginCache = 16 << 20

// findOrigins tells the origin of each package. Lists are read only where a package
// has no exact answer in the cache and the lists changed since.
func findOrigins(ctx context.Context, root *rootfs.FS, cache string, pkgs []*DebPackage) ([]debOrigin, error) {
	lists, err := aptLists(root)
	if err != nil {
		return nil, err
	}
	vendor, domains := systemVendor(root)
	print := fingerprint(lists, vendor)
	known, same := readOriginCache(cache, print)
	wants := make([]originWant, len(pkgs))
	var open []*originWant
	for i, p := range pkgs {
		o, ok := known[originKey(p)]
		wants[i] = originWant{p, o}
		if !ok || (!same && o.sure < originExact) {
			open = append(open, &wants[i])
		}
	}
	if len(open) > 0 {
		all, err := newOriginFinder(vendor, open).read(ctx, root, lists)
		if err != nil {
			return nil, err
		}
		if !all {
			print += " incomplete" // equals no later fingerprint
		}
		vendorWord(open, lists, vendor, domains)
	}
	found := make([]debOrigin, len(pkgs))
	for i := range wants {
		found[i] = wants[i].debOrigin
	}
	if cache != "" && (len(open) > 0 || !same || len(known) != len(pkgs)) {
		err = writeOriginCache(cache, print, pkgs, found)
	}
	return found, err
}

// vendorWord gives packages without an origin the vendor's, where they say they are
// the vendor's and no list of the vendor is there to tell otherwise.
func vendorWord(open []*originWant, lists []aptList, vendor string, domains []string) {
	for _, l := range lists {
		if l.origin == vendor {
			return
		}
	}
	for _, w := range open {
		if w.sure == originNone && vendorMade(w.pkg, domains) {
			w.debOrigin = debOrigin{vendor, originVendor}
		}
	}
}

// systemVendor reads os-release: the Origin its vendor uses, and the vendor's domains.
// An unknown derivative takes the nearest known system it is like.
func systemVendor(root *rootfs.FS) (string, []string) {
	text, err := root.ReadFile("/etc/os-release", maxSmallFile)
	if err != nil {
		text, err = root.ReadFile("/usr/lib/os-release", maxSmallFile)
	}
	if err != nil {
		return "", nil
	}
	ids := [2]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, `"'`)
		switch key {
		case "ID":
			ids[0] = value
		case "ID_LIKE":
			ids[1] = value
		}
	}
	for _, id := range strings.Fields(ids[0] + " " + ids[1]) {
		if origin, domains := vendorOf(id); origin != "" {
			return origin, domains
		}
	}
	return "", nil
}

func originKey(p *DebPackage) string { return p.Name + "\t" + p.Arch + "\t" + p.Version }

// readOriginCache returns what file holds, and whether it was made from the lists with
// this fingerprint. A file that cannot be used is as good as none.
func readOriginCache(file, print string) (map[string]debOrigin, bool) {
	known := make(map[string]debOrigin)
	if file == "" {
		return known, false
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxOriginCache {
		return known, false
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return known, false
	}
	head, body, _ := strings.Cut(string(text), "\n")
	was, ok := strings.CutPrefix(head, originCacheHead)
	if !ok {
		return known, false
	}
	for line := range strings.Lines(body) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 5 || len(f[4]) != 1 || f[4][0] < '0'+originNone || f[4][0] > '0'+originExact {
			continue
		}
		known[f[0]+"\t"+f[1]+"\t"+f[2]] = debOrigin{f[3], int(f[4][0] - '0')}
	}
	return known, was == print
}

// writeOriginCache keeps the installed versions only, so that the file cannot grow
// without end. A version with a tab or line feed is simply not found again.
func writeOriginCache(file, print string, pkgs []*DebPackage, found []debOrigin) error {
	var b bytes.Buffer
	b.WriteString(originCacheHead + print + "\n")
	for i, p := range pkgs {
		fmt.Fprintf(&b, "%s\t%s\t%d\n", originKey(p), found[i].name, found[i].sure)
	}
	if err := fsatomic.WriteFile(file, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("keeping the origins of packages: %w", err)
	}
	return nil
}
