package antivirus

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

// image is a tree that holds a ClamAV installation.
type image struct {
	t   *testing.T
	dir string
}

func newImage(t *testing.T) image { return image{t, t.TempDir()} }

func (i image) write(name, text string) string {
	i.t.Helper()
	file := filepath.Join(i.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o755)); err != nil {
		i.t.Fatal(err)
	}
	return file
}

func (i image) collect(now time.Time) inventory.Antivirus {
	i.t.Helper()
	var part inventory.Snapshot
	n, err := ClamAV().Collect(context.Background(), &probe.Env{Root: i.dir, Now: now}, &part)
	if err != nil || n != 1 || len(part.Antivirus) != 1 {
		i.t.Fatalf("%d entries, %v, %+v", n, err, part.Antivirus)
	}
	return part.Antivirus[0]
}

func database(built time.Time, version, signatures int) string {
	return header(fmt.Sprintf("ClamAV-VDB:%s:%d:%d:90:m:d:b:%d", built.Format("02 Jan 2006 15-04 -0700"), version, signatures, built.Unix()))
}

// TestRealClamscan has clamscan itself find a file by a signature of the test's own,
// and reads the log it wrote.
func TestRealClamscan(t *testing.T) {
	img := newImage(t)
	img.write("usr/bin/clamscan", "x")
	sample := img.write("home/ana/Secret plans: 2027.txt", "the vigia test sample is harmless")
	img.write("db/test.ndb", "Vigia.Test.Sample:0:*:"+hex.EncodeToString([]byte("vigia test sample"))+"\n")
	log := filepath.Join(img.dir, "var/log/clamav/clamscan.log")
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		t.Fatal(err)
	}
	began := time.Now().Truncate(time.Second)
	cmd := exec.Command("/usr/bin/clamscan", "--database="+filepath.Join(img.dir, "db"), "--log="+log, sample)
	cmd.Env = []string{"TZ=UTC"}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("clamscan (package clamav) is needed for this test and should find one file: %v\n%s", err, out)
	}
	a := img.collect(time.Now())
	if a.LastScanAt.Before(began) || a.LastScanAt.After(time.Now()) || a.LastScanInfected != 1 || len(a.Detections) != 1 {
		t.Fatalf("%+v\n%s", a, out)
	}
	d := a.Detections[0]
	if d.Threat != "Vigia.Test.Sample.UNOFFICIAL" || d.Action != "found" || d.At.Before(began) {
		t.Errorf("%+v", d)
	}
	if told, err := json.Marshal(a); err != nil || strings.Contains(string(told), "Secret") || strings.Contains(string(told), "2027") {
		t.Errorf("tells the file's name: %s, %v", told, err)
	}
	if want := []string{ProblemDefinitionsMissing, ProblemInfected}; !slices.Equal(a.Problems, want) {
		t.Errorf("problems %v, want %v", a.Problems, want)
	}
}

func TestImageOfAServer(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	img := newImage(t)
	img.write("usr/sbin/clamd", "x")
	img.write("etc/clamav/clamd.conf", "# comment\nLogFile /srv/logs/scans.log\nDatabaseDirectory /srv/db\n")
	img.write("srv/db/main.cvd", database(now.AddDate(-1, 0, 0), 62, 6_600_000))
	img.write("srv/db/daily.cld", database(now.AddDate(0, 0, -1), 27810, 2_000))
	img.write("srv/db/bytecode.cvd", "damaged")
	img.write("srv/logs/scans.log", "Wed Nov 18 12:00:00 2026 -> /usr/bin/x: A FOUND\nMon Jun  1 12:00:00 2026 -> /usr/bin/x: TooOld FOUND\n")
	img.write("var/lib/dpkg/status", "Package: clamav-base\nStatus: install ok installed\nVersion: 0\n\n"+
		"Package: clamav\nStatus: install ok installed\nVersion: 1:1.4.6+dfsg-1~deb12u1\n\n")
	a := img.collect(now)
	want := inventory.Antivirus{
		Product: "ClamAV", Version: "1.4.6", State: "unknown", RealTime: "unknown", Updater: "unknown",
		DefinitionsVersion: "27810", DefinitionsAt: now.AddDate(0, 0, -1), Signatures: 6_602_000,
		Problems:   []string{ProblemNeverScanned},
		Detections: []inventory.Detection{{At: now.AddDate(0, 0, -5), Threat: "A", Where: "system", Action: "found"}},
	}
	if got, exp := fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", want); got != exp {
		t.Errorf("got  %s\nwant %s", got, exp)
	}
	if a = img.collect(now.AddDate(0, 0, 3)); !slices.Contains(a.Problems, ProblemDefinitionsOld) {
		t.Errorf("four days later: %v", a.Problems)
	}
}

func TestAbsentAndUnreadable(t *testing.T) {
	img := newImage(t)
	var part inventory.Snapshot
	if _, err := ClamAV().Collect(context.Background(), &probe.Env{Root: img.dir}, &part); !errors.Is(err, probe.ErrAbsent) {
		t.Errorf("empty machine: %v", err)
	}
	img.write("usr/bin/clamscan", "x")
	if err := os.MkdirAll(filepath.Join(img.dir, "var/lib/clamav/daily.cvd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := ClamAV().Collect(context.Background(), &probe.Env{Root: img.dir}, &part); err == nil || errors.Is(err, probe.ErrAbsent) {
		t.Errorf("a database that cannot be read: %v", err)
	}
}

func TestHere(t *testing.T) {
	var part inventory.Snapshot
	if _, err := ClamAV().Collect(context.Background(), &probe.Env{Root: "/", Now: time.Now()}, &part); err != nil {
		t.Fatalf("ClamAV (package clamav) is needed for this test: %v", err)
	}
	a := part.Antivirus[0]
	if a.State == "unknown" || a.RealTime == "unknown" || a.Updater == "unknown" || a.Version == "" {
		t.Errorf("%+v", a)
	}
	t.Logf("%+v", a)
}

func TestJudgeRunning(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	daily := CVDHeader{BuiltAt: now.Add(-time.Hour), Version: 1, Signatures: 1}
	for name, c := range map[string]struct {
		facts                    clamFacts
		state, realTime, updater string
		problems                 []string
	}{
		"all well": {clamFacts{hasDaemon: true, databases: 1, daily: daily, scans: ScanLog{LastScanAt: now},
			running: map[string]bool{"clamd": true, "freshclam": true, "clamonacc": true}}, "on", "on", "on", []string{}},
		"all off": {clamFacts{hasDaemon: true, databases: 1, daily: daily, running: map[string]bool{}},
			"off", "off", "off", []string{ProblemDaemonOff, ProblemNeverScanned, ProblemUpdaterOff}},
		"on demand, by cron": {clamFacts{databases: 1, daily: daily, scans: ScanLog{LastScanAt: now.AddDate(0, 0, -2)},
			lastFreshclam: now.AddDate(0, 0, -1), running: map[string]bool{}}, "on", "off", "on", []string{}},
		"old option": {clamFacts{hasDaemon: true, databases: 1, daily: daily, scans: ScanLog{LastScanAt: now, LastScanInfected: 2},
			conf: map[string]string{"ScanOnAccess": "yes"}, running: map[string]bool{"clamd": true, "freshclam": true}},
			"on", "on", "on", []string{ProblemInfected}},
	} {
		a := c.facts.judge(now)
		if a.State != c.state || a.RealTime != c.realTime || a.Updater != c.updater || !slices.Equal(a.Problems, c.problems) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}
