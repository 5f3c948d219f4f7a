package web

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/org"
	"vigia/collector/internal/sheet"
	"vigia/collector/internal/web/form"
)

// importPath is where files of people come in; its requests may be as large as they.
const importPath = "/import"

// shownProblems is how many problems of a file a page lists.
const shownProblems = 200

type importFormPage struct {
	Page
	Crumbs  []headLink
	Saved   string
	Problem string
	Columns []importColumn
	MaxMiB  int
	MaxRows string
}

// importColumn is one column of the file, in words.
type importColumn struct{ Name, Text string }

// importForm asks for a file.
func (c *console) importForm(w http.ResponseWriter, r *http.Request) error {
	return c.showImportForm(w, r, http.StatusOK, "")
}

func (c *console) showImportForm(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	p := importFormPage{Page: c.newPage(w, r, "administration"), Problem: problem, MaxMiB: org.MaxImportBytes >> 20}
	p.Title, p.MaxRows, p.Crumbs = p.T("import.title"), p.Number(org.MaxImportRows), p.crumbs("/people", "people.title")
	if form.OneOf(r, "done", "imported") != "" {
		p.Saved = p.T("import.done")
	}
	for _, name := range org.Columns() {
		p.Columns = append(p.Columns, importColumn{name, p.Word("import.column", name)})
	}
	return c.execute(w, status, "import_form", "layout", p)
}

// importBring takes a file in and goes on to what it would change.
func (c *console) importBring(w http.ResponseWriter, r *http.Request) error {
	name, f, err := readUpload(r)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		f = org.Unreadable("org.problem.too-large", apperr.Args{"max": org.MaxImportBytes >> 20})
	case errors.Is(err, errNoFile):
		return c.showImportForm(w, r, http.StatusUnprocessableEntity, c.newPage(w, r, "").T("import.no-file"))
	case err != nil:
		return apperr.Wrap(err, apperr.Invalid, "import.broken", nil)
	}
	id, err := c.Imports.Bring(r.Context(), name, f)
	if err != nil {
		return err
	}
	http.Redirect(w, r, importPath+"/"+url.PathEscape(id), http.StatusSeeOther)
	return nil
}

var errNoFile = errors.New("the form has no file")

// readUpload reads the form's file without keeping it.
func readUpload(r *http.Request) (string, *org.File, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return "", nil, errNoFile
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, errNoFile
		}
		if err != nil {
			return "", nil, err
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		f, err := sheet.People(part)
		return path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")), f, err
	}
}

type importPage struct {
	Page
	Crumbs   []headLink
	Draft    org.Draft
	Preview  org.Preview
	Counts   []importCount
	Changes  []changeRow
	More     int // changes that are not listed
	Problems []problemRow
	Hidden   int // problems that are not listed
	Confirm  bool
	Changed  bool // the directory changed since the last look
}

// importCount is a line of the summary.
type importCount struct {
	Kind               string
	New, Changed, Same int
}

type changeRow struct {
	Line      int
	Kind      string
	Name, Tag string
	Fields    []fieldRow
}

type fieldRow struct{ Name, From, To string }

type problemRow struct {
	Line               int
	Field, Value, Text string
}

// importShow shows what a file would change, field by field, and what is wrong with it.
func (c *console) importShow(w http.ResponseWriter, r *http.Request) error {
	return c.showImport(w, r, http.StatusOK, false)
}

func (c *console) showImport(w http.ResponseWriter, r *http.Request, status int, changed bool) error {
	p := importPage{Page: c.newPage(w, r, "administration"), Changed: changed}
	p.Title, p.Crumbs = p.T("import.preview"), p.crumbs(importPath, "import.title")
	var err error
	if p.Draft, p.Preview, err = c.Imports.Look(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	v := p.Preview
	p.Confirm = len(v.Problems) == 0 && v.Total() > 0
	p.Counts = []importCount{{p.T("people.title"), v.People.New, v.People.Changed, v.People.Same},
		{p.T("areas.title"), v.Areas.New, v.Areas.Changed, v.Areas.Same}, {p.T("sites.title"), v.Sites.New, v.Sites.Changed, v.Sites.Same}}
	for _, x := range v.Changes {
		p.Changes = append(p.Changes, p.change(x))
	}
	p.More = max(0, v.Total()-len(v.Changes))
	for _, x := range v.Problems[:min(len(v.Problems), shownProblems)] {
		p.Problems = append(p.Problems, problemRow{x.Line, x.Field, x.Value, p.Error(x.Err())})
	}
	p.Hidden = len(v.Problems) - len(p.Problems)
	return c.execute(w, status, "import_show", "layout", p)
}

// change is one new or changed object in words.
func (p Page) change(x org.Change) changeRow {
	row := changeRow{Line: x.Line, Kind: p.Word("import.kind", x.Kind), Name: x.Name, Tag: "changed"}
	if x.New {
		row.Tag = "new"
	}
	for _, f := range x.Fields {
		if x.New && (f.Field == "active" || f.Field == "name" && x.Kind != "person") {
			continue // what is new is active and has its name
		}
		row.Fields = append(row.Fields, fieldRow{p.Word("import.column", f.Field), p.changeValue(f.Field, f.From), p.changeValue(f.Field, f.To)})
	}
	return row
}

func (p Page) changeValue(field, value string) string {
	switch {
	case value == "":
		return ""
	case field == "role":
		return p.Word("role", value)
	case field == "active":
		return p.Word("person.active", value)
	case field == "remote" && value == "true":
		return p.T("yes")
	case field == "remote":
		return p.T("no")
	}
	return value
}

// importConfirm takes a file over as it was shown.
func (c *console) importConfirm(w http.ResponseWriter, r *http.Request) error {
	_, err := c.Imports.Confirm(r.Context(), r.PathValue("id"))
	if apperr.Is(err, apperr.Conflict) || apperr.Is(err, apperr.Invalid) { // show what it would be now
		return c.showImport(w, r, http.StatusConflict, true)
	} else if err != nil {
		return err
	}
	return c.done(w, r, importPath, "imported")
}

// importTemplate sends an empty file with the header and one line to replace.
func (c *console) importTemplate(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="people.csv"`)
	_, err := io.WriteString(w, "\ufeff"+strings.Join(org.Columns(), ",")+"\r\nana@example.com,Ana Ejemplo,Ventas,Oficina central,no,,,employee\r\n")
	return err
}
