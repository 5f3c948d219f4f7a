package fleet

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRealSerialAndUUID(t *testing.T) {
	for s, want := range map[string]bool{"5CD1234XYZ": true, "VMware-56 4d 9c": true, "Default string": false, "To Be Filled By O.E.M.": false,
		"": false, "0000000": false, "xxxxxxx": false, "System Serial Number": false, "....": false, " None ": false, "ab": false, strings.Repeat("a1", 200): false} {
		if got := realSerial(s); got != want {
			t.Errorf("serial %.40q is real: %v, want %v", s, got, want)
		}
	}
	for s, want := range map[string]bool{"4c4c4544-0035-3510-8052-b4c04f564433": true, "": false, "00000000-0000-0000-0000-000000000000": false,
		"ffffffff-ffff-ffff-ffff-ffffffffffff": false, "03000200-0400-0500-0006-000700080009": false, "4c4c4544x0035-3510-8052-b4c04f564433": false,
		"4c4c4544-0035-3510-8052-b4c04f56443z": false} {
		if got := realUUID(s); got != want {
			t.Errorf("uuid %q is real: %v, want %v", s, got, want)
		}
	}
}

func TestFactsAreCleaned(t *testing.T) {
	f := Facts{Hostname: "pc\x00\x1b[31m" + strings.Repeat("ñ", 5000), Serial: "Default string", UUID: "4C4C4544-0035-3510-8052-B4C04F564433", OS: "\xff\xfe"}.clean()
	if strings.ContainsAny(f.Hostname, "\x00\x1b") || len(f.Hostname) > 600 || f.Serial != "" || f.UUID != "4c4c4544-0035-3510-8052-b4c04f564433" {
		t.Errorf("%.60q %q %q", f.Hostname, f.Serial, f.UUID)
	}
	if (Facts{}).clean().Hostname == "" {
		t.Error("a machine without a name cannot be shown")
	}
}

func TestTransitionsPairByPair(t *testing.T) {
	want := map[string]State{"active revoke": Revoked, "active archive": Archived, "active quarantine": Quarantined,
		"quarantined revoke": Revoked, "quarantined archive": Archived, "quarantined release": Active, "revoked archive": Archived, "archived unarchive": Active}
	for _, s := range []State{Active, Quarantined, Revoked, Archived} {
		for _, e := range []event{evRevoke, evArchive, evQuarantine, evRelease, evRestore} {
			key := string(s) + " " + string(e)
			if got, ok := transitions[s][e]; got != want[key] || ok != (want[key] != "") {
				t.Errorf("%s leads to %q, want %q", key, got, want[key])
			}
		}
	}
}

func TestAttemptsRefillAndStayBounded(t *testing.T) {
	a := newAttempts()
	for range maxFailures {
		if a.wait("192.0.2.1:1000", t0) > 0 {
			t.Fatal("made to wait too soon")
		}
		a.fail("192.0.2.1:1000", t0)
	}
	if a.wait("192.0.2.1:2000", t0) == 0 {
		t.Error("another port of the address is not made to wait")
	}
	if a.wait("192.0.2.2:1000", t0) != 0 {
		t.Error("another address is made to wait")
	}
	if a.wait("192.0.2.1:1000", t0.Add(failureRefill)) != 0 {
		t.Error("time does not help")
	}
	for i := range 3 * maxAddresses {
		a.fail(fmt.Sprintf("[2001:db8:%x:%x::1]:1", i/65536, i%65536), t0.Add(time.Hour))
	}
	if len(a.by) > maxAddresses {
		t.Errorf("%d addresses are kept", len(a.by))
	}
	if source("[2001:db8::1]:5") != source("[2001:db8::ffff]:6") || source("[::ffff:192.0.2.1]:5") != source("192.0.2.1:6") || source("odd") != "odd" {
		t.Error("addresses of one host count as several")
	}
}
