package present

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigia/internal/inventory"
)

func (p *printer) machine(m *inventory.Machine, at time.Time) {
	p.title("MACHINE %s", m.Hostname)
	p.field("domain", m.Domain)
	p.field("serial", m.Serial)
	p.field("uuid", m.UUID)
	p.field("machine id", m.MachineID)
	p.field("taken at", moment(at))
}

func (p *printer) hardware(h *inventory.Hardware) {
	p.title("HARDWARE %s", join(h.Vendor, h.Model))
	p.field("version", h.Version)
	p.field("sku", h.SKU)
	p.field("chassis", h.Chassis, labelled("asset tag", h.AssetTag))
	p.field("virtual", h.Virtual)
	p.field("bios", h.BIOS.Vendor, h.BIOS.Version, h.BIOS.Date)
	p.field("board", h.Board.Vendor, h.Board.Model, h.Board.Version, labelled("serial", h.Board.Serial))
	for _, c := range h.CPUs {
		p.field("cpu", labelled("socket", c.Socket), c.Model, fmt.Sprintf("(%d cores, %d threads)", c.Cores, c.Threads), number(c.MaxMHz, "MHz"), c.Arch)
	}
	p.field("memory", size(h.Memory.TotalBytes), labelled("of at most", size(h.Memory.MaxBytes)), labelled("in", number(h.Memory.Slots, "slots")))
	for _, m := range h.Memory.Modules {
		p.field("module", m.Locator, size(m.Bytes), m.Type, number(m.SpeedMTs, "MT/s"), m.Manufacturer, m.PartNumber, labelled("serial", m.Serial))
	}
	for _, d := range h.Disks {
		p.field("disk", d.Name, size(d.Bytes), d.Kind, d.Bus, d.Model, labelled("serial", d.Serial), labelled("health", d.Health))
	}
	for _, v := range h.Volumes {
		crypt := ""
		if v.Encrypted {
			crypt = "encrypted"
		}
		p.field("volume", v.Mount, size(v.Bytes), fmt.Sprintf("%d %% free", v.FreePct), v.FSType, v.Device, crypt, labelled("BitLocker", v.Protection))
	}
	p.devices(h)
}

func (p *printer) devices(h *inventory.Hardware) {
	for _, n := range h.Networks {
		p.field("network", n.Name, n.Kind, n.MAC, number(n.SpeedMbps, "Mbit/s"), strings.Join(n.Addresses, " "))
	}
	for _, g := range h.GPUs {
		p.field("gpu", g.Vendor, g.Model, labelled("driver", g.Driver))
	}
	for _, m := range h.Monitors {
		year := ""
		if m.Year > 0 {
			year = strconv.Itoa(m.Year)
		}
		p.field("monitor", m.Vendor, m.Model, labelled("serial", m.Serial), year)
	}
	for _, b := range h.Batteries {
		p.field("battery", b.Model, number(b.FullMWh, "mWh"), labelled("of", number(b.DesignMWh, "mWh")), fmt.Sprintf("%d %% worn", b.WearPct), number(b.Cycles, "cycles"))
	}
	p.field("tpm", h.TPM)
}

func (p *printer) system(s *inventory.System) {
	p.title("SYSTEM %s", s.Name)
	p.field("kernel", s.Kernel, s.Arch)
	p.field("installed", moment(s.InstalledAt))
	p.field("booted", moment(s.BootedAt))
	p.field("timezone", s.Timezone)
	p.field("locale", s.Locale)
	p.field("init", s.Init)
	p.field("secure boot", s.SecureBoot)
	p.field("reboot pending", yesNo(s.RebootPending))
	p.field("waits for", strings.Join(s.RebootReasons, " "))
	p.field("support ends", s.SupportEnds)
	p.field("edition", s.Edition)
	p.field("joined to", s.Join, s.JoinedTo)
	p.field("automatic updates", s.AutoUpdate, labelled("last", s.UpdatedOn))
	for _, f := range s.Firewall {
		p.field("firewall", f.Name, map[bool]string{true: "on", false: "off"}[f.On])
	}
	for _, a := range s.Activations {
		p.field("license", a.Product, labelled("key", a.PartialKey), a.State, labelled("until", a.EndsOn))
	}
	p.field("features", strings.Join(s.Features, " "))
	for _, h := range s.Hotfixes {
		p.field("update", h.ID, h.Kind, h.InstalledOn)
	}
	for _, u := range s.Users {
		role := ""
		if u.Admin {
			role = "(administrator)"
		}
		p.field("user", u.Name, role)
	}
}

func (p *printer) software(list []inventory.Program) {
	p.title("SOFTWARE %d", len(list))
	if len(list) == 0 {
		return
	}
	p.line("  NAME", "VERSION", "SOURCE", "ORIGIN", "PUBLISHER", "SCOPE", "ASKED FOR", "PATH")
	for i := range list {
		s := &list[i]
		scope := s.Scope
		if s.User != "" {
			scope += " " + s.User
		}
		p.line("  "+s.Name, orDash(s.Version), s.Source, orDash(s.Origin), orDash(s.Publisher), scope, yesNo(s.Requested), s.Path)
	}
}

func (p *printer) antivirus(list []inventory.Antivirus) {
	p.title("ANTIVIRUS %d", len(list))
	for _, a := range list {
		p.field(a.Product, a.Version, labelled("state", a.State), labelled("real time", a.RealTime), labelled("updater", a.Updater), labelled("tamper protection", a.TamperProtection), labelled("engine", a.Engine))
		p.field("definitions", a.DefinitionsVersion, moment(a.DefinitionsAt), number(int(a.Signatures), "signatures"))
		if !a.LastScanAt.IsZero() {
			p.field("last scan", moment(a.LastScanAt), fmt.Sprintf("%d infected", a.LastScanInfected))
		}
		p.field("problems", strings.Join(a.Problems, " "))
		for _, d := range a.Detections {
			p.field("detection", moment(d.At), d.Threat, labelled("in", d.Where), d.Action)
		}
	}
}

func (p *printer) sources(list []inventory.Source) {
	p.title("SOURCES %d", len(list))
	if len(list) == 0 {
		return
	}
	p.line("  SOURCE", "OUTCOME", "ENTRIES", "TOOK", "ERROR")
	for _, s := range list {
		p.line("  "+s.Source, string(s.Outcome), strconv.Itoa(s.Entries), fmt.Sprintf("%d ms", s.DurationMS), s.Error)
	}
}
