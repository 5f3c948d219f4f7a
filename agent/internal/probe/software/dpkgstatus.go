package software

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Errors of the dpkg parsers.
var (
	ErrTruncated = errors.New("cut short")
	errBadStanza = errors.New("refused")
)

const (
	maxLine     = 256 << 10 // bytes of one line; a longer one makes its stanza refused
	maxRefusals = 20        // refusals described; further ones are only counted
	maxName     = 256       // bytes of a package's name
)

// DebPackage is one stanza of a dpkg status file, as far as this program uses it.
type DebPackage struct {
	Name, Version, Arch string
	Maintainer          string // as written, with the address
	OriginalMaintainer  string // Ubuntu: whose package it was
	Priority            string
	State               string // third word of Status: "installed", "config-files" …
	Essential           bool
	MultiArchSame       bool
}

// OnDisk reports whether files of the package are there, whatever dpkg still wants to
// do with it: installed, unpacked, half-installed, half-configured and the two trigger
// states count, since what they hold can run; config-files and not-installed do not.
func (p *DebPackage) OnDisk() bool {
	switch p.State {
	case "installed", "unpacked", "half-installed", "half-configured", "triggers-awaited", "triggers-pending":
		return true
	}
	return false
}

// Refusal is a stanza that could not be understood.
type Refusal struct {
	Line    int    // of the stanza's first line, from 1
	Package string // its name, where that much was readable
	Reason  string
}

// String tells the refusal in one line.
func (r Refusal) String() string {
	if r.Package == "" {
		return fmt.Sprintf("line %d: %s", r.Line, r.Reason)
	}
	return fmt.Sprintf("line %d (%s): %s", r.Line, r.Package, r.Reason)
}

// Refusals is what a parser left out: the first 20 in words, and how many in all.
type Refusals struct {
	First []Refusal
	Count int
}

func (r *Refusals) add(x Refusal) {
	if r.Count++; len(r.First) < maxRefusals {
		r.First = append(r.First, x)
	}
}

// Err returns nil, or an error naming the first refusal and the number of all.
func (r *Refusals) Err(file string) error {
	if r.Count == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d entries %w, the first at %s", file, r.Count, errBadStanza, r.First[0])
}

// statusParser holds the stanza being read.
type statusParser struct {
	keep     func(*DebPackage)
	whole    bool
	refusals Refusals
	intern   map[string]string
	pkg      DebPackage
	start    int    // first line of the stanza
	seen     bool   // a field was read
	why      string // reason to refuse the stanza
}

// ParseStatus reads stanzas as dpkg(1) writes them (deb822) and calls keep for each
// that is sound, in order; keep must copy what it wants to hold. A stanza that is not
// is left out and told in Refusals; the others are kept. The error is that of r, or
// ErrTruncated where the text ends within a line or, for a database (whole), without
// the empty line that dpkg writes after every stanza.
func ParseStatus(r io.Reader, whole bool, keep func(*DebPackage)) (Refusals, error) {
	p := statusParser{keep: keep, whole: whole, intern: make(map[string]string, 256)}
	br := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			p.begin(n)
			p.refuse("a line longer than 256 KiB")
			err = skipLine(br)
		case err == nil || (errors.Is(err, io.EOF) && len(line) > 0 && !whole):
			p.line(n, bytes.TrimSuffix(line, []byte("\n")))
		case errors.Is(err, io.EOF) && len(line) > 0:
			return p.refusals, fmt.Errorf("%w: ends within line %d", ErrTruncated, n)
		}
		if errors.Is(err, io.EOF) {
			if whole && p.seen {
				return p.refusals, fmt.Errorf("%w: no empty line after the last entry (line %d)", ErrTruncated, p.start)
			}
			p.end()
			return p.refusals, nil
		}
		if err != nil {
			return p.refusals, err
		}
	}
}

