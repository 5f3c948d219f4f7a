package software

import (
	"bytes"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

func readTestdata(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSnap(t *testing.T) {
	img := newImage(t)
	if _, err := img.tryCollect(Snap()); !errors.Is(err, probe.ErrAbsent) {
		t.Errorf("no snapd: %v", err)
	}
	img.write("var/lib/snapd/state.json", readTestdata(t, "snapd-state.json"))
	img.write("snap/firefox/4209/meta/snap.yaml", readTestdata(t, "snap.yaml"))
	img.write("snap/gnome-42-2204/176/meta/snap.yaml", "name: gnome-42-2204\nversion: 0+git.510a601\nslots:\n  gnome:\n    interface: content\n")
	img.write("snap/core22/1380/meta/snap.yaml", "name: core22\nversion: '20240408'\ntype: base\n")
	assertions := "var/lib/snapd/assertions/asserts-v0/"
	img.write(assertions+"snap-declaration/16/3wdHCAVyZEmYsCMFDE9qt92UV8rC8Wdk/active.5", "type: snap-declaration\npublisher-id: OgeoZuqQpVvSr9eGKJzNCrFGSaKXpkey\n\nsignature: x\n")
	img.write(assertions+"account/OgeoZuqQpVvSr9eGKJzNCrFGSaKXpkey/active", "type: account\ndisplay-name: Mozilla\n\ndisplay-name: no\n")
	list := img.collect(Snap())
	for i := range list {
		list[i].Arch = ""
	}
	machine := func(name, version, origin, publisher string, asked bool) inventory.Program {
		return inventory.Program{Name: name, Version: version, Origin: origin, Publisher: publisher, Source: "snap", Scope: "machine",
			Path: "/snap/" + name, Requested: asked, Hidden: !asked}
	}
	want := []inventory.Program{
		machine("core22", "20240408", "snapcraft", "", false), machine("firefox", "131.0.2-1", "snapcraft", "Mozilla", true),
		machine("gnome-42-2204", "0+git.510a601", "snapcraft", "", false), machine("mine", "rev x1", "", "", true),
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("got  %+v\nwant %+v", list, want)
	}
	for name, text := range map[string]string{"truncated": readTestdata(t, "snapd-state.json")[:400], "another shape": `[1]`, "snaps of another shape": `{"data":{"snaps":[]}}`,
		"a revision that climbs": `{"data":{"snaps":{"a":{"current":"../../etc"}}}}`, "empty": ""} {
		img.write("var/lib/snapd/state.json", text)
		if _, err := img.tryCollect(Snap()); err == nil || errors.Is(err, probe.ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzSnap(f *testing.F) {
	f.Add(readTestdata(f, "snapd-state.json"), readTestdata(f, "snap.yaml"))
	f.Add(`{"data":{"snaps":{"a":null}}}`, "version: '")
	f.Fuzz(func(t *testing.T, state, yaml string) {
		if snaps, err := ParseSnapState(strings.NewReader(state)); err == nil {
			for _, s := range snaps {
				if strings.ContainsAny(string(s.Current), "/\\") {
					t.Errorf("revision %q", s.Current)
				}
			}
		}
		if y, err := ParseSnapYAML(strings.NewReader(yaml)); err == nil && len(y.Version) > maxLine {
			t.Error("a version longer than a line")
		}
		if _, err := ParseAssertionHeaders(strings.NewReader(yaml)); err != nil && len(yaml) < 60_000 {
			t.Error(err)
		}
	})
}

func TestParseDeployCaptured(t *testing.T) {
	got, err := ParseDeploy([]byte(readTestdata(t, "flatpak/deploy")))
	want := flatpakDeploy{Remote: "examplehub", Commit: "de4885dce707137a1911c4781ec430995b2a86e8566f1f6811acce81aeae1ad7", Name: "Notes", Version: "2.4.1"}
	if err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "x", "a\x00b\x00", "\x00" + strings.Repeat("a", 64) + "\x00", readTestdata(t, "flatpak/deploy")[:40]} {
		if got, err := ParseDeploy([]byte(bad)); !errors.Is(err, errDeploy) {
			t.Errorf("%q: %+v, %v", bad, got, err)
		}
	}
}

func TestFlatpak(t *testing.T) {
	img := newImage(t)
	if _, err := img.tryCollect(Flatpak()); !errors.Is(err, probe.ErrAbsent) {
		t.Errorf("no flatpak: %v", err)
	}
	deploy := readTestdata(t, "flatpak/deploy")
	older := strings.Replace(deploy, "appdata-version", "appdata-verzion", 1) // as flatpak before 1.1.2
	place := func(top, kind, id, text string) {
		at := top + "/" + kind + "/" + id + "/x86_64/stable/"
		img.write(at+"abc/deploy", text)
		img.write(at+"abc/metadata", readTestdata(t, "flatpak/metadata"))
		img.link("abc", at+"active")
	}
	place("var/lib/flatpak", "app", "org.example.Notes", deploy)
	place("var/lib/flatpak", "runtime", "org.example.Platform", older)
	img.write("var/lib/flatpak/repo/config", readTestdata(t, "flatpak/config"))
	img.write("etc/passwd", "root:x:0:0::/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\n")
	place("home/ana/.local/share/flatpak", "app", "org.example.Draw", older)
	img.write("home/ana/.local/share/flatpak/app/org.example.Draw/x86_64/stable/abc/files/share/metainfo/org.example.Draw.metainfo.xml",
		`<component><id>x</id><developer id="d"><name>Example &amp; Co</name></developer><name xml:lang="es">Dibujo</name><name>Draw</name><releases><release date="2026-01-01" version="7.1"/></releases></component>`)
	img.write("home/ana/.local/share/flatpak/app/org.example.Gone/current", "")
	list := img.collect(Flatpak())
	wantNames(t, list, "org.example.Notes", "org.example.Platform", "org.example.Draw")
	if p := named(t, list, "org.example.Notes"); p.Origin != "Example Hub" || p.Version != "2.4.1" || p.Scope != "machine" || !p.Requested || p.Hidden || p.Arch != "x86_64" || p.InstalledAt.IsZero() {
		t.Errorf("%+v", p)
	}
	if p := named(t, list, "org.example.Platform"); p.Version != "stable" || p.Requested || !p.Hidden {
		t.Errorf("%+v", p)
	}
	if p := named(t, list, "org.example.Draw"); p.Origin != "examplehub" || p.Version != "7.1" || p.Publisher != "Example & Co" || p.Scope != "user" || p.User != "ana" {
		t.Errorf("%+v", p)
	}
	img.write("var/lib/flatpak/app/org.example.Notes/x86_64/stable/abc/deploy", "damaged")
	if _, err := img.tryCollect(Flatpak()); !errors.Is(err, errDeploy) {
		t.Errorf("damaged: %v", err)
	}
}

func FuzzFlatpak(f *testing.F) {
	f.Add([]byte(readTestdata(f, "flatpak/deploy")), readTestdata(f, "flatpak/metadata"))
	f.Add([]byte("a\x00"), "[x\n=\n<name></name><release version=")
	f.Fuzz(func(t *testing.T, deploy []byte, text string) {
		if d, err := ParseDeploy(deploy); err == nil && (d.Remote == "" || len(d.Commit) != 64) {
			t.Errorf("%+v", d)
		}
		if err := ParseKeyFile(strings.NewReader(text), func(string, string, string) {}); err != nil && len(text) < 60_000 {
			t.Error(err)
		}
		if a := ParseMetainfo([]byte(text)); len(a.Name) > maxStringLen {
			t.Errorf("name of %d bytes", len(a.Name))
		}
	})
}

func TestParseReleaseOrigin(t *testing.T) {
	for text, want := range map[string]string{
		readTestdata(t, "InRelease"): "Debian", "Label: L\nMD5Sum:\nOrigin: late\n": "L", "": "", "Origin: \nLabel: x\n": "x",
		"\x00\n": "", "Origin: " + strings.Repeat("x", 10_000) + "\n": strings.Repeat("x", maxStringLen),
	} {
		if got := ParseReleaseOrigin(strings.NewReader(text)); got != want {
			t.Errorf("%.40q: %.40q, want %.40q", text, got, want)
		}
	}
}

func TestParsePasswdAndHomes(t *testing.T) {
	img := newImage(t)
	img.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/x\nana:x:1000:1000:Ana:/home/ana:/bin/sh\nluis:x:1001:1001::/srv/luis/:/bin/sh\n"+
		"nobody:x:65534:65534::/nonexistent:/x\nbroken\nx:x:many:1::/home/x:/x\nnone:x:1002:1002::/home/none:/x\nslash:x:1003:1003::/:/x\n")
	for _, d := range []string{"root", "home/ana", "home/directory-user", "srv/luis", "home/lost+found"} {
		if err := os.MkdirAll(img.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	img.link("/root", "home/link")
	root := openRoot(t, img)
	got, err := homes(root, nil)
	want := []home{{"/home/ana", "ana"}, {"/home/directory-user", "directory-user"}, {"/root", "root"}, {"/srv/luis", "luis"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	got, err = homes(root, map[string]bool{"/home": true, "/srv": true})
	if err != nil || !reflect.DeepEqual(got, want[2:3]) {
		t.Errorf("homes on a network: %v, %v", got, err)
	}
}

func TestParseMountInfo(t *testing.T) {
	got := ParseMountInfo("36 35 98:0 / /mnt/with\\040space rw,noatime master:1 - nfs4 server:/x rw\n" +
		"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 0:50 / /home/ana/cloud rw - fuse.sshfs host: rw\nbroken\n1 2 - \n")
	if want := map[string]bool{"/mnt/with space": true, "/home/ana/cloud": true}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func FuzzELF(f *testing.F) {
	for _, name := range []string{"/usr/bin/dpkg", "/usr/local/go/bin/gofmt"} {
		if b, err := os.ReadFile(name); err == nil {
			f.Add(b[:elfHead])
		}
	}
	f.Add([]byte("\x7fELF\x02\x01\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if kind, arch := readKind("x", bytes.NewReader(b)); kind == notExec && arch != "" {
			t.Errorf("%v %q", kind, arch)
		}
	})
}
