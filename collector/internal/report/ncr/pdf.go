// Package ncr owns the papers of nonconformities: the record as PDF for the ISO file, the
// register of a year, and the analysis for the management review. It refuses to read
// anything and to decide: it takes records and writes them in the reader's language. The
// same state gives the same bytes.
package ncr

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
)

// Record is what the PDF of one record tells.
type Record struct {
	nonconformity.Nonconformity
	nonconformity.Outlook
	Company string
	Trail   []audit.Entry // of the record, the oldest first
}

// sheet is a page with its printer. Lengths are millimetres. Texts are written with the
// fonts that every reader has, in Windows-1252, which holds what Spanish and English
// need; embedded subsets of other fonts would not come out the same twice.
type sheet struct {
	*fpdf.Fpdf
	p  *locale.Printer
	tr func(string) string
}

// MultiCell is fpdf's, in the font's letters.
func (s *sheet) MultiCell(w, h float64, text, border, align string, fill bool) {
	s.Fpdf.MultiCell(w, h, s.tr(text), border, align, fill)
}

// CellFormat is fpdf's, in the font's letters.
func (s *sheet) CellFormat(w, h float64, text, border string, ln int, align string, fill bool, link int, url string) {
	s.Fpdf.CellFormat(w, h, s.tr(text), border, ln, align, fill, link, url)
}

const (
	margin = 16.0
	width  = 210 - 2*margin
	line   = 4.6
)

// newSheet begins a document; at is its date, so that the same state gives the same file.
func newSheet(p *locale.Printer, title, foot string, at time.Time) *sheet {
	f := fpdf.New("P", "mm", "A4", "")
	f.SetCatalogSort(true)
	f.SetCreationDate(at.UTC())
	f.SetModificationDate(at.UTC())
	f.SetTitle(title, true)
	f.SetLang(p.Lang)
	f.SetMargins(margin, margin, margin)
	f.SetAutoPageBreak(true, margin+6)
	s := &sheet{f, p, f.UnicodeTranslatorFromDescriptor("cp1252")}
	f.SetFooterFunc(func() {
		f.SetY(-margin)
		f.SetFont("Helvetica", "", 7.5)
		f.SetTextColor(90, 90, 90)
		s.CellFormat(width-20, 5, foot, "", 0, "L", false, 0, "")
		s.CellFormat(20, 5, p.T("pdf.page", "N", f.PageNo()), "", 0, "R", false, 0, "")
	})
	f.AddPage()
	return s
}