// skipLine reads on to the end of a line that did not fit the buffer.
func skipLine(br *bufio.Reader) error {
	for {
		_, err := br.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

func (p *statusParser) begin(n int) {
	if !p.seen {
		p.seen, p.start = true, n
	}
}

func (p *statusParser) refuse(why string) {
	if p.why == "" {
		p.why = why
	}
}

func (p *statusParser) line(n int, line []byte) {
	if len(line) == 0 {
		p.end()
		return
	}
	if line[0] == ' ' || line[0] == '\t' { // continuation of a field nobody reads here
		if !p.seen {
			p.begin(n)
			p.refuse("starts with a continuation line")
		}
		return
	}
	p.begin(n)
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || len(name) == 0 || bytes.IndexByte(line, 0) >= 0 {
		p.refuse("a line that is no field")
		return
	}
	p.field(name, bytes.TrimSpace(value))
}

func (p *statusParser) field(name, value []byte) {
	switch string(name) {
	case "Package":
		if !validName(value) {
			p.refuse("a bad name")
			return
		}
		p.pkg.Name = string(value)
	case "Status":
		if f := bytes.Fields(value); len(f) == 3 {
			p.pkg.State = p.text(f[2])
		} else {
			p.refuse("Status is not three words")
		}
	case "Version":
		p.pkg.Version = p.text(value)
	case "Architecture":
		p.pkg.Arch = p.text(value)
	case "Maintainer":
		p.pkg.Maintainer = p.text(value)
	case "Original-Maintainer", "XSBC-Original-Maintainer":
		p.pkg.OriginalMaintainer = p.text(value)
	case "Priority":
		p.pkg.Priority = p.text(value)
	case "Essential":
		p.pkg.Essential = string(value) == "yes"
	case "Multi-Arch":
		p.pkg.MultiArchSame = string(value) == "same"
	}
}

// text returns value as a string, shared with equal ones (maintainers, versions,
// architectures repeat a lot) and cut to what an inventory can hold.
func (p *statusParser) text(value []byte) string {
	value = value[:min(len(value), maxStringLen)]
	if s, ok := p.intern[string(value)]; ok {
		return s
	}
	s := string(value)
	p.intern[s] = s
	return s
}

func (p *statusParser) end() {
	if !p.seen {
		return
	}
	switch {
	case p.why != "":
	case p.pkg.Name == "":
		p.refuse("no Package field")
	case p.pkg.State == "" && p.whole:
		p.refuse("no Status field")
	case p.pkg.Version == "" && (p.pkg.OnDisk() || !p.whole):
		p.refuse("no Version field")
	}
	if p.why != "" {
		p.refusals.add(Refusal{Line: p.start, Package: p.pkg.Name, Reason: p.why})
	} else {
		p.keep(&p.pkg)
	}
	p.pkg, p.seen, p.why = DebPackage{}, false, ""
}

// validName takes what dpkg takes: letters, digits and "+-._", a letter or digit first.
func validName(b []byte) bool {
	if len(b) == 0 || len(b) > maxName {
		return false
	}
	for i, c := range b {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || strings.IndexByte("+-._", c) < 0) {
			return false
		}
	}
	return true
}

// ParseExtendedStates reads apt's extended_states and returns the packages that came
// as a dependency, keyed "name" and "name:arch". Stanzas that make no sense are passed
// over: apt writes the file anew at its next run.
func ParseExtendedStates(r io.Reader) (map[string]bool, error) {
	auto := make(map[string]bool)
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4096), maxLine)
	var name, arch string
	var is bool
	flush := func() {
		if is && name != "" {
			auto[name+":"+arch] = true
		}
		name, arch, is = "", "", false
	}
	for sc.Scan() {
		line := sc.Text()
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch {
		case line == "":
			flush()
		case field == "Package" && validName([]byte(value)):
			name = value
		case field == "Architecture":
			arch = value
		case field == "Auto-Installed":
			is = value == "1"
		}
	}
	flush()
	return auto, sc.Err()
}
