// Package buildinfo tells which build of Vigía this is. It refuses to know anything
// about the machine it runs on.
package buildinfo

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set by the linker and never changed at run time:
// -ldflags "-X vigia/internal/buildinfo.version=1.2.3 -X …commit=… -X …date=…".
var version, commit, date string

// Info describes one build.
type Info struct {
	Version string `json:"version"` // "1.2.3", or "dev" where nobody said
	Commit  string `json:"commit"`  // hex, with "-dirty" when the tree had changes; empty when unknown
	Date    string `json:"date"`    // RFC 3339 of the commit or build; empty when unknown
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// Get returns the build of the running program: what the linker was told, else what
// the Go toolchain recorded of the version control system.
func Get() Info {
	info := Info{Version: version, Commit: commit, Date: date, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if b, ok := debug.ReadBuildInfo(); ok {
		info.fill(b)
	}
	if info.Version == "" {
		info.Version = "dev"
	}
	return info
}

// fill sets what is still empty from what the toolchain recorded.
func (i *Info) fill(b *debug.BuildInfo) {
	s := make(map[string]string, len(b.Settings))
	for _, kv := range b.Settings {
		s[kv.Key] = kv.Value
	}
	if i.Commit == "" {
		i.Commit = s["vcs.revision"]
		if i.Commit != "" && s["vcs.modified"] == "true" {
			i.Commit += "-dirty"
		}
	}
	if i.Date == "" {
		i.Date = s["vcs.time"]
	}
}

// Version returns the version alone, for protocol messages.
func Version() string { return Get().Version }

// Commit returns the commit alone; empty when unknown.
func Commit() string { return Get().Commit }

// Date returns the date alone; empty when unknown.
func Date() string { return Get().Date }

// String returns one line for --version: "1.2.3 (commit 0123456789ab, 2026-11-23T…, go1.26.8 linux/amd64)".
func String() string { return Get().String() }

// String returns i in one line.
func (i Info) String() string {
	c, d := i.Commit, i.Date
	if len(c) > 12 && len(c) != 12+len("-dirty") {
		short := c[:12]
		if len(c) > 6 && c[len(c)-6:] == "-dirty" {
			short += "-dirty"
		}
		c = short
	}
	if c == "" {
		c = "unknown"
	}
	if d == "" {
		d = "date unknown"
	}
	return fmt.Sprintf("%s (commit %s, %s, %s %s/%s)", i.Version, c, d, i.Go, i.OS, i.Arch)
}
