package software

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// stanza makes an entry of a status file or list.
func stanza(name, version, maintainer string, more ...string) string {
	return "Package: " + name + "\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: " + maintainer + "\nVersion: " + version + "\n" +
		strings.Join(append(more, ""), "\n") + "\n"
}

const (
	team   = "Team <team@lists.debian.org>"
	vendor = "Example Inc <apps@example.com>"
)

// debImage is a Debian machine with two sources of packages.
func debImage(t *testing.T) image {
	img := newImage(t)
	img.write("etc/os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\n")
	img.write("var/lib/apt/lists/deb.example.org_debian_dists_stable_InRelease", "-----BEGIN PGP SIGNED MESSAGE-----\n\nOrigin: Debian\nLabel: Debian\nMD5Sum:\n")
	img.write("var/lib/apt/lists/deb.example.org_debian_dists_stable_main_binary-amd64_Packages.lz4", string(packed(t, []byte(
		stanza("dpkg", "1.22", team)+stanza("libssl3", "3.0.2-1", team)+stanza("editor", "2.0-1", team)+
			stanza("kernel-6.2-amd64", "6.2-1", team)+stanza("shared", "1.0", team)), "-B4", "-BD")))
	img.write("var/lib/apt/lists/apps.example.com_stable_Release", "Origin: Example Apps\n")
	img.write("var/lib/apt/lists/apps.example.com_stable_main_binary-amd64_Packages", stanza("app", "5.1", vendor)+stanza("shared", "1.0", vendor))
	img.write("var/lib/apt/lists/bare.example.com_._Packages", stanza("bare", "1", vendor))
	return img
}

func TestDebOrigins(t *testing.T) {
	for name, c := range map[string]struct {
		stanza, want string
	}{
		"the listed version":                   {stanza("editor", "2.0-1", team), "Debian"},
		"another vendor's":                     {stanza("app", "5.1", vendor), "Example Apps"},
		"a list without Release":               {stanza("bare", "1", vendor), "bare.example.com"},
		"older, same maintainer":               {stanza("app", "4.9", vendor), "Example Apps"},
		"older, another maintainer":            {stanza("app", "4.9", "Someone <x@example.net>"), ""},
		"newer than any list":                  {stanza("editor", "3.0-1", team), ""},
		"older library of the same family":     {stanza("libssl1.1", "1.1.1w-0", team), "Debian"},
		"older kernel":                         {stanza("kernel-6.1-amd64", "6.1-1", team), "Debian"},
		"family name of another maintainer":    {stanza("libssl9", "1.0", vendor), ""},
		"in no list":                           {stanza("homemade", "1.0", "Debian Friend <me@debian.org>"), ""},
		"in two lists, the system's own first": {stanza("shared", "1.0", vendor), "Debian"},
		"another architecture":                 {strings.Replace(stanza("editor", "2.0-1", team), "amd64", "i386", 1), ""},
	} {
		img := debImage(t)
		img.write("var/lib/dpkg/status", stanza("dpkg", "1.22", team)+c.stanza)
		for _, p := range img.collect(Deb()) {
			if p.Name != "dpkg" && p.Origin != c.want {
				t.Errorf("%s: origin %q, want %q", name, p.Origin, c.want)
			}
		}
	}
}

func TestDebOriginWithoutLists(t *testing.T) {
	img := newImage(t)
	img.write("etc/os-release", "ID=derived\nID_LIKE=\"something ubuntu debian\"\n")
	img.write("var/lib/dpkg/status", stanza("a", "1", "Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>")+
		stanza("b", "1", vendor)+stanza("c", "1", "Someone <x@example.net>", "Priority: required")+
		stanza("d", "1", "Forged <ubuntu.com@example.net>")+stanza("e", "1", "Nearly <x@notubuntu.com>"))
	got := map[string]string{}
	for _, p := range img.collect(Deb()) {
		got[p.Name] = p.Origin
	}
	for name, want := range map[string]string{"a": "Ubuntu", "b": "", "c": "Ubuntu", "d": "", "e": ""} {
		if got[name] != want {
			t.Errorf("%s: origin %q, want %q", name, got[name], want)
		}
	}
}

