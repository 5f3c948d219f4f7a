package antivirus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/wmi/wmitest"
	"vigia/internal/inventory"
)

var march = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func collectRecorded(ask wmitest.Recorded) ([]inventory.Antivirus, error) {
	p := Windows(ask, func(drive string) bool { return drive == `E:\` })
	var part inventory.Snapshot
	_, err := p.Collect(context.Background(), &probe.Env{Root: "/", Now: march}, &part)
	part.Normalize()
	return part.Antivirus, err
}

func summary(list []inventory.Antivirus) []string {
	var s []string
	for _, a := range list {
		s = append(s, fmt.Sprintf("%s %s realtime=%s %s", a.Product, a.State, a.RealTime, strings.Join(a.Problems, ",")))
	}
	return s
}

func TestWindowsProducts(t *testing.T) {
	for file, want := range map[string][]string{
		"several": { // one on, one old, one off, one paused in each way, one expired with old definitions, Defender stepped back
			"Avast Antivirus snoozed realtime=off product-snoozed",
			"ESET Security on realtime=on ",
			"Kaspersky on realtime=on definitions-old",
			"McAfee expired realtime=off product-expired",
			"Microsoft Defender Antivirus off realtime=off definitions-missing",
			"Norton off realtime=off product-off",
			"Trial unknown realtime=unknown definitions-old",
		},
		"healthy": {"Microsoft Defender Antivirus on realtime=on "},
		"server": { // no Security Center: Defender by its class, others by their service
			"Microsoft Defender Antivirus on realtime=off definitions-old,never-scanned,real-time-off,tamper-protection-off",
			"SentinelOne off realtime=unknown product-off",
		},
	} {
		list, err := collectRecorded(wmitest.Load(t, "testdata/"+file+".json"))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if got := summary(list); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestDefenderTellsScansAndDetections(t *testing.T) {
	list, err := collectRecorded(wmitest.Load(t, "testdata/healthy.json"))
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	a := list[0]
	if a.Engine != "1.1.26010.3" || a.Version != "4.18.26010.5" || a.DefinitionsVersion != "1.443.12.0" || a.TamperProtection != "on" ||
		!a.DefinitionsAt.Equal(time.Date(2026, 3, 2, 3, 15, 0, 0, time.UTC)) ||
		!a.QuickScanAt.Equal(time.Date(2026, 3, 2, 4, 15, 0, 0, time.UTC)) || !a.LastScanAt.Equal(a.QuickScanAt) ||
		!a.FullScanAt.Equal(time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", a)
	}
	var got []string
	for _, d := range a.Detections {
		got = append(got, d.Threat+" "+d.Where+" "+d.Action)
	}
	want := []string{"Virus:DOS/EICAR_Test_File home quarantined", "Virus:DOS/EICAR_Test_File removable found", "Defender 99 system blocked"}
	if !slices.Equal(got, want) {
		t.Errorf("detections %v, want %v", got, want)
	}
}

// TestAbsentFailedUnhealthy: nobody to ask is absent; a question that hangs fails in
// part and keeps what others told.
func TestAbsentFailedUnhealthy(t *testing.T) {
	if list, err := collectRecorded(wmitest.Recorded{}); !errors.Is(err, probe.ErrAbsent) || len(list) != 0 {
		t.Errorf("nothing there: %v, %v", list, err)
	}
	list, err := collectRecorded(wmitest.Load(t, "testdata/stalled.json"))
	if !errors.Is(err, probe.ErrPartial) || errors.Is(err, probe.ErrAbsent) || !strings.Contains(err.Error(), "deadline") || len(list) != 1 {
		t.Errorf("stalled: %v, %v", list, err)
	}
}
