package org

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

// Limits of a file of people.
const (
	MaxImportBytes = 16 << 20
	MaxImportRows  = 100_000
	maxField       = 300 // bytes
	maxProblems    = 200 // told at once; more are counted
)

// columns is the header that a file of people has, in any order.
var columns = []string{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"}

// Problem is one thing wrong with a file of people.
type Problem struct {
	Line  int    // 1 is the header
	Field string // a column, or empty
	Value string
	Want  string // what is expected there
}

func (p Problem) Error() string {
	if p.Field == "" {
		return fmt.Sprintf("line %d: %s", p.Line, p.Want)
	}
	return fmt.Sprintf("line %d: %s %q: %s", p.Line, p.Field, p.Value, p.Want)
}

// Problems is every thing wrong with a file. It is an error with the code Invalid,
// below an apperr.Error with the key "org.import-file".
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	for _, x := range p[:min(len(p), maxProblems)] {
		lines = append(lines, x.Error())
	}
	if len(p) > maxProblems {
		lines = append(lines, fmt.Sprintf("and %d more", len(p)-maxProblems))
	}
	return strings.Join(lines, "\n")
}

func (p Problems) wrapped() error {
	return apperr.Wrap(p, apperr.Invalid, "org.import-file", apperr.Args{"problems": len(p)})
}

// File is what a file of people says.
type File struct {
	Sites  []Site
	Areas  []Area
	People []Person
}

// ParseFile reads a file of people: CSV separated by , or ; in UTF-8 (with or without
// a byte order mark) or in Windows-1252, as Excel saves it. It is strict: any problem
// makes the whole an error that lists all of them.
func ParseFile(r io.Reader) (*File, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxImportBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the file of people: %w", err)
	}
	if len(data) > MaxImportBytes {
		return nil, Problems{{Line: 1, Want: fmt.Sprintf("the file is larger than %d MiB", MaxImportBytes>>20)}}.wrapped()
	}
	text, err := decodeText(data)
	if err != nil {
		return nil, Problems{{Line: 1, Want: err.Error()}}.wrapped()
	}
	p := parser{areas: map[string]*areaLine{}, sites: map[string]*siteLine{}, people: map[string]int{}}
	p.read(text)
	p.finish()
	if len(p.problems) > 0 {
		slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
		return nil, p.problems.wrapped()
	}
	return &p.file, nil
}

// decodeText returns data as UTF-8.
func decodeText(data []byte) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return "", errors.New("the file is UTF-16; save it as \"CSV UTF-8\"")
	}
	if bytes.IndexByte(data, 0) >= 0 {
		return "", errors.New("the file holds NUL bytes: it is not CSV")
	}
	if utf8.Valid(data) {
		return string(data), nil
	}
	var b strings.Builder
	b.Grow(len(data) + len(data)/8)
	for _, c := range data {
		switch {
		case c >= 0x80 && c < 0xa0:
			b.WriteRune(windows1252[c-0x80])
		default:
			b.WriteRune(rune(c))
		}
	}
	return b.String(), nil
}

// windows1252 is 0x80–0x9f of the code page; what it leaves undefined stays as it is.
var windows1252 = [32]rune{
	'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
	0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
}

type areaLine struct {
	Area
	line int // where its manager was first said
}

type siteLine struct {
	Site
	line int
	said bool // remote was said
}

type parser struct {
	file     File
	problems Problems
	areas    map[string]*areaLine
	sites    map[string]*siteLine
	people   map[string]int // e-mail → line
	order    []int          // column → index into columns
}

func (p *parser) bad(line int, field, value, want string) {
	if len(value) > 60 {
		value = strings.ToValidUTF8(value[:60], "") + "…"
	}
	p.problems = append(p.problems, Problem{Line: line, Field: field, Value: value, Want: want})
}

func (p *parser) read(text string) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	first, _, _ := strings.Cut(text, "\n")
	if strings.Count(first, ";") > strings.Count(first, ",") {
		r.Comma = ';'
	}
	for rows := 0; ; rows++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			if rows == 0 {
				p.bad(1, "", "", "the file is empty; its first line must be "+strings.Join(columns, ","))
			}
			return
		}
		var perr *csv.ParseError
		if errors.As(err, &perr) {
			p.bad(perr.Line, "", "", perr.Err.Error()+"; a quote inside quotes is written twice")
			return
		}
		line, _ := r.FieldPos(0)
		switch {
		case rows == 0:
			if !p.header(line, record) {
				return
			}
		case rows > MaxImportRows:
			p.bad(line, "", "", fmt.Sprintf("more than %d rows", MaxImportRows))
			return
		default:
			p.row(line, record)
		}
	}
}

