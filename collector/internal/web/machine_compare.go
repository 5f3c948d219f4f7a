package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// compareRows bounds each list of a comparison.
const compareRows = 500

type machineComparePage struct {
	machinePage
	With      string // as it was asked for
	Other     fleet.Machine
	Problem   string
	Offered   []fleet.Machine // where several fit, or to choose from
	Facts     []comparedFact
	Here      []inventory.Program
	There     []inventory.Program
	Versions  []comparedVersion
	Same      int
	MoreHere  int
	MoreThere int
}

// comparedFact is one thing that both machines tell.
type comparedFact struct {
	Label, Here, There string
	Differs            bool
}

// comparedVersion is a program that both have, in different versions.
type comparedVersion struct{ Name, Source, Here, There string }

// machineCompare sets two machines side by side. Both must be in the reader's sight.
func (c *console) machineCompare(w http.ResponseWriter, r *http.Request) error {
	base, err := c.machineOf(w, r, "compare")
	if err != nil {
		return err
	}
	ctx := r.Context()
	p := machineComparePage{machinePage: base, With: form.Text(r, "with")}
	p.Title = p.T("compare.title", "Machine", p.Machine.Hostname)
	if err := c.findOther(ctx, &p); err != nil || p.Other.ID == "" {
		if err != nil {
			return err
		}
		return c.render(w, r, "machine_compare", &p)
	}
	here, err := c.Inventory.Installs(ctx, p.Machine.ID)
	if err != nil {
		return err
	}
	there, err := c.Inventory.Installs(ctx, p.Other.ID)
	if err != nil {
		return err
	}
	p.programs(here, there)
	a, err := c.machineFacts(ctx, &p.Page, p.Machine)
	if err != nil {
		return err
	}
	b, err := c.machineFacts(ctx, &p.Page, p.Other)
	if err != nil {
		return err
	}
	for i, f := range a {
		p.Facts = append(p.Facts, comparedFact{Label: f[0], Here: f[1], There: b[i][1], Differs: f[1] != b[i][1]})
	}
	return c.render(w, r, "machine_compare", &p)
}

// findOther finds the machine to compare with, by id or hostname, or offers some: those
// of the same model.
func (c *console) findOther(ctx context.Context, p *machineComparePage) error {
	if p.With == "" {
		f := fleet.MachineFilter{Model: p.Machine.Model, Limit: 12}
		list, err := c.Machines.Machines(ctx, f)
		p.Offered = slices.DeleteFunc(list, func(m fleet.Machine) bool { return m.ID == p.Machine.ID })
		return err
	}
	m, err := c.Machines.Machine(ctx, strings.ToLower(p.With))
	if err == nil {
		p.Other = m
	} else if !apperr.Is(err, apperr.NotFound) {
		return err
	} else {
		list, err := c.Machines.Machines(ctx, fleet.MachineFilter{Query: p.With, Limit: 50})
		if err != nil {
			return err
		}
		same := slices.DeleteFunc(slices.Clone(list), func(m fleet.Machine) bool { return policy.Fold(m.Hostname) != policy.Fold(p.With) })
		switch {
		case len(same) == 1:
			p.Other = same[0]
		case len(list) == 0:
			p.Problem = p.T("compare.nobody", "Machine", p.With)
		default:
			p.Problem, p.Offered = p.T("compare.several", "Machine", p.With), list[:min(len(list), 12)]
		}
	}
	if p.Other.ID == p.Machine.ID {
		p.Other, p.Problem = fleet.Machine{}, p.T("compare.itself")
	}
	return nil
}

// OnlyHere counts the programs that only the page's machine has.
func (p *machineComparePage) OnlyHere() string { return p.Number64(len(p.Here) + p.MoreHere) }

// OnlyThere counts those that only the other one has.
func (p *machineComparePage) OnlyThere() string { return p.Number64(len(p.There) + p.MoreThere) }

// compareKey is what makes two programs the same: not the version.
func compareKey(p *inventory.Program) string {
	return policy.Fold(p.Name) + "\x00" + p.Source + "\x00" + p.Arch
}

