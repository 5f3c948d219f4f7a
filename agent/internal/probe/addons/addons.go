// Package addons owns the sources that tell what people add to programs, on every
// system: extensions of browsers of the Chromium family ("chromium"), of Firefox and
// Thunderbird ("firefox"), of editors of the VS Code family ("vscode"), packages of
// Python ("pip") and Node.js ("npm"), and what Chocolatey and Scoop installed. It reads
// the files that these programs keep, never starts them, and tells nothing of a
// person's browsing: names, versions and makers alone.
package addons

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// Home is the folder of one account, as rootfs names it.
type Home struct{ Path, User string }

// Places is where to look.
type Places struct {
	// Homes lists those of people; none on a network.
	Homes func(env *probe.Env, root *rootfs.FS) ([]Home, error)
	// Top stands in globs for all of them, to be watched: "/home/*".
	Top []string
	// Show turns a path of rootfs into the system's own way.
	Show func(string) string
	// Windows tells which layout applies.
	Windows bool
}

const (
	maxManifest = 2 << 20
	maxEntries  = 5_000 // of one source
)

// Probes returns the probes of this package.
func Probes(p Places) []probe.Probe {
	list := []probe.Probe{
		p.probe("chromium", p.collectChromium, chromiumWatch(p)...),
		p.probe("firefox", p.collectFirefox, firefoxWatch(p)...),
		p.probe("vscode", p.collectVSCode, vscodeWatch(p)...),
		p.probe("pip", p.collectPip, pipWatch(p)...),
		p.probe("npm", p.collectNpm, npmWatch(p)...),
	}
	if p.Windows {
		list = append(list,
			p.probe("chocolatey", p.collectChocolatey, "/C:/ProgramData/chocolatey/lib/*"),
			p.probe("scoop", p.collectScoop, p.below("scoop/apps/*")...))
	}
	return list
}

// found gathers what a source finds.
type found struct {
	root     *rootfs.FS
	show     func(string) string
	source   string
	programs []inventory.Program
	present  bool // the program that is added to is there
	errs     []error
}

func (p Places) probe(source string, collect func(*found, Home), watch ...string) probe.Probe {
	return probe.Probe{
		Source: source, Section: inventory.SectionSoftware, Timeout: 20 * time.Second, Watch: watch,
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			root, err := rootfs.Open(env.Root)
			if err != nil {
				return 0, err
			}
			defer root.Close()
			homes, err := p.Homes(env, root)
			if err != nil {
				return 0, err
			}
			f := &found{root: root, show: p.Show, source: source}
			for _, h := range append([]Home{{}}, homes...) { // the first is the machine itself
				if err := ctx.Err(); err != nil {
					return 0, err
				}
				collect(f, h)
			}
			part.Software = f.programs
			switch {
			case len(f.errs) > 0:
				return len(f.programs), fmt.Errorf("%w: %w", probe.ErrPartial, errors.Join(f.errs[:min(len(f.errs), 5)]...))
			case !f.present && len(f.programs) == 0:
				return 0, fmt.Errorf("%s: %w", source, probe.ErrAbsent)
			}
			return len(f.programs), nil
		},
	}
}

// below names a glob in every home.
func (p Places) below(names ...string) []string {
	var globs []string
	for _, top := range p.Top {
		for _, n := range names {
			globs = append(globs, top+"/"+n)
		}
	}
	return globs
}

// glob lists what matches; what cannot be read matches nothing.
func (f *found) glob(pattern string) []string {
	list, err := f.root.Glob(pattern)
	if err != nil {
		f.errs = append(f.errs, err)
	}
	return list
}

// read reads a file; one that is not there, or not for us, is none.
func (f *found) read(name string) ([]byte, bool) {
	b, err := f.root.ReadFile(name, maxManifest)
	if err == nil {
		return b, true
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, rootfs.ErrNotRegular) {
		f.errs = append(f.errs, err)
	}
	return nil, false
}

// add adds a program of h.
func (f *found) add(h Home, p inventory.Program, at string) {
	if p.Name == "" || len(f.programs) >= maxEntries {
		return
	}
	p.Source, p.Scope, p.User, p.Path = f.source, inventory.ScopeMachine, h.User, f.show(at)
	if h.User != "" {
		p.Scope = inventory.ScopeUser
	}
	if info, err := f.root.Stat(at); err == nil && p.InstalledAt.IsZero() {
		p.InstalledAt = info.ModTime().UTC().Truncate(time.Second)
	}
	f.programs = append(f.programs, p)
}

// text is a JSON value that is text; anything else is none, and costs nothing else.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
	}
	return nil
}

// person is an author as package.json and manifests name one: text, or an object.
type person string

func (p *person) UnmarshalJSON(b []byte) error {
	var s string
	var o struct{ Name, Email text }
	if json.Unmarshal(b, &s) == nil {
		*p = person(strings.TrimSpace(strings.SplitN(s, "<", 2)[0]))
	} else if json.Unmarshal(b, &o) == nil {
		*p = person(o.Name)
	}
	return nil
}

// newest returns the name whose dotted numbers are greatest.
func newest(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return slices.MaxFunc(names, func(a, b string) int { return compareDotted(path.Base(a), path.Base(b)) })
}

func compareDotted(a, b string) int {
	split := func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) }
	x, y := split(a), split(b)
	for i := range min(len(x), len(y)) {
		m, n := strings.TrimLeft(x[i], "0"), strings.TrimLeft(y[i], "0")
		if len(m) != len(n) {
			return len(m) - len(n)
		}
		if c := strings.Compare(m, n); c != 0 {
			return c
		}
	}
	return len(x) - len(y)
}
