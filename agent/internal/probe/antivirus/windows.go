package antivirus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/wmi"
	"vigia/internal/inventory"
)

// SourceWindows is the source of all products of a Windows machine.
const SourceWindows = "windows-security"

// productDefender is what Microsoft calls its product in all of its lists.
const productDefender = "Microsoft Defender Antivirus"

// Keys of Antivirus.Problems that Windows products have besides those of ClamAV.
const (
	ProblemRealTimeOff = "real-time-off"
	ProblemTamperOff   = "tamper-protection-off"
	ProblemOff         = "product-off"
	ProblemSnoozed     = "product-snoozed"
	ProblemExpired     = "product-expired"
)

// Windows tells the products that Security Center knows with their state, Defender by
// its own class, and on Windows Server, which has no Security Center, Defender and the
// services of known products. Absent, failed and unhealthy stay apart: what nobody
// knows of has no entry, a question that failed makes the source fail in part, and a
// product that is off or old has its entry with Problems.
func Windows(ask wmi.Asker, removable func(drive string) bool) probe.Probe {
	return probe.Probe{
		Source: SourceWindows, Section: inventory.SectionAntivirus, Timeout: 60 * time.Second, LiveOnly: true,
		Registry: []string{`HKLM\SOFTWARE\Microsoft\Windows Defender\Real-Time Protection`, `HKLM\SOFTWARE\Microsoft\Windows Defender\Signature Updates`},
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			w := windows{ask: ask, now: env.Now, removable: removable}
			list, err := w.collect(ctx)
			for i := range list {
				list[i].Source = SourceWindows
			}
			part.Antivirus = list
			return len(list), err
		},
	}
}

type windows struct {
	ask       wmi.Asker
	now       time.Time
	removable func(drive string) bool
	errs      []error
}

// query asks, and reports whether there was an answer. Absence is one, of nothing.
func (w *windows) query(ctx context.Context, namespace, query string, rows any) bool {
	err := w.ask.Query(ctx, namespace, query, rows)
	if err != nil && !errors.Is(err, wmi.ErrAbsent) {
		w.errs = append(w.errs, err)
	}
	return err == nil
}

func (w *windows) collect(ctx context.Context) ([]inventory.Antivirus, error) {
	var list []inventory.Antivirus
	defender := w.defender(ctx)
	if defender != nil {
		list = append(list, *defender)
	}
	registered, server := w.registered(ctx, defender)
	list = append(list, registered...)
	if server {
		list = append(list, w.byService(ctx, list)...)
	}
	if defender != nil && otherOn(list) { // Defender steps back for another product; that is no fault
		list[0].Problems = without(list[0].Problems, ProblemOff, ProblemRealTimeOff, ProblemNeverScanned, ProblemDefinitionsOld)
	}
	switch {
	case len(w.errs) > 0:
		return list, fmt.Errorf("%w: %w", probe.ErrPartial, errors.Join(w.errs...))
	case len(list) == 0:
		return nil, fmt.Errorf("an antivirus product: %w", probe.ErrAbsent)
	}
	return list, nil
}

func otherOn(list []inventory.Antivirus) bool {
	for _, a := range list {
		if a.Product != productDefender && a.State == "on" {
			return true
		}
	}
	return false
}

func without(list []string, drop ...string) []string {
	return slices.DeleteFunc(list, func(s string) bool { return slices.Contains(drop, s) })
}

// securityProduct is AntiVirusProduct of root\SecurityCenter2.
type securityProduct struct {
	DisplayName  string
	ProductState uint32
	Timestamp    string
}

