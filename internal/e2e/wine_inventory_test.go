package e2e

import (
	"crypto/x509"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/internal/hivetest"
	"vigia/internal/inventory"
	"vigia/internal/signtest"
)

// planted is what a Windows of the tests has, in both views of the registry, for users
// of every kind, in Windows Installer and as packages.
const planted = `
[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Contoso Editor]
"DisplayName"="Contoso Editor"
"DisplayVersion"="4.2.1"
"Publisher"="Contoso"
"InstallDate"="20260301"
"InstallLocation"="C:\\Program Files\\Contoso Editor\\"

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\Contoso Editor]
"DisplayName"="Contoso Editor"
"DisplayVersion"="4.2.1"
"Publisher"="Contoso"
"DisplayIcon"="\"C:\\Program Files (x86)\\Contoso Editor\\editor.exe\",0"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\ContosoRuntime]
"DisplayName"="Contoso Runtime"
"SystemComponent"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\KB5030211]
"DisplayName"="Update for Contoso Editor (KB5030211)"
"ParentKeyName"="Contoso Editor"
"ReleaseType"="Security Update"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Leftover]
"NoModify"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-12-1-111-222-333-444]
"ProfileImagePath"="C:\\users\\ana"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-5-21-9-9-9-1107]
"ProfileImagePath"="C:\\users\\luis"

[HKEY_USERS\S-1-12-1-111-222-333-444\Software\Microsoft\Windows\CurrentVersion\Uninstall\Chat]
"DisplayName"="Sample Chat"
"DisplayVersion"="1.0"
"WinGetPackageIdentifier"="Sample.Chat"

[HKEY_USERS\S-1-12-1-111-222-333-444\Software\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\Old]
"DisplayName"="Sample Old"

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products\00002109AB01000000000000000FF1EC\InstallProperties]
"DisplayName"="Contoso Agent"
"DisplayVersion"="2.0.5"
"Publisher"="Contoso"
"InstallDate"="20260115"
"LocalPackage"="C:\\windows\\Installer\\1a2b.msi"

[HKEY_LOCAL_MACHINE\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\{90120000-10BA-0000-0000-000000F01FCE}]
"DisplayName"="Contoso Agent"
"DisplayVersion"="2.0.5"
"WindowsInstaller"=dword:00000001

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications\Contoso.Notes_1.2.0.0_x64__abcdefghjkmnp]
"Path"="C:\\Program Files\\WindowsApps\\Contoso.Notes_1.2.0.0_x64__abcdefghjkmnp\\AppxManifest.xml"

[HKEY_USERS\S-1-12-1-111-222-333-444_Classes\Local Settings\Software\Microsoft\Windows\CurrentVersion\AppModel\Repository\Packages\Contoso.Notes_1.2.0.0_x64__abcdefghjkmnp]
"DisplayName"="@{Contoso.Notes?ms-resource://x}"
"PackageRootFolder"="C:\\Program Files\\WindowsApps\\Contoso.Notes_1.2.0.0_x64__abcdefghjkmnp"
`

const notesManifest = `<?xml version="1.0" encoding="utf-8"?>
<Package xmlns="http://schemas.microsoft.com/appx/manifest/foundation/windows10">
  <Identity Name="Contoso.Notes" Publisher="CN=&quot;Contoso, S.A.&quot;, C=MX" Version="1.2.0.0" ProcessorArchitecture="x64"/>
  <Properties><DisplayName>Contoso Notes</DisplayName><PublisherDisplayName>Contoso</PublisherDisplayName></Properties>
</Package>`