func (p *parser) header(line int, record []string) bool {
	seen := map[string]bool{}
	for _, name := range record {
		name = strings.ToLower(strings.TrimSpace(name))
		i := slices.Index(columns, name)
		if i < 0 || seen[name] {
			p.bad(line, "header", name, "want each once: "+strings.Join(columns, ","))
			continue
		}
		seen[name] = true
		p.order = append(p.order, i)
	}
	for _, name := range columns {
		if !seen[name] && len(p.problems) == 0 {
			p.bad(line, "header", name, "the column is missing; want "+strings.Join(columns, ","))
		}
	}
	return len(p.problems) == 0
}

func (p *parser) row(line int, record []string) {
	if len(record) == 1 && strings.TrimSpace(record[0]) == "" {
		return
	}
	if len(record) != len(columns) {
		p.bad(line, "", "", fmt.Sprintf("%d fields, want %d", len(record), len(columns)))
		return
	}
	f := map[string]string{}
	for i, v := range record {
		v = strings.Join(strings.Fields(v), " ")
		name := columns[p.order[i]]
		if len(v) > maxField || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			p.bad(line, name, v, fmt.Sprintf("want at most %d bytes of plain text", maxField))
			return
		}
		f[name] = v
	}
	email := strings.ToLower(f["email"])
	switch was, dup := p.people[email]; {
	case !validEmail(email):
		p.bad(line, "email", f["email"], "want an address such as ana@example.com")
	case dup:
		p.bad(line, "email", email, fmt.Sprintf("already on line %d", was))
	default:
		p.people[email] = line
	}
	if f["name"] == "" {
		p.bad(line, "name", "", "must not be empty")
	}
	role := actor.Role(strings.ToLower(f["role"]))
	if role == "" {
		role = actor.Employee
	}
	if !slices.Contains(actor.Roles(), role) {
		p.bad(line, "role", f["role"], fmt.Sprintf("want empty or one of %v", actor.Roles()))
	}
	p.site(line, f["site"], f["remote"])
	p.area(line, f["area"], strings.ToLower(f["manager_email"]))
	p.file.People = append(p.file.People, Person{Email: email, Name: f["name"], Area: f["area"], Site: f["site"],
		PrimaryMachine: f["primary_machine"], Role: role, Active: true})
}

func (p *parser) site(line int, name, remote string) {
	isRemote, ok := truth(remote)
	if !ok {
		p.bad(line, "remote", remote, "want yes or no (sí, si, true, false, 1, 0, or empty)")
		return
	}
	if name == "" {
		if isRemote {
			p.bad(line, "remote", remote, "says something of a site, but site is empty")
		}
		return
	}
	key := strings.ToLower(name)
	s := p.sites[key]
	if s == nil {
		s = &siteLine{Site: Site{Name: name}}
		p.sites[key] = s
	}
	switch {
	case remote == "":
	case s.said && s.Remote != isRemote:
		p.bad(line, "remote", remote, fmt.Sprintf("line %d says otherwise of the site %q", s.line, name))
	default:
		s.Remote, s.said, s.line = isRemote, true, line
	}
}

func (p *parser) area(line int, name, manager string) {
	if manager != "" && !validEmail(manager) {
		p.bad(line, "manager_email", manager, "want an address such as ana@example.com, or empty")
		return
	}
	if name == "" {
		if manager != "" {
			p.bad(line, "manager_email", manager, "is that of an area, but area is empty")
		}
		return
	}
	key := strings.ToLower(name)
	a := p.areas[key]
	if a == nil {
		a = &areaLine{Area: Area{Name: name}}
		p.areas[key] = a
	}
	switch {
	case manager == "" || a.Manager == manager:
	case a.Manager != "":
		p.bad(line, "manager_email", manager, fmt.Sprintf("line %d names %s for the area %q", a.line, a.Manager, name))
	default:
		a.Manager, a.line = manager, line
	}
}

// finish puts sites and areas in the order of their names.
func (p *parser) finish() {
	for _, s := range p.sites {
		p.file.Sites = append(p.file.Sites, s.Site)
	}
	for _, a := range p.areas {
		p.file.Areas = append(p.file.Areas, a.Area)
	}
	slices.SortFunc(p.file.Sites, func(a, b Site) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.file.Areas, func(a, b Area) int { return strings.Compare(a.Name, b.Name) })
}

func truth(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "", "no", "false", "0", "n", "f":
		return false, true
	case "yes", "true", "1", "y", "t", "sí", "si", "s", "x":
		return true, true
	}
	return false, false
}

func validEmail(s string) bool {
	user, host, ok := strings.Cut(s, "@")
	return ok && user != "" && strings.Contains(host, ".") && !strings.ContainsAny(s, " ,;<>\"()") &&
		!strings.Contains(host, "@") && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && len(s) <= 254
}
