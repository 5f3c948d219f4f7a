package winsoft

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/winreg/regf"
	"vigia/internal/hivetest"
	"vigia/internal/inventory"
)

func TestUnpackGUID(t *testing.T) {
	for packed, want := range map[string]string{
		"00002109AB01000000000000000FF1EC": "{90120000-10BA-0000-0000-000000F01FCE}",
		"00005119110000000000000000F01FEC": "{91150000-0011-0000-0000-0000000FF1CE}", // Office 2013, as Microsoft documents it
		"short":                            "", "zz005119110000000000000000F01FEC": "",
	} {
		if got := UnpackGUID(packed); got != want {
			t.Errorf("UnpackGUID(%s) = %s, want %s", packed, got, want)
		}
	}
}

func TestPackageName(t *testing.T) {
	n, ok := ParsePackageName("Microsoft.WindowsCalculator_11.2210.0.0_x64__8wekyb3d8bbwe")
	if !ok || n != (PackageName{"Microsoft.WindowsCalculator", "11.2210.0.0", "amd64", "", "8wekyb3d8bbwe"}) || packageOrigin(n.PublisherID) != "Microsoft" {
		t.Errorf("%+v %v", n, ok)
	}
	for _, odd := range []string{"", "a_b_c", "a_1_x64__short", "____8wekyb3d8bbwe"} {
		if _, ok := ParsePackageName(odd); ok {
			t.Errorf("%q was taken", odd)
		}
	}
}

func TestInstalledAt(t *testing.T) {
	key := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"20260301": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), "3/1/2026": time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		"": key, "00000000": key, "Sun Mar": key, "20261345": key,
	} {
		if got := installedAt(text, key); !got.Equal(want) {
			t.Errorf("installedAt(%q) = %v, want %v", text, got, want)
		}
	}
}

func TestCommonName(t *testing.T) {
	for dn, want := range map[string]string{
		`CN="Contoso, S.A.", O=Contoso, C=MX`: "Contoso, S.A.", "O=x, CN=Y": "Y", "CN=A": "A", "": "", "nonsense": "", `CN="open`: "open",
	} {
		if got := commonName(dn); got != want {
			t.Errorf("commonName(%s) = %q, want %q", dn, got, want)
		}
	}
}

// machine is a Windows whose registry is two hives, and whose folder is dir.
func machine(t *testing.T, dir, local, users string) Machine {
	t.Helper()
	root := func(script string) winreg.Key {
		file := filepath.Join(t.TempDir(), "hive")
		hivetest.Write(t, file, script)
		f, err := regf.OpenFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		k, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	return Machine{Local: root(local), Users: root(users), Arch: "amd64",
		Expand: func(s string) string { return strings.ReplaceAll(s, "%SystemDrive%", dir) }}
}

const up = "cd \\\n"

func program(key, name string) string {
	return up + hivetest.Keys(key) + "setval 1\nDisplayName\nstring:" + name + "\n"
}

// TestBrokenProfileKeepsWhatWasKnown reads a profile, damages its hive, and expects the
// same programs, with the damage told by the source profiles.
func TestBrokenProfileKeepsWhatWasKnown(t *testing.T) {
	dir, cache := t.TempDir(), t.TempDir()
	m := machine(t, dir, hivetest.Keys(profileList+`\S-1-5-21-1-2-3-1001`)+"setval 1\nProfileImagePath\nexpandstring:%SystemDrive%/luis\n", "")
	hive := filepath.Join(dir, "luis", hiveUser)
	if err := os.Mkdir(filepath.Dir(hive), 0o755); err != nil {
		t.Fatal(err)
	}
	hivetest.Write(t, hive, program(uninstallUser+`\A`, "Sample A"))
	env := &probe.Env{CacheDir: cache}
	read := func() []inventory.Program {
		t.Helper()
		list, err := m.registry(context.Background(), env)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if list := read(); len(list) != 1 || list[0].Name != "Sample A" || list[0].User != "luis" || list[0].Scope != inventory.ScopeUser {
		t.Fatalf("%+v", list)
	}
	if n, err := m.checkProfiles(); n != 1 || err != nil {
		t.Errorf("%d hives, %v", n, err)
	}
	if err := os.WriteFile(hive, bytes.Repeat([]byte("damaged"), 2000), 0o600); err != nil {
		t.Fatal(err)
	}
	if list := read(); len(list) != 1 || list[0].Name != "Sample A" {
		t.Errorf("after damage: %+v", list)
	}
	if _, err := m.checkProfiles(); err == nil || !strings.Contains(err.Error(), "luis") {
		t.Errorf("the damage is not told: %v", err)
	}
	if err := os.Remove(hive); err != nil { // a profile without a hive has no programs
		t.Fatal(err)
	}
	if list := read(); len(list) != 0 {
		t.Errorf("after removal: %+v", list)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(`<Package><Identity Name="a" Publisher="CN=b"/><Properties><Framework>true</Framework></Properties></Package>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := ParseManifest(bytes.NewReader(b)); err == nil {
			commonName(m.Identity.Publisher)
		}
	})
}

// TestAppsOfSomebodyNotSignedIn reads UsrClass.dat, and knows what Windows brought.
func TestAppsOfSomebodyNotSignedIn(t *testing.T) {
	dir := t.TempDir()
	const calculator, notes = "Microsoft.WindowsCalculator_11.2210.0.0_x64__8wekyb3d8bbwe", "Contoso.Notes_1.2.0.0_x64_es_abcdefghjkmnp"
	m := machine(t, dir, hivetest.Keys(profileList+`\S-1-12-1-1-2-3-4`)+"setval 1\nProfileImagePath\nexpandstring:%SystemDrive%/ana\n"+
		up+hivetest.Keys(appxAllUsers+`\InboxApplications\`+calculator), "")
	hive := filepath.Join(dir, "ana", filepath.FromSlash(hiveClasses))
	if err := os.MkdirAll(filepath.Dir(hive), 0o755); err != nil {
		t.Fatal(err)
	}
	hivetest.Write(t, hive, hivetest.Keys(packages+`\`+calculator)+up+hivetest.Keys(packages+`\`+notes)+"setval 1\nDisplayName\nstring:Notas\n")
	list, err := m.apps(context.Background(), &probe.Env{})
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v %v", list, err)
	}
	for _, p := range list {
		switch {
		case p.Name == "Microsoft.WindowsCalculator" && p.Base && !p.Requested && p.Origin == "Microsoft":
		case p.Name == "Notas" && p.User == "ana" && p.Hidden && !p.Base && p.Origin == "": // a part in one language
		default:
			t.Errorf("odd %+v", p)
		}
	}
}