// programs sorts the programs of both machines into those of one only, and those in
// different versions.
func (p *machineComparePage) programs(here, there []fleet.Install) {
	other := map[string][]inventory.Program{}
	for _, x := range there {
		other[compareKey(&x.Program)] = append(other[compareKey(&x.Program)], x.Program)
	}
	mine := map[string][]inventory.Program{}
	for _, x := range here {
		mine[compareKey(&x.Program)] = append(mine[compareKey(&x.Program)], x.Program)
	}
	for key, a := range mine {
		b, both := other[key]
		switch va, vb := versionsOf(a), versionsOf(b); {
		case !both:
			p.Here = append(p.Here, a[0])
		case va == vb:
			p.Same++
		default:
			p.Versions = append(p.Versions, comparedVersion{a[0].Name, a[0].Source, va, vb})
		}
	}
	for key, b := range other {
		if _, both := mine[key]; !both {
			p.There = append(p.There, b[0])
		}
	}
	byName := func(a, b inventory.Program) int {
		return cmp.Or(cmp.Compare(policy.Fold(a.Name), policy.Fold(b.Name)), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Arch, b.Arch))
	}
	slices.SortFunc(p.Here, byName)
	slices.SortFunc(p.There, byName)
	slices.SortFunc(p.Versions, func(a, b comparedVersion) int {
		return cmp.Or(cmp.Compare(policy.Fold(a.Name), policy.Fold(b.Name)), cmp.Compare(a.Source, b.Source))
	})
	if n := len(p.Here) - compareRows; n > 0 {
		p.Here, p.MoreHere = p.Here[:compareRows], n
	}
	if n := len(p.There) - compareRows; n > 0 {
		p.There, p.MoreThere = p.There[:compareRows], n
	}
	p.Versions = p.Versions[:min(len(p.Versions), 2*compareRows)]
}

// versionsOf names the versions of one program, each once, in order.
func versionsOf(list []inventory.Program) string {
	var out []string
	for _, x := range list {
		if !slices.Contains(out, x.Version) {
			out = append(out, x.Version)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// machineFacts are a machine's facts for comparing: label and value, the same labels in
// the same order for every machine.
func (c *console) machineFacts(ctx context.Context, p *Page, m fleet.Machine) ([][2]string, error) {
	docs, err := c.Inventory.Documents(ctx, m.ID)
	if err != nil {
		return nil, err
	}
	s := machineShowPage{machinePage: machinePage{Page: *p, Machine: m}}
	for _, d := range docs {
		if err := s.read(d); err != nil {
			c.Log.Error("a stored section cannot be read", "machine", m.ID, "section", d.Section, "error", err)
		}
	}
	h, sys := s.Hardware, s.System
	if h == nil {
		h = &inventory.Hardware{}
	}
	if sys == nil {
		sys = &inventory.System{Name: m.OS}
	}
	var cpus, disks, av []string
	for _, x := range h.CPUs {
		cpus = append(cpus, x.Model)
	}
	for _, x := range h.Disks {
		disks = append(disks, strings.TrimSpace(x.Model+" "+p.Bytes(x.Bytes)))
	}
	for _, x := range s.Antivirus {
		av = append(av, p.Name("source", x.Product)+" "+x.Version+": "+p.Word("av.state", x.State))
	}
	memory := ""
	if h.Memory.TotalBytes > 0 {
		memory = p.Bytes(h.Memory.TotalBytes)
	}
	return [][2]string{
		{p.T("hw.model"), m.Model}, {p.T("hw.cpu"), strings.Join(cpus, "; ")}, {p.T("hw.memory"), memory}, {p.T("hw.disk"), strings.Join(disks, "; ")},
		{p.T("hw.bios"), h.BIOS.Version}, {p.T("machine.os"), sys.Name}, {p.T("sys.kernel"), sys.Kernel}, {p.Word("section", "antivirus"), strings.Join(av, "; ")},
		{p.T("machine.agent"), m.Agent}, {p.T("machine.site"), m.Site}, {p.T("machine.area"), m.Area}, {p.T("machine.groups"), strings.Join(m.Groups, ", ")},
	}, nil
}
