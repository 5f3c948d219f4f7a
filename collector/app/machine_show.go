package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/inventory"
)

type machineShowCmd struct {
	machineArg `embed:""`
	outputFlag `embed:""`
	Summary    bool `help:"Only hardware in three lines, programs by source, antivirus and open findings."`
	Software   bool `help:"List every program too."`
}

// Help implements kong.HelpProvider.
func (machineShowCmd) Help() string {
	return examples("machine show pc-017", "machine show pc-017 --summary", "machine show pc-017 --output json")
}

// wholeMachine is what is known of a machine.
type wholeMachine struct {
	row       machineRow
	documents []fleet.Document
	installs  []fleet.Install
	findings  []findingRow
	inventory.Snapshot
}

// Run implements the command.
func (c *machineShowCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		m, err := d.fleet.Find(ctx, c.Machine)
		if err != nil {
			return err
		}
		w, err := d.whole(ctx, m)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return w.json(s)
		}
		w.print(s, c.Summary)
		if c.Software {
			fmt.Fprintln(s.out)
			return show(s, "table", w.installs, []string{"PROGRAM", "VERSION", "SOURCE", "SCOPE", "USER", "PATH", "SINCE"}, func(i fleet.Install) []string {
				return []string{i.Name, i.Version, i.Source, i.Scope, i.User, i.Path, stamp(i.FirstSeen)}
			})
		}
		return nil
	})
}

func (d *desk) whole(ctx context.Context, m fleet.Machine) (*wholeMachine, error) {
	w := &wholeMachine{row: toMachineRow(m)}
	var err error
	if w.documents, err = d.store.Documents(ctx, m.ID); err != nil {
		return nil, err
	}
	if w.installs, err = d.store.Installs(ctx, m.ID); err != nil {
		return nil, err
	}
	if w.findings, err = d.findings(ctx, authorization.FindingFilter{Machine: m.ID}); err != nil {
		return nil, err
	}
	parts := map[inventory.Section]any{inventory.SectionHardware: &w.Hardware, inventory.SectionSystem: &w.System,
		inventory.SectionAntivirus: &w.Antivirus, inventory.SectionSources: &w.Sources, inventory.SectionMachine: &w.Snapshot.Machine}
	for _, doc := range w.documents {
		if into := parts[doc.Section]; into != nil {
			if err := json.Unmarshal(doc.Body, into); err != nil {
				return nil, fmt.Errorf("section %s of %s: %w", doc.Section, m.Hostname, err)
			}
		}
	}
	return w, nil
}

func (w *wholeMachine) json(s *streams) error {
	type program struct {
		inventory.Program
		FirstSeen *time.Time `json:"first_seen"`
	}
	programs := []program{}
	for _, i := range w.installs {
		programs = append(programs, program{i.Program, utc(i.FirstSeen)})
	}
	sections := map[string]json.RawMessage{}
	for _, d := range w.documents {
		sections[string(d.Section)] = d.Body
	}
	return printJSON(s.out, struct {
		machineRow
		Sections map[string]json.RawMessage `json:"sections"`
		Software []program                  `json:"software"`
		List     []findingRow               `json:"finding_list"`
	}{w.row, sections, programs, w.findings})
}

func (w *wholeMachine) print(s *streams, summary bool) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(s.out, "%-12s%s\n", name, plain(fmt.Sprintf(format, args...)))
	}
	line("machine", "%s · %s · %s", w.row.Hostname, w.System.Name, w.row.State)
	line("hardware", "%s", modelText(&w.Hardware))
	line("", "%s", cpuText(w.Hardware.CPUs))
	line("", "%s of memory · %s", sizeText(w.Hardware.Memory.TotalBytes), diskText(w.Hardware.Disks))
	line("programs", "%d: %s", len(w.installs), bySource(w.installs))
	line("antivirus", "%s", antivirusText(w.Antivirus))
	if !summary {
		line("id", "%s", w.row.ID)
		line("serial", "%s", w.row.Serial)
		line("site, area", "%s, %s", w.row.Site, w.row.Area)
		line("person", "%s", w.row.Person)
		line("groups", "%s", strings.Join(w.row.Groups, ", "))
		line("enrolled", "%s", optional(w.row.Enrolled))
		line("last seen", "%s", optional(w.row.LastSeen))
		line("last report", "%s", optional(w.row.Report))
		line("agent", "%s, %d reports wait there", w.row.Agent, w.row.Spooled)
		for _, src := range w.Sources {
			if src.Outcome == inventory.OutcomeFailed || src.Outcome == inventory.OutcomeStale {
				line("source", "%s is %s: %s", src.Source, src.Outcome, src.Error)
			}
		}
	}
	slices.SortFunc(w.findings, func(a, b findingRow) int {
		return cmp.Or(strings.Compare(a.Program, b.Program), strings.Compare(a.Version, b.Version), strings.Compare(a.Source, b.Source))
	})
	open := 0
	for _, f := range w.findings {
		if f.State == string(authorization.Open) {
			open++
		}
	}
	line("findings", "%d open", open)
	for _, f := range w.findings {
		if f.State == string(authorization.Open) {
			line("", "%s (%s): %s", strings.TrimSpace(f.Program+" "+f.Version), f.Source, f.Reason)
		}
	}
}

func bySource(list []fleet.Install) string {
	counts := map[string]int{}
	for _, i := range list {
		counts[i.Source]++
	}
	names := make([]string, 0, len(counts))
	for n := range counts {
		names = append(names, n)
	}
	sort.Slice(names, func(a, b int) bool { return counts[names[a]] > counts[names[b]] })
	text := ""
	for i, n := range names {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%d %s", counts[n], n)
	}
	return text
}

// modelText names the machine, or what it runs in where nobody made it.
func modelText(h *inventory.Hardware) string {
	switch name := strings.TrimSpace(h.Vendor + " " + h.Model); {
	case name != "":
		return name
	case h.Virtual != "":
		return "virtual (" + h.Virtual + ")"
	}
	return "maker and model unknown"
}

func cpuText(list []inventory.CPU) string {
	if len(list) == 0 {
		return "processor unknown"
	}
	cores := 0
	for _, c := range list {
		cores += c.Cores
	}
	return fmt.Sprintf("%s, %d cores", list[0].Model, cores)
}

func diskText(list []inventory.Disk) string {
	text := ""
	for _, d := range list {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("%s %s", d.Name, sizeText(d.Bytes))
	}
	return orUnknown(text)
}

func antivirusText(list []inventory.Antivirus) string {
	if len(list) == 0 {
		return "none found"
	}
	text := ""
	for _, a := range list {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("%s %s is %s", a.Product, a.Version, a.State)
		if a.DefinitionsAt.IsZero() {
			text += ", no definitions found"
		} else {
			text += ", definitions of " + stamp(a.DefinitionsAt)
		}
	}
	return text
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// sizeText writes bytes in the unit people use.
func sizeText(n uint64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	v, suffix := float64(n)/unit, 0
	for v >= unit && suffix < 4 {
		v /= unit
		suffix++
	}
	return fmt.Sprintf("%.1f %ciB", v, "KMGTP"[suffix])
}
