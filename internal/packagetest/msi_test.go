//go:build linux

package packagetest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// windows is a Windows as far as Wine is one, with services.
type windows struct {
	t      *testing.T
	prefix string // in the chroot
	drive  string // C: from outside
}

func newWindows(t *testing.T) *windows {
	t.Helper()
	root := strings.TrimSpace(run(t, "internal/tools/wine.sh"))
	w := &windows{t: t, prefix: strings.TrimSpace(run(t, "internal/tools/wine.sh", "new"))}
	w.drive = filepath.Join(root, w.prefix, "drive_c")
	t.Cleanup(func() { run(t, "internal/tools/wine.sh", "drop", w.prefix) })
	if _, err := try("internal/tools/wine.sh", "exec", w.prefix, "timeout", "30", "wineserver", "-p"); err != nil {
		t.Fatal(err)
	}
	return w
}

// wine runs a Windows program and returns its exit code, of which Wine passes on the last byte.
func (w *windows) wine(args ...string) (string, int) {
	w.t.Helper()
	out, err := try("internal/tools/wine.sh", append([]string{"exec", w.prefix, "timeout", "90", "wine"}, args...)...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return out, exit.ExitCode()
	case err != nil:
		w.t.Fatal(err)
	}
	return out, 0
}

func (w *windows) msiexec(want int, args ...string) {
	w.t.Helper()
	if out, code := w.wine(append([]string{"msiexec"}, append(args, "/qn", "/l*v", `C:\msi.log`)...)...); code != want {
		log, _ := os.ReadFile(filepath.Join(w.drive, "msi.log"))
		w.t.Fatalf("msiexec %v ended with %d, want %d: %s\n%s", args, code, want, out, failing(string(log)))
	}
}

func (w *windows) state(name string) string {
	return filepath.Join(w.drive, "ProgramData", "Vigia", "Agent", name)
}

func (w *windows) program() string {
	return filepath.Join(w.drive, "Program Files", "Vigia", "Agent", "vigia-agent.exe")
}

// field reads a field of one of the agent's files.
func (w *windows) field(file, name string) string {
	text, _ := os.ReadFile(w.state(file)) // absent: no field either
	m := regexp.MustCompile(`"` + name + `": *"?([^",\n]*)`).FindSubmatch(text)
	if m == nil {
		return ""
	}
	return string(m[1])
}

// reports waits until this version of the agent has reported since a moment.
func (w *windows) reports(version string, since time.Time) {
	w.t.Helper()
	eventually(w.t, "version "+version+" reports", func() error {
		ack, _ := time.Parse(time.RFC3339Nano, w.field("status.json", "last_ack"))
		if got := w.field("status.json", "version"); got != version || ack.Before(since) {
			return fmt.Errorf("version %s, acknowledged %v; %s", got, ack, w.field("status.json", "problem"))
		}
		return nil
	})
}

// collector starts the collector of the deb on free ports, and returns its program with
// the folder of its data.
func collector(t *testing.T) (program, data string) {
	t.Helper()
	dir := t.TempDir()
	run(t, "dpkg-deb", "-x", filepath.Join(packages(t, older, "deb"), "vigia-collector_"+older+"_amd64.deb"), dir)
	program, data = filepath.Join(dir, "usr/bin/vigia-collector"), filepath.Join(dir, "data")
	var log bytes.Buffer
	cmd := exec.Command(program, "serve", "--data", data, "--agents", "127.0.0.1:0", "--web", "127.0.0.1:0")
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("collector: %s", log.String())
		}
	})
	eventually(t, "the collector starts", func() error {
		_, err := try(program, "token", "create", "--data", data)
		return err
	})
	return program, data
}

func TestMsiFromInstallingToRemoving(t *testing.T) {
	w := newWindows(t)
	for _, version := range []string{older, newer} {
		run(t, "cp", filepath.Join(packages(t, version, "agent", "msi"), "vigia-agent_"+version+"_x64.msi"), w.drive)
	}
	msi := func(version string) string { return `C:\vigia-agent_` + version + `_x64.msi` }
	program, data := collector(t)
	token := strings.TrimSpace(run(t, program, "token", "create", "--data", data, "--uses", "1", "--expires", "1h"))
	start := time.Now()

	w.msiexec(0, "/i", msi(older), "TOKEN="+token)
	w.reports(older, start)
	id := w.field("identity.json", "machine_id")
	if list := run(t, program, "machine", "list", "--data", data, "--output", "json"); id == "" || !strings.Contains(list, id) {
		t.Fatalf("machine %q is not in %s", id, list)
	}
	if _, err := os.Stat(w.state("token")); !os.IsNotExist(err) {
		t.Errorf("the token is still there: %v", err)
	}
	if out, code := w.wine("reg", "query", `HKLM\Software`, "/s", "/f", token[:20]); code == 0 {
		t.Errorf("the token is in the registry: %s", out)
	}
	w.upgraded(msi, id)
	w.repaired(msi)
	w.removed(msi, id)
}

