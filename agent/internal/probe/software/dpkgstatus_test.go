package software

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
)

const stanzaA = "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n\n"

// parsed returns the names that ParseStatus keeps, with versions.
func parsed(text string, whole bool) ([]string, Refusals, error) {
	var got []string
	r, err := ParseStatus(strings.NewReader(text), whole, func(p *DebPackage) { got = append(got, p.Name+" "+p.Version) })
	return got, r, err
}

func TestParseStatusCaptured(t *testing.T) {
	f, err := os.Open("testdata/status")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var got []DebPackage
	refused, err := ParseStatus(f, true, func(p *DebPackage) { got = append(got, *p) })
	if err != nil || refused.Count != 0 || len(got) != 8 {
		t.Fatalf("%d packages, %v, %v", len(got), refused, err)
	}
	want := DebPackage{Name: "libc6", Version: "2.36-9+deb12u14", Arch: "amd64", Priority: "optional", State: "installed",
		Maintainer: "GNU Libc Maintainers <debian-glibc@lists.debian.org>", MultiArchSame: true}
	if !reflect.DeepEqual(got[5], want) {
		t.Errorf("got  %+v\nwant %+v", got[5], want)
	}
	if !got[2].Essential || got[2].Priority != "required" {
		t.Errorf("bash: %+v", got[2])
	}
}

func TestParseStatusRefusesOneKeepsTheRest(t *testing.T) {
	for name, bad := range map[string]string{
		"NUL":                    "Package: b\x00d\nStatus: install ok installed\nVersion: 1\n",
		"NUL in another field":   "Package: bad\nStatus: install ok installed\nVersion: 1\nHome\x00page: x\n",
		"no field":               "Package: bad\nStatus: install ok installed\nVersion: 1\nwhat is this\n",
		"name of 1 MiB":          "Package: " + strings.Repeat("x", 1<<20) + "\nStatus: install ok installed\nVersion: 1\n",
		"name of 300 bytes":      "Package: " + strings.Repeat("x", 300) + "\nStatus: install ok installed\nVersion: 1\n",
		"name with a slash":      "Package: ../etc/passwd\nStatus: install ok installed\nVersion: 1\n",
		"no name":                "Status: install ok installed\nVersion: 1\n",
		"no version":             "Package: bad\nStatus: install ok installed\n",
		"no state":               "Package: bad\nVersion: 1\n",
		"odd state":              "Package: bad\nStatus: installed\nVersion: 1\n",
		"starts in the middle":   " a continuation\nPackage: bad\nStatus: install ok installed\nVersion: 1\n",
		"broken UTF-8 in a name": "Package: b\xff\nStatus: install ok installed\nVersion: 1\n",
	} {
		got, refused, err := parsed(stanzaA+bad+"\n"+strings.ReplaceAll(stanzaA, "Package: a", "Package: z"), true)
		if err != nil || refused.Count != 1 || refused.First[0].Line != 6 || !reflect.DeepEqual(got, []string{"a 1", "z 1"}) {
			t.Errorf("%s: %v, %+v, %v", name, got, refused, err)
		}
		if e := refused.Err("status"); !errors.Is(e, errBadStanza) || len(e.Error()) > 400 {
			t.Errorf("%s: %v", name, e)
		}
	}
}

func TestParseStatusTruncated(t *testing.T) {
	for _, cut := range []string{"Package: b\nStatus: install ok inst", "Package: b\nStatus: install ok installed\nVersion: 1\n"} {
		got, _, err := parsed(stanzaA+cut, true)
		if !errors.Is(err, ErrTruncated) || !reflect.DeepEqual(got, []string{"a 1"}) {
			t.Errorf("%q: %v, %v", cut, got, err)
		}
	}
	if got, refused, err := parsed(strings.TrimRight(stanzaA, "\n"), false); err != nil || refused.Count != 0 || len(got) != 1 {
		t.Errorf("a single entry without an end: %v, %v, %v", got, refused, err)
	}
	if got, _, err := parsed("", true); err != nil || got != nil {
		t.Errorf("empty: %v, %v", got, err)
	}
}

func TestParseStatusManyRefusalsAreCounted(t *testing.T) {
	_, refused, err := parsed(strings.Repeat("x\n\n", 1000), true)
	if err != nil || refused.Count != 1000 || len(refused.First) != maxRefusals {
		t.Errorf("%d refused, %d told, %v", refused.Count, len(refused.First), err)
	}
}

func TestOnDisk(t *testing.T) {
	for state, want := range map[string]bool{"installed": true, "half-installed": true, "half-configured": true, "unpacked": true,
		"triggers-awaited": true, "triggers-pending": true, "config-files": false, "not-installed": false, "": false} {
		if got := (&DebPackage{State: state}).OnDisk(); got != want {
			t.Errorf("%q: %v", state, got)
		}
	}
}

func TestParseExtendedStates(t *testing.T) {
	f, err := os.Open("testdata/extended_states")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := ParseExtendedStates(f)
	want := map[string]bool{"dpkg:amd64": true, "libsmartcols1:amd64": true, "libpam-runtime:amd64": true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	got, err = ParseExtendedStates(strings.NewReader("Package: a\nAuto-Installed: 0\n\n\n\nAuto-Installed: 1\n\nPackage: ../b\nAuto-Installed: 1\n\nPackage: c\nAuto-Installed: 1"))
	if err != nil || !reflect.DeepEqual(got, map[string]bool{"c:": true}) {
		t.Errorf("odd entries: %v, %v", got, err)
	}
}

func FuzzParseStatus(f *testing.F) {
	seed, err := os.ReadFile("testdata/status")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(seed), true)
	f.Add(stanzaA, false)
	f.Add("Package: a\n b\n\tc\n:\n\x00\n", true)
	f.Fuzz(func(t *testing.T, text string, whole bool) {
		_, err := ParseStatus(strings.NewReader(text), whole, func(p *DebPackage) {
			if !validName([]byte(p.Name)) || len(p.Version) > maxStringLen || (p.OnDisk() && p.Version == "") {
				t.Errorf("kept %+v", p)
			}
		})
		if err != nil && !errors.Is(err, ErrTruncated) {
			t.Error(err)
		}
	})
}

func FuzzParseExtendedStates(f *testing.F) {
	f.Add("Package: dpkg\nArchitecture: amd64\nAuto-Installed: 1\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := ParseExtendedStates(strings.NewReader(text)); err != nil && len(text) < maxLine {
			t.Error(err)
		}
	})
}
