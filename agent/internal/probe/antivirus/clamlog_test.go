package antivirus

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"vigia/internal/inventory"
)

func TestParseClamscanLog(t *testing.T) {
	f, err := os.Open("testdata/clamscan.log") // three runs of clamscan 1.4.6
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	loc := time.FixedZone("CST", -6*3600)
	got, err := ParseScanLog(f, loc)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 20, 47, 15, 0, loc).UTC()
	d := inventory.Detection{At: at, Threat: "Vigia.Test.Sample.UNOFFICIAL", Where: "home", Action: "found"}
	moved, removed := d, d
	moved.Action, removed.Action = "quarantined", "removed"
	want := ScanLog{LastScanAt: at, LastScanInfected: 1, Detections: []inventory.Detection{d, moved, removed}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseScanLogForms(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		log  string
		want []inventory.Detection
	}{
		"clamd, extended": {"Mon Nov 23 12:00:00 2026 -> /media/usb/a: b.exe: Win.Test.EICAR_HDB-1(44d88612fea8a8f36de82e1278abb02f:68) FOUND\n",
			[]inventory.Detection{{At: noon, Threat: "Win.Test.EICAR_HDB-1", Where: "removable", Action: "found"}}},
		"clamd, day of one digit": {"Mon Nov  2 12:00:00 2026 -> /tmp/x: A FOUND\n",
			[]inventory.Detection{{At: noon.AddDate(0, 0, -21), Threat: "A", Where: "temporary", Action: "found"}}},
		"older clamscan":       {"/opt/x: A FOUND\n/opt/x: Removed.\n", []inventory.Detection{{Threat: "A", Where: "system", Action: "removed"}}},
		"another file's line":  {"/opt/x: A FOUND\n/opt/y: Removed.\n", []inventory.Detection{{Threat: "A", Where: "system", Action: "found"}}},
		"no threat":            {"/opt/x:  FOUND\nFOUND\n: A FOUND\n FOUND\n", nil},
		"threat with a space":  {"/opt/lost: and FOUND\n/opt/a: b c FOUND\n", []inventory.Detection{{Threat: "and", Where: "system", Action: "found"}}},
		"unfinished last line": {"/opt/x: A FOU", nil},
		"a line of 1 MiB":      {"/opt/" + strings.Repeat("x", 1<<20) + ": A FOUND\n/opt/x: B FOUND\n", []inventory.Detection{{Threat: "B", Where: "system", Action: "found"}}},
		"NUL":                  {"/opt/\x00: A FOUND\n", []inventory.Detection{{Threat: "A", Where: "system", Action: "found"}}},
	} {
		got, err := ParseScanLog(strings.NewReader(c.log), time.UTC)
		if err != nil || !reflect.DeepEqual(got.Detections, c.want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got.Detections, err, c.want)
		}
	}
}

func TestParseScanLogKeepsTheLastScan(t *testing.T) {
	got, err := ParseScanLog(strings.NewReader("Infected files: 3\nStart Date: 2026:11:20 10:00:00\nEnd Date:   2026:11:20 11:00:00\n"+
		"Infected files: 0\nStart Date: 2026:11:21 10:00:00\nEnd Date:   2026:11:21 11:30:00\n"+
		"Infected files: 9\nStart Date: bad\nEnd Date:   worse\n"), time.UTC)
	if want := time.Date(2026, 11, 21, 11, 30, 0, 0, time.UTC); err != nil || !got.LastScanAt.Equal(want) || got.LastScanInfected != 0 {
		t.Errorf("%+v, %v; want the scan of %v", got, err, want)
	}
}

func TestParseScanLogFloodIsBounded(t *testing.T) {
	got, err := ParseScanLog(strings.NewReader(strings.Repeat("/tmp/x: A FOUND\n", 100_000)+"/tmp/x: Last FOUND\n"), time.UTC)
	if n := len(got.Detections); err != nil || n > 20*maxDetections || got.Detections[n-1].Threat != "Last" {
		t.Errorf("%d detections, %v", n, err)
	}
}

func TestParseFreshclamLog(t *testing.T) {
	for name, c := range map[string]struct {
		log  string
		want time.Time
	}{
		"up to date": {"Mon Nov 23 12:00:00 2026 -> ClamAV update process started at Mon Nov 23 12:00:00 2026\n" +
			"Mon Nov 23 12:00:01 2026 -> daily.cvd database is up-to-date (version: 27810, sigs: 2076, f-level: 90, builder: raynman)\n",
			time.Date(2026, 11, 23, 12, 0, 1, 0, time.UTC)},
		"updated": {"Mon Nov 23 12:00:01 2026 -> daily.cld updated (version: 27811, sigs: 2076, f-level: 90, builder: raynman)\n",
			time.Date(2026, 11, 23, 12, 0, 1, 0, time.UTC)},
		"failed": {"Mon Nov 23 12:00:00 2026 -> ClamAV update process started at Mon Nov 23 12:00:00 2026\n" +
			"Mon Nov 23 12:00:01 2026 -> ^Can't query current.cvd.clamav.net\nMon Nov 23 12:00:01 2026 -> !Update failed for database: daily\n", time.Time{}},
	} {
		if got, err := ParseFreshclamLog(strings.NewReader(c.log), time.UTC); err != nil || !got.Equal(c.want) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

func FuzzParseScanLog(f *testing.F) {
	seed, err := os.ReadFile("testdata/clamscan.log")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(seed))
	f.Add("Mon Nov 23 12:00:00 2026 -> /x: A(b:1) FOUND\nMon Nov 23 12:00:00 2026 -> daily.cld updated (version\n")
	f.Fuzz(func(t *testing.T, text string) {
		log, err := ParseScanLog(strings.NewReader(text), time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range log.Detections {
			if d.Threat == "" || strings.Contains(d.Where, "/") {
				t.Errorf("%+v", d)
			}
		}
		if _, err := ParseFreshclamLog(strings.NewReader(text), time.UTC); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseClamConf(strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	})
}
