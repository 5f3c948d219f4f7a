package system

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"vigia/internal/inventory"
)

func TestParseAssignments(t *testing.T) {
	const text = `# a comment
NAME="Fedora Linux"
PRETTY_NAME='Single "quoted"'
ESCAPED="a \"b\" \$c \\d"
export LANG=es_MX.UTF-8
EMPTY=
 INDENTED=1
no assignment
BROKEN="half
SUPPORT_END=2026-05-13
`
	got, err := parseAssignments(strings.NewReader(text))
	want := map[string]string{
		"NAME": "Fedora Linux", "PRETTY_NAME": `Single "quoted"`, "ESCAPED": `a "b" $c \d`, "LANG": "es_MX.UTF-8",
		"EMPTY": "", "INDENTED": "1", "BROKEN": `"half`, "SUPPORT_END": "2026-05-13",
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := parseAssignments(strings.NewReader(strings.Repeat("x", 70<<10))); err == nil {
		t.Error("a line without end passed")
	}
}

func TestAccounts(t *testing.T) {
	uids, err := parseLoginDefs(strings.NewReader("# UID_MIN 5\nUID_MIN\t\t\t 1000\nUID_MAX 59999\nUID_MIN_X 7\nUID_MAX x\n"))
	if err != nil || uids != (uidRange{1000, 59999}) {
		t.Fatalf("login.defs: %+v, %v", uids, err)
	}
	a, err := parseGroup(strings.NewReader("root:x:0:\nsudo:x:27:ana,luis\nwheel:x:10:\nadm:x:4:eva\nbroken\n"))
	if err != nil || !reflect.DeepEqual(a, admins{Names: []string{"ana", "luis", ""}, GIDs: []string{"27", "10"}}) {
		t.Fatalf("group: %+v, %v", a, err)
	}
	const passwd = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1::/usr/sbin:/usr/sbin/nologin
ana:x:1000:1000:Ana Example,,,:/home/ana:/bin/bash
eva:x:1001:1001::/home/eva:
first:x:1002:10::/home/first:/usr/bin/zsh
service:x:1003:1003::/srv:/bin/false
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
ldap:x:70000:70000::/home/ldap:/bin/bash
broken:x:x:1::/:/bin/sh
:x:1009:1::/:/bin/sh
short:x:1010
`
	got, err := parsePasswd(strings.NewReader(passwd), uids, a)
	want := []inventory.Account{{Name: "ana", Admin: true}, {Name: "eva"}, {Name: "first", Admin: true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("passwd: %+v, %v", got, err)
	}
}

func TestBootTime(t *testing.T) {
	want := time.Date(2026, 3, 2, 8, 29, 0, 0, time.UTC)
	stat := "cpu  1 2 3\nintr 5\nctxt 9\nbtime 1772440199\nprocesses 3\n"
	if got := bootTime(stat); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, none := range []string{"", "btime x\n", "btime -1\n", "btime 0\n"} {
		if got := bootTime(none); !got.IsZero() {
			t.Errorf("bootTime(%q) = %v", none, got)
		}
	}
}

func TestSmallFacts(t *testing.T) {
	for in, want := range map[string]string{"\x06\x00\x00\x00\x01": "on", "\x06\x00\x00\x00\x00": "off", "": "", "\x01": ""} {
		if got := secureBoot([]byte(in)); got != want {
			t.Errorf("secureBoot(%q) = %q", in, got)
		}
	}
	for in, want := range map[string]string{
		"/usr/share/zoneinfo/America/Mexico_City": "America/Mexico_City", "../usr/share/zoneinfo/Etc/UTC": "Etc/UTC",
		"/usr/share/zoneinfo/posix/Europe/Madrid": "Europe/Madrid", "/etc/other": "",
	} {
		if got := zoneFromLink(in); got != want {
			t.Errorf("zoneFromLink(%q) = %q", in, got)
		}
	}
	elf := func(order, machine byte) []byte {
		b := make([]byte, 20)
		copy(b, "\x7fELF")
		b[5] = order
		b[18], b[19] = machine, 0
		if order == 2 {
			b[18], b[19] = 0, machine
		}
		return b
	}
	for want, in := range map[string][]byte{"amd64": elf(1, 62), "arm64": elf(1, 183), "s390x": elf(2, 22), "": []byte("#!/bin/sh -e and more")} {
		if got := elfArch(in); got != want {
			t.Errorf("elfArch(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"systemd": "systemd", "init": "sysvinit", "openrc-init": "openrc", "runit-init": "runit", "bash": "", "": ""} {
		if got := initName(in); got != want {
			t.Errorf("initName(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"x86_64": "amd64", "aarch64": "arm64", "i686": "386", "mips": "mips"} {
		if got := goArch(in); got != want {
			t.Errorf("goArch(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzTextParsers(f *testing.F) {
	f.Add("NAME=\"a\\\"b\"\n")
	f.Add("ana:x:1000:1000::/home/ana:/bin/bash\n")
	f.Add("btime 1772440199\n")
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = parseAssignments(strings.NewReader(s))
		a, _ := parseGroup(strings.NewReader(s))
		list, _ := parsePasswd(strings.NewReader(s), uidRange{1000, 60000}, a)
		for _, one := range list {
			if one.Name == "" || strings.Contains(one.Name, ":") {
				t.Fatalf("account %q", one.Name)
			}
		}
		_, _ = parseLoginDefs(strings.NewReader(s))
		bootTime(s)
		elfArch([]byte(s))
		zoneFromLink(s)
	})
}