func (w *windows) upgraded(msi func(string) string, id string) {
	w.t.Helper()
	start := time.Now()
	w.msiexec(0, "/i", msi(newer))
	w.reports(newer, start)
	const refused = 1603 & 0xff
	w.msiexec(refused, "/i", msi(older))
	w.reports(newer, start)
	if got := w.field("identity.json", "machine_id"); got != id {
		w.t.Errorf("after upgrading this is machine %q, it was %q", got, id)
	}
	if out, _ := w.wine("reg", "query", `HKLM\Software\Vigia\Agent`); !strings.Contains(out, newer) {
		w.t.Errorf("the registry names another version: %s", out)
	}
}

func (w *windows) repaired(msi func(string) string) {
	w.t.Helper()
	w.wine("sc", "stop", "vigia-agent")
	eventually(w.t, "the service stops", func() error {
		if out, _ := w.wine("sc", "query", "vigia-agent"); !strings.Contains(out, "STOPPED") {
			return errors.New(out)
		}
		return nil
	})
	if err := os.WriteFile(w.program(), []byte("damaged"), 0o755); err != nil {
		w.t.Fatal(err)
	}
	start := time.Now()
	w.msiexec(0, "/i", msi(newer), "REINSTALL=ALL", "REINSTALLMODE=amus")
	if info, err := os.Stat(w.program()); err != nil || info.Size() < 1<<20 {
		w.t.Errorf("not repaired: %v, %v", info, err)
	}
	w.reports(newer, start)
}

func (w *windows) removed(msi func(string) string, id string) {
	w.t.Helper()
	w.msiexec(0, "/x", msi(newer), "KEEPIDENTITY=1")
	if _, err := os.Stat(w.program()); !os.IsNotExist(err) || w.field("identity.json", "machine_id") != id {
		w.t.Errorf("program %v, machine %q", err, w.field("identity.json", "machine_id"))
	}
	if out, code := w.wine("sc", "query", "vigia-agent"); code == 0 {
		w.t.Errorf("the service is still registered: %s", out)
	}
	start := time.Now()
	w.msiexec(0, "/i", msi(newer)) // takes the identity up again
	w.reports(newer, start)
	w.msiexec(0, "/x", msi(newer))
	if left, err := filepath.Glob(w.state("*")); err != nil || len(left) > 0 {
		w.t.Errorf("a clean removal leaves %v, %v", left, err)
	}
}

func TestMsiAndProgramAreSigned(t *testing.T) {
	keys := t.TempDir()
	key, cert := filepath.Join(keys, "key.pem"), filepath.Join(keys, "cert.pem")
	run(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
		"-subj", "/CN=Example Signing", "-addext", "extendedKeyUsage=codeSigning")
	dir := filepath.Join(scratch, "signed")
	out := run(t, "env", "OUT="+dir, "VERSION="+older, "SIGN_CERT="+cert, "SIGN_KEY="+key, "internal/tools/packages.sh", "agent", "msi")
	signed, plain := filepath.Join(dir, "vigia-agent_"+older+"_x64.msi"), filepath.Join(packages(t, older, "agent", "msi"), "vigia-agent_"+older+"_x64.msi")
	if !strings.Contains(out, "Signed build") {
		t.Errorf("says %s", out)
	}
	if out, err := try("osslsigncode", "verify", "-CAfile", cert, "-in", signed); err != nil || !strings.Contains(out, "Signature verification: ok") {
		t.Errorf("%s, %v", out, err)
	}
	// The program inside is signed too.
	run(t, "sh", "-c", "cd "+keys+" && msiextract "+signed)
	if out, err := try("osslsigncode", "verify", "-CAfile", cert, "-in", filepath.Join(keys, "PFiles/Vigia/Agent/vigia-agent.exe")); err != nil || !strings.Contains(out, "Signature verification: ok") {
		t.Errorf("%s, %v", out, err)
	}
	if info := run(t, "msiinfo", "suminfo", plain); !strings.Contains(info, "Unsigned build") {
		t.Errorf("an unsigned build does not say so: %s", info)
	}
	if info := run(t, "msiinfo", "suminfo", signed); !strings.Contains(info, "Comments: Signed build") {
		t.Errorf("a signed build does not say so: %s", info)
	}
}

// failing cuts out of a log what was done before it broke off.
func failing(log string) string {
	at := strings.Index(log, "Return value 3")
	if at < 0 {
		at = strings.Index(log, "Property(S)")
	}
	if at < 0 {
		at = len(log)
	}
	return log[max(0, at-2500):at]
}
