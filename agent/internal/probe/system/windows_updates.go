package system

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// updates tells hotfixes, when the last was installed, and whether Windows updates itself.
func (w *windowsFacts) updates(ctx context.Context, s *inventory.System) {
	var rows []struct{ HotFixID, Description, InstalledOn string }
	if w.query(ctx, wmi.CIMV2, "SELECT HotFixID, Description, InstalledOn FROM Win32_QuickFixEngineering", &rows) {
		for _, r := range rows {
			if !strings.HasPrefix(r.HotFixID, "KB") {
				continue
			}
			at := hotfixDate(r.InstalledOn)
			s.Hotfixes = append(s.Hotfixes, inventory.Hotfix{ID: r.HotFixID, Kind: r.Description, InstalledOn: at})
			s.UpdatedOn = max(s.UpdatedOn, at)
		}
	}
	s.AutoUpdate = "on"
	if off, ok := w.number(keyUpdateAU, "NoAutoUpdate"); ok && off == 1 {
		s.AutoUpdate = "off"
	}
	if start, ok := w.number(`SYSTEM\CurrentControlSet\Services\wuauserv`, "Start"); !ok {
		s.AutoUpdate = ""
	} else if start == 4 { // SERVICE_DISABLED
		s.AutoUpdate = "off"
	}
	w.updateTimes(s)
}

// updateTimes reads what Windows before version 10 keeps; later ones may.
func (w *windowsFacts) updateTimes(s *inventory.System) {
	if t, err := time.Parse(time.DateTime, w.text(keyUpdate+`\Results\Install`, "LastSuccessTime")); err == nil {
		s.UpdatedOn = max(s.UpdatedOn, t.Format(time.DateOnly))
	}
}

// hotfixDate reads InstalledOn: month/day/year, or a number of 100 ns since 1601 in
// hexadecimal, as old updates wrote it.
func hotfixDate(text string) string {
	for _, layout := range [...]string{"1/2/2006", "20060102", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Format(time.DateOnly)
		}
	}
	if n, err := strconv.ParseUint(text, 16, 64); err == nil && len(text) == 16 {
		if days := n / 864_000_000_000; days > 138_000 && days < 200_000 {
			return time.Date(1601, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(days)).Format(time.DateOnly)
		}
	}
	return ""
}

// Applications of the licensing service.
const (
	appWindows = "55c92734-d682-4d71-983e-d6ec3f16059f"
	appOffice  = "0ff1ce15-a989-479d-af46-f275c6370663"
)

// activations tells the licenses of Windows and Office that have a key.
func (w *windowsFacts) activations(ctx context.Context, s *inventory.System) {
	var rows []struct {
		Name, PartialProductKey, ApplicationID string
		LicenseStatus, GracePeriodRemaining    uint32
	}
	w.query(ctx, wmi.CIMV2, "SELECT Name, PartialProductKey, ApplicationID, LicenseStatus, GracePeriodRemaining FROM SoftwareLicensingProduct WHERE PartialProductKey IS NOT NULL", &rows)
	for _, r := range rows {
		app := strings.ToLower(r.ApplicationID)
		if r.PartialProductKey == "" || (app != appWindows && app != appOffice && app != "") {
			continue
		}
		a := inventory.Activation{Product: r.Name, PartialKey: r.PartialProductKey, State: licenseState(r.LicenseStatus)}
		if r.GracePeriodRemaining > 0 {
			a.EndsOn = w.now.Add(time.Duration(r.GracePeriodRemaining) * time.Minute).UTC().Format(time.DateOnly)
		}
		s.Activations = append(s.Activations, a)
	}
}

// licenseState reads LicenseStatus of SoftwareLicensingProduct.
func licenseState(status uint32) string {
	switch status {
	case 0:
		return "unlicensed"
	case 1:
		return "licensed"
	case 2, 3, 6:
		return "grace"
	case 4:
		return "not-genuine"
	case 5:
		return "notification"
	}
	return "unknown"
}

// features tells the optional parts of Windows that are on.
func (w *windowsFacts) features(ctx context.Context, s *inventory.System) {
	var rows []struct {
		Name         string
		InstallState uint32
	}
	w.query(ctx, wmi.CIMV2, "SELECT Name, InstallState FROM Win32_OptionalFeature WHERE InstallState = 1", &rows)
	for _, r := range rows {
		if r.InstallState == 1 && r.Name != "" {
			s.Features = append(s.Features, r.Name)
		}
	}
	slices.Sort(s.Features)
}