// registered tells what products told Security Center. server is true where there is
// none.
func (w *windows) registered(ctx context.Context, defender *inventory.Antivirus) (list []inventory.Antivirus, server bool) {
	var rows []securityProduct
	failed := len(w.errs)
	if !w.query(ctx, wmi.SecurityCenter, "SELECT displayName, productState, timestamp FROM AntiVirusProduct", &rows) {
		return nil, len(w.errs) == failed
	}
	seen := map[string]bool{}
	for _, r := range rows {
		isDefender := strings.Contains(r.DisplayName, "Windows Defender") || strings.Contains(r.DisplayName, "Microsoft Defender")
		if r.DisplayName == "" || seen[r.DisplayName] || (isDefender && defender != nil) {
			continue
		}
		seen[r.DisplayName] = true
		a := inventory.Antivirus{Product: r.DisplayName, Problems: []string{}, Detections: []inventory.Detection{}}
		if isDefender {
			a.Product = productDefender
		}
		state := DecodeProductState(r.ProductState, isDefender)
		a.State, a.RealTime = state.Scanner, "off"
		if state.Scanner == "on" {
			a.RealTime = "on"
		}
		switch state.Scanner {
		case "off":
			a.Problems = append(a.Problems, ProblemOff)
		case "snoozed":
			a.Problems = append(a.Problems, ProblemSnoozed)
		case "expired":
			a.Problems = append(a.Problems, ProblemExpired)
		case "unknown":
			a.RealTime = "unknown"
		}
		if state.Old {
			a.Problems = append(a.Problems, ProblemDefinitionsOld)
		}
		list = append(list, a)
	}
	return list, false
}

// ProductState is what productState of Security Center says.
type ProductState struct {
	Scanner string // "on", "off", "snoozed", "expired", "unknown"
	Old     bool   // definitions are out of date
}

// DecodeProductState takes the number apart. Microsoft does not document it; products
// agree on bits 12–15 for the scanner (0 off, 1 on, 2 snoozed, 3 expired), bits 4–7 for
// the definitions (0 current, else old) and bits 8–11 for whose product it is. Some of
// other makers write 1 there when they are paused.
func DecodeProductState(state uint32, defender bool) ProductState {
	s := ProductState{Old: state&0xf0 != 0}
	switch state >> 12 & 0xf {
	case 0:
		s.Scanner = "off"
		if state>>8&0xf == 1 && !defender {
			s.Scanner = "snoozed"
		}
	case 1:
		s.Scanner = "on"
	case 2:
		s.Scanner = "snoozed"
	case 3:
		s.Scanner = "expired"
	default:
		s.Scanner = "unknown"
	}
	return s
}

// service is Win32_Service.
type service struct{ Name, DisplayName, State string }

// byService finds known products by their services, where no Security Center lists them.
func (w *windows) byService(ctx context.Context, known []inventory.Antivirus) []inventory.Antivirus {
	var rows []service
	if !w.query(ctx, wmi.CIMV2, "SELECT Name, DisplayName, State FROM Win32_Service", &rows) {
		return nil
	}
	best := map[string]string{}
	for _, r := range rows {
		product := productOfService(r.Name)
		if product == "" || (product == productDefender && len(known) > 0) {
			continue
		}
		if state := onOff(r.State == "Running"); best[product] != "on" {
			best[product] = state
		}
	}
	var list []inventory.Antivirus
	for product, state := range best {
		a := inventory.Antivirus{Product: product, State: state, RealTime: "unknown", Problems: []string{}, Detections: []inventory.Detection{}}
		if state == "off" {
			a.Problems = append(a.Problems, ProblemOff)
		}
		list = append(list, a)
	}
	return list
}

// productOfService names products by the service that scans, in lower case.
func productOfService(name string) string {
	name = strings.ToLower(name)
	switch name {
	case "windefend":
		return productDefender
	case "ekrn":
		return "ESET Security"
	case "sepmasterservice":
		return "Symantec Endpoint Protection"
	case "mfemms", "mcshield", "mfetp":
		return "Trellix Endpoint Security"
	case "savservice", "sophos endpoint defense service", "sophos file scanner service":
		return "Sophos Endpoint"
	case "csfalconservice":
		return "CrowdStrike Falcon"
	case "sentinelagent":
		return "SentinelOne"
	case "ntrtscan", "ds_agent", "tmlisten":
		return "Trend Micro"
	case "epsecurityservice", "vsserv", "bdredline":
		return "Bitdefender"
	case "mbamservice":
		return "Malwarebytes"
	case "wrsvc":
		return "Webroot"
	case "cylancesvc":
		return "CylancePROTECT"
	case "avast! antivirus", "avg antivirus":
		return "Avast/AVG"
	case "fsulnethoster", "fshoster":
		return "WithSecure"
	case "psanhost", "pandaagent":
		return "Panda Endpoint Protection"
	case "cyserver", "cyverak":
		return "Cortex XDR"
	}
	if strings.HasPrefix(name, "avp") && !strings.Contains(name, "sus") {
		return "Kaspersky Endpoint Security"
	}
	return ""
}