// hive writes a hive with one program for a user who is not signed in.
func (w *wine) hive(user, program string) {
	w.t.Helper()
	file := w.path(`users\` + user + `\NTUSER.DAT`)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.t.Fatal(err)
	}
	hivetest.Write(w.t, file, hivetest.Keys(`Software\Microsoft\Windows\CurrentVersion\Uninstall\Offline`)+
		"setval 2\nDisplayName\nstring:"+program+"\nDisplayVersion\nstring:3.1\n")
}

// addFiles plants what people bring: programs, extensions, packages. The signed one is
// signed by nobody whom this Windows trusts, so that no signer may be told: which are
// told is tested on pools of roots (agent/internal/pe), since Wine's store takes its
// roots from the host.
func (w *wine) addFiles() {
	w.t.Helper()
	program, err := os.ReadFile(filepath.Join(w.drive, "windows", "system32", "conhost.exe"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(`users\ana\Downloads\conhost.exe`, program) // with a version resource
	w.write(`users\ana\Downloads\letter.exe`, []byte("MZ is no program"))
	exe, err := windowsAgent()
	if err != nil {
		w.t.Fatal(err)
	}
	a := signtest.New(w.t)
	signed := filepath.Join(w.t.TempDir(), "signed.exe")
	a.Sign(w.t, "Contoso Software", x509.ExtKeyUsageCodeSigning, exe, signed)
	b, err := os.ReadFile(signed)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(`ProgramData\Tools\tool.exe`, b)
	b[len(b)/2] ^= 1
	w.write(`portable\vigia-agent.exe`, b)
	chrome := `users\ana\AppData\Local\Google\Chrome\User Data\Default\Extensions\cjpalhdlnbpafiamejdnhcphjbkeiagm\1.10.2_0\`
	w.write(chrome+`manifest.json`, []byte(`{"name":"Sample Blocker","version":"1.10.2","update_url":"https://clients2.google.com/service/update2/crx"}`))
	pip := `users\ana\AppData\Roaming\Python\Python311\site-packages\requests-2.31.0.dist-info\`
	w.write(pip+`METADATA`, []byte("Name: requests\nVersion: 2.31.0\n"))
	w.write(`users\ana\AppData\Roaming\npm\node_modules\@scope\tool\package.json`, []byte(`{"name":"@scope/tool","version":"4.0.0"}`))
	w.write(`ProgramData\chocolatey\lib\7zip\7zip.nuspec`, []byte(`<package><metadata><id>7zip</id><version>24.8.0</version><title>7-Zip</title><authors>Igor Pavlov</authors></metadata></package>`))
}

// software returns the programs that the agent tells, without those of the files.
func (w *wine) software() []inventory.Program {
	w.t.Helper()
	var snap inventory.Snapshot
	r := must(w.t, w.agent("inventory", "--output", "json"))
	if err := json.Unmarshal([]byte(r.out), &snap); err != nil {
		w.t.Fatalf("%v\n%s%s", err, r.out, r.err)
	}
	for _, s := range snap.Sources {
		if s.Outcome == inventory.OutcomeFailed {
			w.t.Errorf("source %s failed: %s", s.Source, s.Error)
		}
	}
	return snap.Software
}

// line says who has what from where, for comparing.
func line(p inventory.Program) string {
	kind := ""
	if p.Hidden {
		kind = " hidden"
	}
	if p.Signer != "" {
		p.Origin = "signed by " + p.Signer
	}
	return strings.Join([]string{p.Source, p.Name, p.Version, p.Publisher, p.Origin, p.Scope, p.User, p.Arch, p.Path}, "|") + kind
}

func TestWindowsInventoryListsExactlyWhatIsThere(t *testing.T) {
	w := newWine(t)
	before := w.software() // what Wine brings
	w.reg(planted)
	w.write(`Program Files\WindowsApps\Contoso.Notes_1.2.0.0_x64__abcdefghjkmnp\AppxManifest.xml`, []byte(notesManifest))
	w.hive("luis", "Sample Offline")
	w.addFiles()
	var got []string
	for _, p := range w.software() {
		if l := line(p); !slices.ContainsFunc(before, func(b inventory.Program) bool { return line(b) == l }) {
			got = append(got, l)
		}
	}
	const apps = `C:\Program Files\WindowsApps\Contoso.Notes_1.2.0.0_x64__abcdefghjkmnp`
	const extension = `C:\users\ana\AppData\Local\Google\Chrome\User Data\Default\Extensions\cjpalhdlnbpafiamejdnhcphjbkeiagm`
	want := []string{
		`appx|Contoso Notes|1.2.0.0|Contoso||machine||amd64|` + apps,
		`appx|Contoso Notes|1.2.0.0|Contoso||user|ana|amd64|` + apps,
		`chocolatey|7-Zip|24.8.0|Igor Pavlov|Chocolatey|machine|||C:\ProgramData\chocolatey\lib\7zip`,
		`chromium|Sample Blocker|1.10.2||Chrome Web Store|user|ana||` + extension,
		`file|Wine|6.1.7601.22045|Microsoft Corporation||user|ana|amd64|C:\users\ana\Downloads\conhost.exe`,
		`file|tool||||machine||amd64|C:\ProgramData\Tools\tool.exe`,
		`file|vigia-agent||||machine||amd64|C:\portable\vigia-agent.exe`,
		`msi|Contoso Agent|2.0.5|Contoso||machine||386|`,
		`npm|@scope/tool|4.0.0||npm|user|ana||C:\users\ana\AppData\Roaming\npm\node_modules\@scope\tool`,
		`pip|requests|2.31.0||PyPI|user|ana||C:\users\ana\AppData\Roaming\Python\Python311\site-packages\requests-2.31.0.dist-info`,
		`registry|Contoso Editor|4.2.1|Contoso||machine||386|C:\Program Files (x86)\Contoso Editor\editor.exe`,
		`registry|Contoso Editor|4.2.1|Contoso||machine||amd64|C:\Program Files\Contoso Editor`,
		`registry|Contoso Runtime||||machine||amd64| hidden`,
		`registry|Sample Chat|1.0||winget|user|ana||`,
		`registry|Sample Offline|3.1|||user|luis||`,
		`registry|Sample Old||||user|ana||`,
		`registry|Update for Contoso Editor (KB5030211)||||machine||amd64| hidden`,
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestWindowsFoundWithinSeconds adds Uninstall keys to a running machine, also of a user
// who signs in while it runs, and measures until the finding stands on the collector.
func TestWindowsFoundWithinSeconds(t *testing.T) {
	const limit = 3 * time.Second
	c := newCollector(t)
	c.allow(allowNothing)
	w := newWine(t)
	must(t, w.agent("enroll", "--token", c.token(), "--state", `C:\vigia\state`))
	log := t.TempDir() + "/agent.log"
	w.reg(`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList\S-1-12-1-7-7-7-7]
"ProfileImagePath"="C:\\users\\ana"
`)
	for _, dir := range []string{`users\ana\Downloads`, `users\ana\.vscode\extensions`} {
		if err := os.MkdirAll(w.path(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.ReadFile(filepath.Join(w.drive, "windows", "system32", "dism.exe"))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	w.start(log, `C:\vigia\vigia-agent.exe`, "run", "--state", `C:\vigia\state`)
	eventually(t, "the first report", patience, func() bool {
		return w.agent("status", "--state", `C:\vigia\state`, "--reported-since", began.UTC().Format(time.RFC3339)).code == 0
	}, log, c.log)
	for name, key := range map[string]string{
		"Sample Machine": `HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Sample1`,
		"Sample Wow":     `HKLM\SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Uninstall\Sample2`,
		"Sample Own":     `HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Sample3`,
		"Sample Later":   `HKU\S-1-12-1-7-7-7-7\Software\Microsoft\Windows\CurrentVersion\Uninstall\Sample4`,
	} {
		must(t, w.run("reg", "add", key, "/v", "DisplayName", "/d", name, "/f"))
		at := time.Now()
		eventually(t, "the finding of "+name, patience, func() bool { return c.finding(name) != nil }, log, c.log)
		took := time.Since(at)
		t.Logf("%s: %v from reg add's return to the finding", name, took)
		if took > limit {
			t.Errorf("%s took %v, want at most %v", name, took, limit)
		}
	}
	// What is put in a folder: a download under another name until it is whole, an extension.
	w.write(`users\ana\Downloads\dropped.exe.part`, program)
	if err := os.Rename(w.path(`users\ana\Downloads\dropped.exe.part`), w.path(`users\ana\Downloads\dropped.exe`)); err != nil {
		t.Fatal(err)
	}
	must(t, w.run("cmd", "/c", `copy C:\users\ana\Downloads\dropped.exe C:\users\ana\Downloads\copied.exe`))
	eventually(t, "the finding of a program in Downloads", patience, func() bool { return c.finding("Wine") != nil }, log, c.log)
	w.write(`unpacked\package.json`, []byte(`{"name":"sample","displayName":"Sample Extension","version":"1.0.0","publisher":"somebody"}`))
	must(t, w.run("cmd", "/c", `xcopy /i C:\unpacked C:\users\ana\.vscode\extensions\somebody.sample-1.0.0`))
	eventually(t, "the finding of an extension", patience, func() bool { return c.finding("Sample Extension") != nil }, log, c.log)
}
