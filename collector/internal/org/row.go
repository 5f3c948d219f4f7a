package org

import (
	"slices"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// Limits of what is taken over at once.
const (
	MaxImportBytes = 16 << 20
	MaxImportRows  = 100_000
	maxField       = 300 // bytes
)

// columns is the header that a file of people has, in any order.
var columns = []string{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"}

// Columns returns the header of a file of people.
func Columns() []string { return append([]string(nil), columns...) }

// Row is one person as another source tells of them: a line of a file, an entry of a
// directory. An empty Role is that of an employee for a new person and changes nothing
// of a known one; an empty Remote or ManagerEmail says nothing of the site or area.
type Row struct {
	Line                                                         int // what a problem is told with
	Email, Name, Area, Site, Remote, ManagerEmail, Machine, Role string
}

// fields returns the row's texts in the order of columns.
func (r *Row) fields() []*string {
	return []*string{&r.Email, &r.Name, &r.Area, &r.Site, &r.Remote, &r.ManagerEmail, &r.Machine, &r.Role}
}

// File is what a source says, and everything that is wrong with it.
type File struct {
	Sites    []Site
	Areas    []Area
	People   []Person
	Problems Problems

	rows   []Row
	early  Problems        // those found before rows were read
	lines  map[string]int  // e-mail → line
	remote map[string]bool // folded names of the sites of which remote was said
	roles  map[string]bool // e-mails of the people whose role was said
}

// Err is the error that lists every problem, nil when there is none.
func (f *File) Err() error { return f.Problems.inFile() }

// FromRows reads rows of any source. Rows with a problem are left out of the people,
// and the problems are in the file.
func FromRows(rows []Row) *File {
	if len(rows) > MaxImportRows {
		f := &File{}
		f.Problems.add(rows[MaxImportRows].Line, "", "", "org.problem.too-many-rows", apperr.Args{"max": MaxImportRows})
		return f
	}
	p := parser{areas: map[string]*areaLine{}, sites: map[string]*siteLine{},
		file: File{rows: rows, lines: map[string]int{}, remote: map[string]bool{}, roles: map[string]bool{}}}
	for i := range rows {
		p.row(&rows[i])
	}
	p.finish()
	return &p.file
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
	file  File
	areas map[string]*areaLine
	sites map[string]*siteLine
}

func (p *parser) bad(line int, field, value, key string, args apperr.Args) {
	p.file.Problems.add(line, field, value, key, args)
}

// row takes one row over when nothing is wrong with it.
func (p *parser) row(r *Row) {
	had := len(p.file.Problems)
	for i, v := range r.fields() {
		*v = strings.Join(strings.Fields(*v), " ")
		if !plainText(*v) {
			p.bad(r.Line, columns[i], *v, "org.problem.text", apperr.Args{"max": maxField})
			return
		}
	}
	email := strings.ToLower(r.Email)
	switch was, dup := p.file.lines[email]; {
	case !validEmail(email):
		p.bad(r.Line, "email", r.Email, "org.problem.email", nil)
	case dup:
		p.bad(r.Line, "email", email, "org.problem.twice", apperr.Args{"line": was})
	default:
		p.file.lines[email] = r.Line
	}
	if r.Name == "" {
		p.bad(r.Line, "name", "", "org.problem.empty", nil)
	}
	role, known := roleOf(r.Role)
	if r.Role != "" {
		p.file.roles[email] = true
	}
	if !known {
		p.bad(r.Line, "role", r.Role, "org.problem.role", apperr.Args{"roles": roleNames()})
	}
	p.site(r.Line, r.Site, r.Remote)
	p.area(r.Line, r.Area, strings.ToLower(r.ManagerEmail))
	if len(p.file.Problems) == had {
		p.file.People = append(p.file.People, Person{Email: email, Name: r.Name, Area: r.Area, Site: r.Site,
			PrimaryMachine: r.Machine, Role: role, Active: true})
	}
}

func roleNames() string {
	var names []string
	for _, r := range actor.Roles() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

func (p *parser) site(line int, name, remote string) {
	isRemote, ok := truth(remote)
	if !ok {
		p.bad(line, "remote", remote, "org.problem.remote", nil)
		return
	}
	if name == "" {
		if isRemote {
			p.bad(line, "remote", remote, "org.problem.remote-alone", nil)
		}
		return
	}
	key := policy.Fold(name)
	s := p.sites[key]
	if s == nil {
		s = &siteLine{Site: Site{Name: name}}
		p.sites[key] = s
	}
	switch {
	case remote == "":
	case s.said && s.Remote != isRemote:
		p.bad(line, "remote", remote, "org.problem.remote-twice", apperr.Args{"line": s.line, "site": name})
	default:
		s.Remote, s.said, s.line = isRemote, true, line
	}
}

func (p *parser) area(line int, name, manager string) {
	if manager != "" && !validEmail(manager) {
		p.bad(line, "manager_email", manager, "org.problem.email", nil)
		return
	}
	if name == "" {
		if manager != "" {
			p.bad(line, "manager_email", manager, "org.problem.manager-alone", nil)
		}
		return
	}
	key := policy.Fold(name)
	a := p.areas[key]
	if a == nil {
		a = &areaLine{Area: Area{Name: name}}
		p.areas[key] = a
	}
	switch {
	case manager == "" || a.Manager == manager:
	case a.Manager != "":
		p.bad(line, "manager_email", manager, "org.problem.manager-twice", apperr.Args{"line": a.line, "manager": a.Manager, "area": name})
	default:
		a.Manager, a.line = manager, line
	}
}

// finish puts sites, areas and problems in order.
func (p *parser) finish() {
	for key, s := range p.sites {
		p.file.Sites = append(p.file.Sites, s.Site)
		p.file.remote[key] = s.said
	}
	for _, a := range p.areas {
		p.file.Areas = append(p.file.Areas, a.Area)
	}
	slices.SortFunc(p.file.Sites, func(a, b Site) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(p.file.Areas, func(a, b Area) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(p.file.Problems, func(a, b Problem) int { return a.Line - b.Line })
}

func truth(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "", "no", "false", "0", "n", "f", "falso":
		return false, true
	case "yes", "true", "1", "y", "t", "sí", "si", "s", "x", "verdadero":
		return true, true
	}
	return false, false
}

// plainText reports whether s can be kept: at most maxField bytes, no control characters.
func plainText(s string) bool {
	return len(s) <= maxField && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xFFFD })
}

func validEmail(s string) bool {
	user, host, ok := strings.Cut(s, "@")
	return ok && user != "" && strings.Contains(host, ".") && !strings.ContainsAny(s, " ,;<>\"()") &&
		!strings.Contains(host, "@") && !strings.HasPrefix(host, ".") && !strings.HasSuffix(host, ".") && len(s) <= 254
}
