package system

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"vigia/agent/internal/winreg"
	"vigia/agent/internal/winreg/regf"
	"vigia/agent/internal/wmi/wmitest"
	"vigia/internal/hivetest"
	"vigia/internal/inventory"
)

// set is the script that makes a key with values of hivexsh's kinds, in pairs.
func set(path string, values ...string) string {
	s := fmt.Sprintf("cd \\\n%ssetval %d\n", hivetest.Keys(path), len(values)/2)
	for i := 0; i < len(values); i += 2 {
		s += values[i] + "\n" + values[i+1] + "\n"
	}
	return s
}

func registryOf(t *testing.T, script string) winreg.Key {
	t.Helper()
	file := filepath.Join(t.TempDir(), "hive")
	hivetest.Write(t, file, script)
	f, err := regf.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestWindowsSystem(t *testing.T) {
	root := registryOf(t, set(keyVersion, "ProductName", "string:Windows 10 Pro", "CurrentBuild", "string:22631", "DisplayVersion", "string:23H2",
		"EditionID", "string:Professional", "UBR", "dword:0x10d9", "InstallDate", "dword:0x65000000", "InstallationType", "string:Client")+
		set(keyControl+`\SecureBoot\State`, "UEFISecureBootEnabled", "dword:1")+
		set(keyControl+`\TimeZoneInformation`, "TimeZoneKeyName", "string:Central Standard Time (Mexico)")+
		set(keyControl+`\ComputerName\ComputerName`, "ComputerName", "string:NEW")+
		set(keyControl+`\ComputerName\ActiveComputerName`, "ComputerName", "string:OLD")+
		set(keyFirewall+`\DomainProfile`, "EnableFirewall", "dword:1")+
		set(keyFirewall+`\PublicProfile`, "EnableFirewall", "dword:1")+
		set(keyFirewallGP+`\PublicProfile`, "EnableFirewall", "dword:0")+
		set(`SYSTEM\CurrentControlSet\Services\wuauserv`, "Start", "dword:3")+
		set(keyCloudJoin+`\JoinInfo\AA`, "TenantId", "string:t-1")+
		set(keyCloudJoin+`\TenantInfo\t-1`, "DisplayName", "string:Example"))
	s := inventory.System{}
	w := windowsFacts{local: root, ask: wmitest.Load(t, "testdata/office.json"), now: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)}
	if err := w.collect(context.Background(), &s); err != nil {
		t.Fatal(err)
	}
	snap := inventory.Snapshot{System: s}
	if remarks := snap.Normalize(); len(remarks) > 0 {
		t.Errorf("Normalize changed %+v", remarks)
	}
	s = snap.System
	for what, pair := range map[string][2]any{
		"name": {s.Name, "Windows 11 Pro 23H2"}, "kernel": {s.Kernel, "22631.4313"}, "zone": {s.Timezone, "America/Mexico_City"},
		"support": {s.SupportEnds, "2025-11-11"}, "secure boot": {s.SecureBoot, "on"}, "join": {s.Join + " " + s.JoinedTo, "hybrid corp.example.com"},
		"reboot": {fmt.Sprint(s.RebootPending, s.RebootReasons), "true [rename]"}, "updates": {s.AutoUpdate + " " + s.UpdatedOn, "on 2026-02-14"},
		"firewall": {fmt.Sprint(s.Firewall), "[{domain true} {public false}]"}, "features": {fmt.Sprint(s.Features), "[SMB1Protocol TelnetClient]"},
		"hotfixes": {fmt.Sprint(s.Hotfixes), "[{KB5031356 Update 2025-11-24} {KB5034441 Security Update 2026-02-14}]"},
		"licenses": {fmt.Sprint(s.Activations), "[{Office 21, Office21ProPlus2021VL_KMS 6F7TH grace 2026-03-12} {Windows(R), Professional edition 3V66T licensed }]"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
}

func TestSupportEnds(t *testing.T) {
	for _, c := range []struct {
		build, edition string
		server         bool
		want           string
	}{
		{"19045", "Professional", false, "2025-10-14"}, {"26100", "Core", false, "2026-10-13"}, {"26100", "Enterprise", false, "2027-10-12"},
		{"26100", "EnterpriseS", false, "2029-10-09"}, {"26100", "ServerStandard", true, "2034-11-14"}, {"17763", "ServerDatacenter", true, "2029-01-09"},
		{"99999", "Professional", false, ""}, {"20348", "Professional", false, ""},
	} {
		if got := supportEnds(c.build, c.edition, c.server); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	for _, s := range supportTable() { // no typing mistakes
		for _, day := range [...]string{s.home, s.enterprise, s.longTerm, s.server} {
			if _, err := time.Parse(time.DateOnly, day); err != nil && day != "" {
				t.Errorf("%s: %v", s.build, err)
			}
		}
	}
}
