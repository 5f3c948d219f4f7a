package antivirus

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"vigia/agent/internal/rootfs"
)

// processes returns the names of running processes, as the kernel keeps them (comm).
// Command lines are not read.
func processes(root *rootfs.FS) (map[string]bool, error) {
	entries, err := root.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	running := make(map[string]bool)
	for _, e := range entries {
		if n := e.Name(); n[0] >= '0' && n[0] <= '9' {
			if comm := root.ReadText(path.Join("/proc", n, "comm")); comm != "" {
				running[comm] = true
			}
		}
	}
	return running, nil
}

// zone returns the zone that logs are written in: this machine's, or that of an image.
func zone(root *rootfs.FS, live bool) *time.Location {
	if live {
		return time.Local
	}
	b, err := root.ReadFile("/etc/localtime", 1<<20)
	if err != nil {
		return time.UTC
	}
	loc, err := time.LoadLocationFromTZData("image", b)
	if err != nil {
		return time.UTC
	}
	return loc
}

// engineVersion returns the upstream part of the version of Debian's clamav packages
// ("1.4.6+dfsg-1~deb12u1" is 1.4.6), or "" where dpkg does not know them.
func engineVersion(root *rootfs.FS) string {
	b, err := root.ReadFile("/var/lib/dpkg/status", 64<<20)
	if errors.Is(err, fs.ErrNotExist) || err != nil {
		return ""
	}
	for _, name := range [...]string{"clamav", "clamav-daemon", "clamav-freshclam"} {
		_, stanza, ok := bytes.Cut(b, []byte("\nPackage: "+name+"\n"))
		if !ok {
			continue
		}
		stanza, _, _ = bytes.Cut(stanza, []byte("\n\n"))
		_, version, ok := bytes.Cut(stanza, []byte("\nVersion: "))
		if !ok || !bytes.Contains(stanza, []byte(" installed\n")) {
			continue
		}
		version, _, _ = bytes.Cut(version, []byte("\n"))
		v := strings.TrimSpace(string(version))
		if _, after, ok := strings.Cut(v, ":"); ok {
			v = after
		}
		if i := strings.IndexAny(v, "+-~"); i > 0 {
			v = v[:i]
		}
		return v
	}
	return ""
}
