// Package present owns how the agent shows an inventory to a person at a terminal. It
// refuses to collect, to judge and to colour: what it writes is plain text that can be
// read, searched and diffed.
package present

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"vigia/internal/inventory"
)

// Table writes the chosen sections of s (all when there are none) as aligned text. The
// error is that of w.
func Table(w io.Writer, s *inventory.Snapshot, sections []inventory.Section) error {
	if len(sections) == 0 {
		sections = inventory.Sections()
	}
	p := &printer{tw: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	for i, section := range sections {
		if i > 0 {
			p.line()
		}
		switch section {
		case inventory.SectionMachine:
			p.machine(&s.Machine, s.TakenAt)
		case inventory.SectionHardware:
			p.hardware(&s.Hardware)
		case inventory.SectionSystem:
			p.system(&s.System)
		case inventory.SectionSoftware:
			p.software(s.Software)
		case inventory.SectionAntivirus:
			p.antivirus(s.Antivirus)
		case inventory.SectionSources:
			p.sources(s.Sources)
		}
	}
	if err := p.tw.Flush(); err != nil {
		return fmt.Errorf("writing the table: %w", err)
	}
	return p.err
}

// printer writes lines of cells; the first error stays.
type printer struct {
	tw  *tabwriter.Writer
	err error
}

// line writes cells, made safe for a terminal.
func (p *printer) line(cells ...string) {
	for i := range cells {
		cells[i] = printable(cells[i])
	}
	if _, err := fmt.Fprintln(p.tw, strings.TrimRight(strings.Join(cells, "\t"), "\t")); err != nil && p.err == nil {
		p.err = fmt.Errorf("writing the table: %w", err)
	}
}

// title starts a section; its columns are aligned apart from what came before.
func (p *printer) title(format string, args ...any) {
	if err := p.tw.Flush(); err != nil && p.err == nil {
		p.err = fmt.Errorf("writing the table: %w", err)
	}
	p.line(strings.TrimSpace(fmt.Sprintf(format, args...)))
}

// field writes a name and what is known of it; nothing when nothing is.
func (p *printer) field(name string, parts ...string) {
	if text := join(parts...); text != "" {
		p.line("  "+name, text)
	}
}

// printable replaces what could move a terminal's cursor or break a row.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return '?'
		}
		return r
	}, s)
}

// join puts what is not empty in one text.
func join(parts ...string) string {
	kept := parts[:0:0]
	for _, s := range parts {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, " ")
}

// size writes bytes with the largest binary unit that leaves at least one.
func size(n uint64) string {
	if n == 0 {
		return ""
	}
	units := [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	if v == float64(int64(v)) || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[u])
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}

// number writes n with its unit; nothing for 0.
func number(n int, unit string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// moment writes a time in UTC; nothing for the zero time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// labelled writes "label value"; nothing without a value.
func labelled(label, value string) string {
	if value == "" {
		return ""
	}
	return label + " " + value
}

func orDash(s string) string { return cmp.Or(s, "-") }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