// to ends the document.
func (s *sheet) to(w io.Writer) error {
	var b bytes.Buffer
	if err := s.Output(&b); err != nil {
		return fmt.Errorf("writing the PDF: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (s *sheet) heading(text string) {
	if s.GetY() > 250 {
		s.AddPage()
	}
	s.Ln(3)
	s.SetFont("Helvetica", "B", 10.5)
	s.SetTextColor(20, 60, 110)
	s.MultiCell(width, 6, text, "B", "L", false)
	s.SetTextColor(0, 0, 0)
	s.Ln(1)
}

func (s *sheet) text(text string) {
	s.SetFont("Helvetica", "", 9)
	s.SetTextColor(0, 0, 0)
	s.MultiCell(width, line, text, "", "L", false)
}

func (s *sheet) bold(text string) {
	s.SetFont("Helvetica", "B", 9)
	s.SetTextColor(0, 0, 0)
	s.MultiCell(width, line, text, "", "L", false)
}

func (s *sheet) quiet(text string) {
	s.SetFont("Helvetica", "", 8)
	s.SetTextColor(80, 80, 80)
	s.MultiCell(width, 4, text, "", "L", false)
	s.SetTextColor(0, 0, 0)
}

func (s *sheet) mono(text string) {
	s.SetFont("Courier", "", 7)
	s.SetTextColor(60, 60, 60)
	s.MultiCell(width, 3.6, text, "", "L", false)
	s.SetTextColor(0, 0, 0)
}

// facts writes pairs of a label and its value, two beside each other.
func (s *sheet) facts(pairs [][2]string) {
	half := width / 2
	for i := 0; i < len(pairs); i += 2 {
		y, deepest := s.GetY(), 0.0
		if y > 265 {
			s.AddPage()
			y = s.GetY()
		}
		for j := i; j < i+2 && j < len(pairs); j++ {
			x := margin + float64(j-i)*half
			s.SetXY(x, y)
			s.SetFont("Helvetica", "", 7.5)
			s.SetTextColor(90, 90, 90)
			s.CellFormat(half-4, 3.6, pairs[j][0], "", 2, "L", false, 0, "")
			s.SetX(x)
			s.SetFont("Helvetica", "", 9)
			s.SetTextColor(0, 0, 0)
			s.MultiCell(half-4, line, pairs[j][1], "", "L", false)
			deepest = max(deepest, s.GetY())
		}
		s.SetXY(margin, deepest+1.5)
	}
}

func (s *sheet) when(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return s.p.DateTime(t)
}

// Write writes one record as PDF.
func Write(w io.Writer, p *locale.Printer, r Record) error {
	n := &r.Nonconformity
	at := n.OpenedAt
	for _, e := range n.History {
		if e.At.After(at) {
			at = e.At
		}
	}
	s := newSheet(p, n.Number, strings.TrimSpace(n.Number+" · "+r.Company), at)
	s.SetFont("Helvetica", "", 8.5)
	s.text(p.T("nc.clause"))
	s.SetFont("Helvetica", "B", 17)
	s.MultiCell(width, 8, p.T("nc.kind")+" "+n.Number, "", "L", false)
	s.SetFont("Helvetica", "B", 11)
	s.MultiCell(width, 6, p.Word("nc.state", string(n.State)), "", "L", false)
	s.Ln(1)
	s.line(n)
	s.summary(r)
	s.programs(n)
	s.said(n)
	s.evidence(n)
	s.files(n)
	s.timeline(n)
	s.chain(r.Trail)
	s.signatures(n)
	return s.to(w)
}

// line draws the states with the moments at which they were reached.
func (s *sheet) line(n *nonconformity.Nonconformity) {
	states := nonconformity.Line()
	if n.State == nonconformity.Withdrawn || n.State == nonconformity.Concession {
		states = append(states[:1:1], n.State)
	}
	step, y := width/float64(len(states)), s.GetY()+1
	for i, state := range states {
		x, at := margin+float64(i)*step, n.Reached(state)
		if at.IsZero() {
			s.SetFillColor(205, 210, 217)
		} else {
			s.SetFillColor(40, 130, 75)
		}
		s.Rect(x, y, step-1.5, 1.6, "F")
		s.SetXY(x, y+2.2)
		s.SetFont("Helvetica", "", 6.8)
		if state == n.State {
			s.SetFont("Helvetica", "B", 6.8)
		}
		s.MultiCell(step-1.5, 3, s.p.Word("nc.state", string(state)), "", "L", false)
		s.SetX(x)
		s.SetFont("Helvetica", "", 6.3)
		if !at.IsZero() {
			s.MultiCell(step-1.5, 2.8, s.when(at), "", "L", false)
		}
	}
	s.SetXY(margin, y+16)
}

func (s *sheet) summary(r Record) {
	n, p := &r.Nonconformity, s.p
	person := strings.TrimSpace(n.PersonName + " " + n.Person)
	if person == "" {
		person = p.T("machine.nobody")
	}
	awaited := p.T("nc.awaited.nobody")
	if n.Awaited != "" {
		awaited = p.Word("party", n.Awaited)
	}
	none := func(v string) string {
		if v == "" {
			return p.T("not-told")
		}
		return v
	}
	pairs := [][2]string{{p.T("nc.person"), person}, {p.T("machine"), n.Hostname}, {p.T("machine.area"), none(n.Area)}, {p.T("machine.site"), none(n.Site)},
		{p.T("severity"), p.Word("severity", string(n.Severity))}, {p.T("nc.opened"), s.when(n.OpenedAt)}, {p.T("nc.awaited"), awaited}, {p.T("nc.due"), s.when(n.DueAt)},
		{p.T("nc.contained"), s.when(n.ContainedAt)}, {p.T("nc.effective"), s.when(n.VerifiedAt)}, {p.T("finding.recurrences"), p.Number(int64(n.Recurrences))},
		{p.T("nc.repeats"), p.T("nc.repeats.counts", "Person", r.Repeats.Person, "Program", r.Repeats.Program, "Area", r.Repeats.Area)}}
	if !n.Until.IsZero() {
		pairs = append(pairs, [2]string{p.T("nc.until"), s.when(n.Until)})
	}
	for _, x := range n.Parties {
		pairs = append(pairs, [2]string{p.Word("party", x.Part), strings.TrimSpace(x.Name + " " + x.Email)})
	}
	s.facts(pairs)
}

func (s *sheet) programs(n *nonconformity.Nonconformity) {
	s.heading(s.p.T("nc.programs"))
	for _, x := range n.Programs {
		text := strings.TrimSpace(x.Name+" "+x.Version) + " · " + s.p.Name("source", x.Source) + " · " + s.p.Word("program.state", x.State)
		if !x.GoneAt.IsZero() {
			text += " · " + s.when(x.GoneAt)
		}
		s.text(text)
	}
}

// By is who wrote a step, and for whom.
func By(p *locale.Printer, x nonconformity.Step) string {
	name := x.AuthorName
	if name == "" {
		_, name, _ = strings.Cut(x.Author, ":")
	}
	if x.OnBehalf {
		return p.T("nc.on-behalf", "Name", name, "Part", p.Word("party", x.Part))
	}
	return p.T("nc.as", "Name", name, "Part", p.Word("party", x.Part))
}

func (s *sheet) said(n *nonconformity.Nonconformity) {
	p := s.p
	s.heading(p.T("nc.statements"))
	if len(n.Steps) == 0 {
		s.text(p.T("nc.statements.none"))
	}
	for _, x := range n.Steps {
		if x.Kind == nonconformity.StepAttachment {
			continue
		}
		title := p.Word("nc.step", x.Kind)
		if n.Round > 1 {
			title += " · " + p.T("nc.of-round", "N", x.Round)
		}
		s.bold(title)
		from := x.Address
		if from == "" {
			from = p.T("nc.from-server")
		}
		s.quiet(By(p, x) + " · " + s.when(x.At) + " · " + from)
		a := x.Answer
		if a.Cause != "" {
			s.bold(p.Word("nc.cause", a.Cause))
		}
		if a.Measure != "" {
			s.bold(p.Word("nc.measure", a.Measure))
		}
		if a.Until != "" {
			s.text(p.T("nc.until") + ": " + p.Day(a.Until))
		}
		for i, why := range a.Whys {
			s.text(fmt.Sprintf("%d. %s", i+1, why))
		}
		for _, y := range a.Actions {
			s.text("• " + y.What + " · " + y.Who + " · " + p.Day(y.By))
		}
		if a.Text != "" {
			s.text(a.Text)
		}
		s.mono("SHA-256 " + x.Hash)
		s.Ln(1.5)
	}
}

func (s *sheet) evidence(n *nonconformity.Nonconformity) {
	p := s.p
	s.heading(p.T("nc.evidence"))
	for _, e := range n.Evidence {
		name := e.Program
		if name == "" {
			name = p.T("nc.all-programs")
		}
		s.text(s.when(e.At) + " · " + name + " · " + p.Word("evidence", e.Kind))
		var proof []string
		for _, x := range [][2]string{{p.T("path"), e.Path}, {p.T("sha256"), e.SHA256}, {p.T("report"), e.Report}} {
			if x[1] != "" {
				proof = append(proof, x[0]+": "+x[1])
			}
		}
		if len(proof) > 0 {
			s.mono(strings.Join(proof, "\n"))
		}
	}
	if len(n.Evidence) == 0 {
		s.text(p.T("nc.no-evidence"))
	}
}

func (s *sheet) files(n *nonconformity.Nonconformity) {
	first := true
	for _, x := range n.Steps {
		f := x.Answer.Attachment
		if f == nil {
			continue
		}
		if first {
			s.heading(s.p.T("nc.files"))
			first = false
		}
		s.text(f.Name + " · " + s.p.Bytes(uint64(f.Size)) + " · " + s.p.Word("nc.scan", f.Scan))
		s.quiet(By(s.p, x) + " · " + s.when(x.At))
		s.mono("SHA-256 " + f.SHA256)
	}
}

func (s *sheet) timeline(n *nonconformity.Nonconformity) {
	s.heading(s.p.T("nc.timeline"))
	for _, e := range n.History {
		text := s.when(e.At) + " · " + s.p.Word("nc.event", e.Kind)
		detail := e.Detail
		if e.Kind == "overdue" || strings.HasPrefix(e.Kind, "escalated") {
			detail = s.p.Word("nc.step", detail)
		}
		if detail != "" {
			text += ": " + detail
		}
		s.text(text)
	}
}

// chain writes the entries of the audit chain that vouch for the record, each bound to
// the one before by its hash.
func (s *sheet) chain(trail []audit.Entry) {
	if len(trail) == 0 {
		return
	}
	s.heading(s.p.T("pdf.chain"))
	s.quiet(s.p.T("pdf.chain.about"))
	s.Ln(1)
	for _, e := range trail {
		s.mono(fmt.Sprintf("%d · %s · %s · %s\n  %s: %s", e.Seq, e.At.UTC().Format(time.RFC3339), e.Actor, e.Action, "SHA-256", hex.EncodeToString(e.Hash[:])))
	}
	last := trail[len(trail)-1]
	s.Ln(1)
	s.bold(s.p.T("pdf.head", "Seq", last.Seq))
	s.mono(hex.EncodeToString(last.Hash[:]))
}

func (s *sheet) signatures(n *nonconformity.Nonconformity) {
	if s.GetY() > 245 {
		s.AddPage()
	}
	s.Ln(18)
	third, y := width/3, s.GetY()
	for i, part := range []string{nonconformity.PartUser, nonconformity.PartManager, nonconformity.PartHR} {
		x := margin + float64(i)*third
		s.Line(x, y, x+third-6, y)
		s.SetXY(x, y+1)
		s.SetFont("Helvetica", "", 8)
		s.CellFormat(third-6, 4, s.p.Word("party", part), "", 0, "C", false, 0, "")
	}
}
