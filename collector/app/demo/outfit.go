package demo

import (
	"slices"
	"strings"
	"time"

	"vigia/internal/inventory"
)

// outfitter puts programs on machines.
type outfitter struct {
	cat   *catalogue
	pool  *pool
	from  time.Time
	ready map[string]*track // by what makes it one: distribution, name, login
	linux map[string][]linuxPkg
}

// linuxPkg is a package of a distribution, ready to be installed.
type linuxPkg struct {
	*track
	groups    string
	requested bool
}

func newOutfitter(cat *catalogue, from time.Time) *outfitter {
	o := &outfitter{cat: cat, pool: newPool(), from: from, ready: map[string]*track{}, linux: map[string][]linuxPkg{}}
	for _, distribution := range []string{debian, ubuntu} {
		o.linux[distribution] = o.distribution(distribution)
	}
	return o
}

// distribution returns its packages: those of Debian, with the distribution's own
// versions where it has them.
func (o *outfitter) distribution(name string) []linuxPkg {
	updates := o.cat.updates[name]
	var out []linuxPkg
	taken := map[string]bool{}
	add := func(p pkg) {
		taken[p.name] = true
		versions := updates[p.name]
		if versions == nil {
			versions = []string{p.version}
		}
		progs := make([]progID, len(versions))
		for i, v := range versions {
			progs[i] = o.pool.id(debProgram(name, p, v))
		}
		out = append(out, linuxPkg{track: newTrack(o.from, progs, salt(family(p.name))), groups: p.groups, requested: p.requested})
	}
	for _, p := range o.cat.packages {
		if name == ubuntu && (strings.HasPrefix(p.name, "firefox-esr") || strings.HasPrefix(p.name, "task-")) {
			continue // Ubuntu has its browser as a snap
		}
		add(p)
	}
	var own []string
	for n := range updates {
		if !taken[n] && name == ubuntu {
			own = append(own, n)
		}
	}
	slices.Sort(own)
	for _, n := range own {
		groups := "b"
		if strings.HasPrefix(n, "postgresql") || n == "nginx" {
			groups = "s"
		}
		add(pkg{name: n, publisher: "Ubuntu Developers", groups: groups, requested: n == "ubuntu-desktop"})
	}
	return out
}

func debProgram(distribution string, p pkg, version string) inventory.Program {
	x := inventory.Program{Name: p.name, Version: version, Publisher: p.publisher, Origin: "Debian", Source: "deb",
		Scope: inventory.ScopeMachine, Arch: "amd64", Base: p.base, Requested: p.requested && !p.base}
	if p.all {
		x.Arch = "all"
	}
	if distribution == ubuntu {
		x.Origin, x.Publisher = "Ubuntu", "Ubuntu Developers"
	}
	return x
}

// product returns the track of a product for a machine's user.
func (o *outfitter) product(p *product, user string) *track {
	personal := strings.Contains(p.path, "{user}")
	key := p.source + "|" + p.name + "|" + p.publisher
	if personal {
		key += "|" + user
	}
	if t := o.ready[key]; t != nil {
		return t
	}
	progs := make([]progID, len(p.versions))
	for i, v := range p.versions {
		progs[i] = o.pool.id(productProgram(p, v, user, personal))
	}
	t := newTrack(o.from, progs, salt(family(p.name)))
	o.ready[key] = t
	return t
}

func productProgram(p *product, version, user string, personal bool) inventory.Program {
	x := inventory.Program{Name: p.name, Version: version, Publisher: p.publisher, Origin: p.origin, Source: p.source,
		Scope: inventory.ScopeMachine, Path: strings.ReplaceAll(p.path, "{user}", user), Requested: true}
	if personal {
		x.Scope, x.User = inventory.ScopeUser, user
	}
	switch p.source {
	case "deb":
		x.Arch = "amd64"
	case "snap":
		x.Hidden = p.name == "bare" || p.name == "snapd" || strings.HasPrefix(p.name, "core") || strings.HasPrefix(p.name, "gnome-") || strings.HasPrefix(p.name, "gtk-common")
	case "flatpak":
		x.Arch, x.Hidden = "x86_64", strings.HasSuffix(p.name, ".Platform")
	case "file":
		x.SHA256 = fingerprint(p.name + version)
		if x.Scope == inventory.ScopeUser || strings.HasPrefix(x.Path, "/opt") {
			x.Arch = "amd64"
		}
	default:
		x.Arch = "x64"
		if strings.Contains(p.path, "(x86)") || strings.Contains(p.name, "(x86)") || strings.Contains(p.name, "x86 ") {
			x.Arch = "x86"
		}
	}
	x.Requested = !x.Hidden
	return x
}