func TestDebFields(t *testing.T) {
	img := debImage(t)
	img.write("var/lib/dpkg/status", stanza("dpkg", "1.22", team, "Essential: yes")+
		stanza("editor", "2.0-1", team)+stanza("libssl3", "3.0.2-1", team, "Multi-Arch: same")+
		strings.Replace(stanza("libssl3", "3.0.2-1", team, "Multi-Arch: same"), "amd64", "i386", 1)+
		stanza("cron", "1", team, "Priority: standard")+
		strings.Replace(stanza("data", "1", vendor), "amd64", "all", 1)+
		strings.Replace(stanza("gone", "1", team), "ok installed", "ok config-files", 1)+
		strings.Replace(stanza("stuck", "1", team), "ok installed", "ok half-configured", 1))
	img.write("var/lib/apt/extended_states", "Package: libssl3\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: data\nArchitecture: amd64\nAuto-Installed: 1\n\n")
	img.write("var/lib/dpkg/info/libssl3:amd64.list", "/usr/lib/x\n")
	img.write("var/lib/dpkg/info/editor.list", "/usr/bin/editor\n")
	at := testNow.Add(-time.Hour)
	if err := os.Chtimes(img.path("var/lib/dpkg/info/libssl3:amd64.list"), at, at); err != nil {
		t.Fatal(err)
	}
	list := img.collect(Deb())
	wantNames(t, list, "dpkg", "editor", "libssl3", "libssl3:i386", "cron", "data", "stuck")
	if p := named(t, list, "dpkg"); p.Requested || !p.Base {
		t.Errorf("essential: %+v", p)
	}
	if p := named(t, list, "cron"); p.Requested || !p.Base {
		t.Errorf("standard: %+v", p)
	}
	want := inventory.Program{Name: "libssl3", Version: "3.0.2-1", Publisher: "Team", Origin: "Debian", Source: "deb", Scope: "machine", Arch: "amd64", InstalledAt: at}
	if p := named(t, list, "libssl3"); p != want {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if p := named(t, list, "editor"); !p.Requested || p.Base {
		t.Errorf("asked for: %+v", p)
	}
	if p := named(t, list, "data"); p.Requested || p.Arch != "all" {
		t.Errorf("a dependency for all architectures: %+v", p)
	}
	if p := named(t, list, "libssl3:i386"); !p.Requested {
		t.Errorf("the other architecture was asked for: %+v", p)
	}
}

func TestDebAbsentDistrolessAndBroken(t *testing.T) {
	img := newImage(t)
	if _, err := img.tryCollect(Deb()); !errors.Is(err, probe.ErrAbsent) {
		t.Errorf("no dpkg: %v", err)
	}
	img.write("var/lib/dpkg/status.d/base", strings.TrimRight(strings.Replace(stanza("base-files", "12", team), "Status: install ok installed\n", "", 1), "\n"))
	img.write("var/lib/dpkg/status.d/base.md5sums", "0 usr/x\n")
	wantNames(t, img.collect(Deb()), "base-files")

	img.write("var/lib/dpkg/status", stanza("a", "1", team)+"Package: b\x00\nStatus: install ok installed\nVersion: 1\n\n"+stanza("c", "1", team))
	list, err := img.tryCollect(Deb())
	if !errors.Is(err, errBadStanza) || !strings.Contains(err.Error(), "line 7") {
		t.Errorf("a corrupt entry: %v", err)
	}
	wantNames(t, list, "a", "base-files", "c")

	whole := stanza("a", "1", team) + stanza("b", "1", team)
	img.write("var/lib/dpkg/status", whole[:len(whole)-30])
	if _, err := img.tryCollect(Deb()); !errors.Is(err, ErrTruncated) {
		t.Errorf("cut short: %v", err)
	}
	if err := errors.Join(os.Remove(img.path("var/lib/dpkg/status")), os.Mkdir(img.path("var/lib/dpkg/status"), 0o755)); err != nil {
		t.Fatal(err)
	}
	if _, err := img.tryCollect(Deb()); !errors.Is(err, rootfs.ErrNotRegular) {
		t.Errorf("unreadable: %v", err)
	}
}

func TestDebDamagedListCostsOnlyItsAnswers(t *testing.T) {
	img := debImage(t)
	img.write("var/lib/apt/lists/deb.example.org_debian_dists_stable_main_binary-amd64_Packages.lz4", "no lz4")
	img.write("var/lib/dpkg/status", stanza("app", "5.1", vendor)+stanza("editor", "2.0-1", team))
	list := img.collect(Deb())
	if a, e := named(t, list, "app"), named(t, list, "editor"); a.Origin != "Example Apps" || e.Origin != "" {
		t.Errorf("%q, %q", a.Origin, e.Origin)
	}
}

func TestOriginCacheRemembers(t *testing.T) {
	img := debImage(t)
	root, err := rootfs.Open(img.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	cache := t.TempDir() + "/origins"
	pkgs := []*DebPackage{
		{Name: "editor", Version: "2.0-1", Arch: "amd64", Maintainer: team},
		{Name: "homemade", Version: "1", Arch: "amd64", Maintainer: team},
	}
	find := func(want ...string) {
		t.Helper()
		got, err := findOrigins(t.Context(), root, cache, pkgs)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			if got[i].name != w {
				t.Errorf("%s: %q, want %q", pkgs[i].Name, got[i].name, w)
			}
		}
	}
	find("Debian", "")
	listFile := "var/lib/apt/lists/deb.example.org_debian_dists_stable_main_binary-amd64_Packages.lz4"
	img.write(listFile, string(packed(t, []byte(stanza("editor", "9.0-1", "New Maintainer <x@debian.org>")+stanza("homemade", "1", team)), "-B4")))
	find("Debian", "Debian") // one has left the list, the other came into it
	if err := os.Remove(img.path(listFile)); err != nil {
		t.Fatal(err)
	}
	find("Debian", "Debian")
	pkgs = pkgs[:1]
	find("Debian")
	if b, err := os.ReadFile(cache); err != nil || strings.Contains(string(b), "homemade") {
		t.Errorf("keeps what is gone: %q, %v", b, err)
	}
	if err := os.WriteFile(cache, []byte("vigia deb origins 1 x\neditor\tamd64\t2.0-1\tEvil\t9\nx\n\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	find("Debian") // a spoilt cache is as good as none: the list is gone, the package's own word is left
}

func TestPublisher(t *testing.T) {
	for in, want := range map[string]string{
		"Debian Adduser Developers <adduser@packages.debian.org>": "Debian Adduser Developers",
		`"Example, Inc." <a@example.com>`:                         "Example, Inc.",
		"support@example.com":                                     "example.com",
		"<ana@example.com>":                                       "example.com",
		"ana@example.com <ana@example.com>":                       "example.com",
		"No Address":                                              "No Address",
		"":                                                        "",
	} {
		if got := publisher(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
