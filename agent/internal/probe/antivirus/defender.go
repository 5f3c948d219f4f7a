package antivirus

import (
	"context"
	"strconv"
	"strings"
	"time"

	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// defenderStatus is MSFT_MpComputerStatus (Defender's WMI provider, "Windows Defender
// WMIv2 APIs"). Ages are in days, with all bits set for never.
type defenderStatus struct {
	AMEngineVersion               string
	AMProductVersion              string
	AMRunningMode                 string
	AMServiceEnabled              bool
	AntivirusEnabled              bool
	AntivirusSignatureVersion     string
	AntivirusSignatureLastUpdated string
	DefenderSignaturesOutOfDate   bool
	RealTimeProtectionEnabled     bool
	IsTamperProtected             bool
	QuickScanEndTime              string
	FullScanEndTime               string
}

// defenderThreat is MSFT_MpThreat, the names of what detections tell by number.
type defenderThreat struct {
	ThreatID   int64
	ThreatName string
}

// defenderDetection is MSFT_MpThreatDetection.
type defenderDetection struct {
	ThreatID             int64
	InitialDetectionTime string
	ThreatStatusID       uint32
	Resources            []string
}

// defender asks Defender itself; nil where there is none or it does not answer.
func (w *windows) defender(ctx context.Context) *inventory.Antivirus {
	var rows []defenderStatus
	if !w.query(ctx, wmi.Defender, "SELECT * FROM MSFT_MpComputerStatus", &rows) || len(rows) == 0 {
		return nil
	}
	s := rows[0]
	a := &inventory.Antivirus{
		Product: productDefender, Version: s.AMProductVersion, Engine: s.AMEngineVersion, Problems: []string{}, Detections: []inventory.Detection{},
		State: onOff(s.AMServiceEnabled && s.AntivirusEnabled), RealTime: onOff(s.RealTimeProtectionEnabled),
		TamperProtection: onOff(s.IsTamperProtected), DefinitionsVersion: s.AntivirusSignatureVersion,
		DefinitionsAt: wmi.Time(s.AntivirusSignatureLastUpdated), QuickScanAt: wmi.Time(s.QuickScanEndTime), FullScanAt: wmi.Time(s.FullScanEndTime),
	}
	if mode := strings.ToLower(s.AMRunningMode); strings.Contains(mode, "passive") || strings.Contains(mode, "not running") || strings.Contains(mode, "edr") {
		a.State, a.RealTime = "off", "off"
	}
	a.LastScanAt = a.QuickScanAt
	if a.FullScanAt.After(a.LastScanAt) {
		a.LastScanAt = a.FullScanAt
	}
	problem := func(is bool, key string) {
		if is {
			a.Problems = append(a.Problems, key)
		}
	}
	problem(a.State == "off", ProblemOff)
	problem(a.State == "on" && a.RealTime == "off", ProblemRealTimeOff)
	problem(a.State == "on" && !s.IsTamperProtected, ProblemTamperOff)
	problem(a.DefinitionsAt.IsZero(), ProblemDefinitionsMissing)
	problem(!a.DefinitionsAt.IsZero() && (s.DefenderSignaturesOutOfDate || w.now.Sub(a.DefinitionsAt) > definitionsMaxAge), ProblemDefinitionsOld)
	problem(a.LastScanAt.IsZero(), ProblemNeverScanned)
	w.detections(ctx, a)
	return a
}

// detections tells those of the last 90 days.
func (w *windows) detections(ctx context.Context, a *inventory.Antivirus) {
	var found []defenderDetection
	if !w.query(ctx, wmi.Defender, "SELECT ThreatID, InitialDetectionTime, ThreatStatusID, Resources FROM MSFT_MpThreatDetection", &found) || len(found) == 0 {
		return
	}
	var threats []defenderThreat
	names := map[int64]string{}
	if w.query(ctx, wmi.Defender, "SELECT ThreatID, ThreatName FROM MSFT_MpThreat", &threats) {
		for _, t := range threats {
			names[t.ThreatID] = t.ThreatName
		}
	}
	for _, d := range found {
		at := wmi.Time(d.InitialDetectionTime)
		if at.IsZero() || w.now.Sub(at) > logMaxAge || len(a.Detections) >= maxDetections {
			continue
		}
		name := names[d.ThreatID]
		if name == "" {
			name = "Defender " + strconv.FormatInt(d.ThreatID, 10)
		}
		a.Detections = append(a.Detections, inventory.Detection{At: at.Truncate(time.Second), Threat: name, Where: w.where(d.Resources), Action: detectionAction(d.ThreatStatusID)})
	}
}

// detectionAction reads ThreatStatusID.
func detectionAction(status uint32) string {
	switch status {
	case 2, 4:
		return "removed"
	case 3:
		return "quarantined"
	case 6:
		return "blocked"
	}
	return "found" // detected, allowed, or an action that failed
}

// where reduces the resources of a detection, such as "file:_C:\Users\ana\a.exe", to the
// class of the first one's folder.
func (w *windows) where(resources []string) string {
	for _, r := range resources {
		_, path, ok := strings.Cut(r, ":_")
		if !ok {
			path = r
		}
		if class := windowsClass(path, w.removable); class != "unknown" {
			return class
		}
	}
	return "unknown"
}

func windowsClass(path string, removable func(string) bool) string {
	if len(path) < 3 || path[1] != ':' {
		return "unknown"
	}
	lower := strings.ToLower(strings.ReplaceAll(path, "/", `\`))
	switch {
	case removable != nil && removable(strings.ToUpper(path[:1])+`:\`):
		return "removable"
	case strings.Contains(lower, `\temp\`), strings.Contains(lower, `\inetcache\`):
		return "temporary"
	case strings.HasPrefix(lower[2:], `\users\`):
		return "home"
	}
	return "system"
}