// dress puts the first programs on m, as they are at a time.
func (o *outfitter) dress(m *machine, at time.Time) {
	m.list, m.tracks = nil, nil
	if m.windows() {
		o.dressWindows(m, at)
	} else {
		o.dressLinux(m, at)
	}
	m.list = slices.Clip(m.list)
	m.seal(o.pool)
}

// wear puts a track's newest program on m.
func (o *outfitter) wear(m *machine, t *track, at time.Time) {
	n := t.at(at.Add(-m.lags))
	since := m.built
	if n > 0 {
		since = later(m.built, t.since[n].Add(36*time.Hour+m.lags))
	}
	m.add(o.pool, nil, t.progs[n], since)
	if len(t.progs) > 1 {
		m.tracks = append(m.tracks, tracked{t, n})
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (o *outfitter) dressLinux(m *machine, at time.Time) {
	wanted := "b"
	if m.server() {
		wanted += "s"
	} else {
		wanted += "d" + bundles(m)
	}
	for i := range o.linux[m.os] {
		p := &o.linux[m.os][i]
		if strings.ContainsAny(p.groups, wanted) && (p.requested || strings.Contains(p.groups, "b") || !m.c.percent(2)) {
			o.wear(m, p.track, at)
		}
	}
	if m.server() {
		o.wearShare(m, "linux-desktop", at, "vigia-agent")
		return
	}
	o.wearShare(m, "linux-desktop", at, "")
	if m.os == ubuntu {
		o.wearShare(m, "ubuntu", at, "")
	}
	if m.c.percent(30) {
		o.wearShare(m, "linux-flatpak", at, "")
	}
}

// bundles are the further Debian packages of the work that is done at m.
func bundles(m *machine) string {
	switch work(m.area) {
	case "engineering":
		return "e" + one(m.c, []string{"", "v", "vo"})
	case "it":
		return "vo"
	}
	return one(m.c, []string{"", "", "o", "g"})
}

func (o *outfitter) dressWindows(m *machine, at time.Time) {
	for i := range o.cat.apps {
		a := &o.cat.apps[i]
		if a.new && m.os == windows10 || m.os == windowsSrv || m.c.percent(4) {
			continue
		}
		p := product{name: a.name, publisher: "Microsoft Corporation", origin: "Microsoft Store", source: "appx",
			path: `C:\Program Files\WindowsApps\` + a.name, versions: []string{a.version}}
		o.wear(m, o.product(&p, m.user), at)
	}
	if m.os == windowsSrv {
		o.wearShare(m, "windows-server", at, "")
		return
	}
	o.wearShare(m, "windows", at, "")
	o.wearShare(m, "windows-office", at, "")
	switch work(m.area) {
	case "finance":
		o.wearShare(m, "windows-finance", at, "")
	case "engineering", "it":
		o.wearShare(m, "windows-engineering", at, "")
	}
}

// wearShare gives m what falls to it of a group, or only what is named.
func (o *outfitter) wearShare(m *machine, group string, at time.Time, only string) {
	list := o.cat.products[group]
	for i := range list {
		if only != "" && list[i].name != only {
			continue
		}
		if m.c.percent(list[i].share) {
			o.wear(m, o.product(&list[i], m.user), at)
		}
	}
}

// alone draws something that a person installs without asking; nil where m has it.
func (o *outfitter) alone(m *machine) *track {
	group := "alone-linux"
	if m.windows() {
		group = "alone-windows"
	}
	list := o.cat.products[group]
	sum := 0
	for i := range list {
		sum += list[i].share
	}
	n := m.c.IntN(sum)
	for i := range list {
		if n -= list[i].share; n < 0 {
			return o.product(&list[i], m.user)
		}
	}
	return nil
}

// named returns the track of a program that people install by themselves.
func (o *outfitter) named(m *machine, name string) *track {
	for _, group := range []string{"alone-linux", "alone-windows"} {
		list := o.cat.products[group]
		for i := range list {
			if list[i].name == name {
				return o.product(&list[i], m.user)
			}
		}
	}
	return nil
}
