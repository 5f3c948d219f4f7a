package web_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/org"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// send posts a form and returns the page that it ends at.
func send(t *testing.T, c *http.Client, to string, pairs ...string) (*http.Response, string) {
	t.Helper()
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	res, err := c.PostForm(to, v)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

func want(t *testing.T, what string, res *http.Response, body string, status int, texts ...string) {
	t.Helper()
	if res.StatusCode != status {
		t.Fatalf("%s: %d, want %d\n%s", what, res.StatusCode, status, body[strings.Index(body, "<main"):])
	}
	for _, x := range texts {
		if !strings.Contains(body, x) {
			t.Errorf("%s: without %q\n%s", what, x, body[strings.Index(body, "<main"):])
		}
	}
}

func TestPeopleByForms(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "sofia@example.com")
	res, body := send(t, c, srv.URL+"/people", "email", "no address", "name", "", "area", "Nada", "role", "hr")
	want(t, "a wrong form", res, body, http.StatusUnprocessableEntity, `value="no address"`, `id="email-problem"`, `id="name-problem"`, `id="area-problem"`, `<option value="hr" selected>`)
	sound(t, "/people", body)
	res, body = send(t, c, srv.URL+"/people", "email", "Nora@example.com", "name", "=1+1 Nora", "area", "Compras", "site", "Querétaro", "role", "hr", "primary_machine", "pc-204")
	want(t, "a new person", res, body, http.StatusOK, "Se agregó", "=1&#43;1 Nora")
	at := fmt.Sprintf("%s/people/%d", srv.URL, personNumber(t, s, "nora@example.com"))
	if m, err := s.Machine(t.Context(), silentPC); err != nil || m.Person != "nora@example.com" {
		t.Errorf("the primary machine is %q's, %v", m.Person, err)
	}
	res, body = get(t, c, srv.URL+"/people.csv", "es")
	want(t, "the file", res, body, http.StatusOK, `'=1+1 Nora`)
	res, body = send(t, c, at, "name", "Nora Díaz", "area", "Ingeniería", "role", "employee", "email", "other@example.com")
	want(t, "a change", res, body, http.StatusOK, "Nora Díaz", "nora@example.com", "Los cambios se guardaron")
	res, body = send(t, c, at+"/deactivate")
	want(t, "an end", res, body, http.StatusOK, "De baja", "Deshacer", `action="/people/`)
	res, body = send(t, c, at+"/activate")
	want(t, "its undo", res, body, http.StatusOK, "Activo")
	res, body = send(t, c, srv.URL+"/people/"+fmt.Sprint(personNumber(t, s, "sofia@example.com"))+"/deactivate")
	want(t, "one's own end", res, body, http.StatusForbidden, "Nadie cambia su propio puesto")
	for _, missing := range []string{"/people/999", "/people/x", "/people/-1", "/areas/999", "/sites/99999999999999999999"} {
		if res, _ := get(t, c, srv.URL+missing, "es"); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", missing, res.StatusCode)
		}
	}
}

func TestATechnicianGivesNoRoles(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "ana@example.com")
	at := fmt.Sprintf("%s/people/%d", srv.URL, personNumber(t, s, "eva@example.com"))
	if _, body := get(t, c, at+"/edit", "es"); strings.Contains(body, `name="role"`) {
		t.Error("a technician is offered roles")
	}
	res, body := send(t, c, at, "name", "Eva", "role", "administrator") // forged
	want(t, "a forged role", res, body, http.StatusUnprocessableEntity, "Solo un administrador")
	res, body = send(t, c, srv.URL+"/people", "email", "x@example.com", "name", "X", "role", "administrator")
	want(t, "a forged new person", res, body, http.StatusUnprocessableEntity, "Solo un administrador")
	res, body = send(t, c, at, "name", "Eva María")
	want(t, "a name", res, body, http.StatusOK, "Eva María")
	if eva, err := s.Person(t.Context(), "eva@example.com"); err != nil || eva.Role != actor.Employee {
		t.Errorf("eva is %+v, %v", eva, err)
	}
}

func TestAreasAndSitesByForms(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "ana@example.com")
	for _, x := range []struct {
		path   string
		form   []string
		status int
		texts  []string
	}{
		{"/areas", []string{"name", "compras"}, http.StatusUnprocessableEntity, []string{`id="name-problem"`, "Ya hay otro con ese nombre"}},
		{"/areas", []string{"name", "Obra", "manager_email", "ghost@example.com"}, http.StatusUnprocessableEntity, []string{`id="manager_email-problem"`, `value="ghost@example.com"`}},
		{"/areas", []string{"name", "Obra", "manager_email", "marta@example.com"}, http.StatusOK, []string{"Se agregó", "Obra", "Marta Ibáñez"}},
		{"/areas/1", []string{"name", "Ingeniería y obra", "manager_email", "marta@example.com"}, http.StatusOK, []string{"Ingeniería y obra"}},
		{"/areas/1/deactivate", nil, http.StatusOK, []string{"De baja", "Deshacer"}},
		{"/areas/1/activate", nil, http.StatusOK, []string{"En uso"}},
		{"/sites", []string{"name", "Mérida", "zone", "Nowhere", "remote", "yes"}, http.StatusUnprocessableEntity, []string{`id="zone-problem"`, `value="yes" checked`}},
		{"/sites", []string{"name", "Mérida", "zone", "America/Merida", "remote", "yes"}, http.StatusOK, []string{"America/Merida", "Foráneo"}},
		{"/sites/1", []string{"name", "Querétaro centro"}, http.StatusOK, []string{"Querétaro centro", "Oficina"}},
		{"/sites/1/deactivate", nil, http.StatusOK, []string{"De baja"}},
	} {
		res, body := send(t, c, srv.URL+x.path, x.form...)
		want(t, x.path+" "+strings.Join(x.form, " "), res, body, x.status, x.texts...)
		sound(t, x.path, body)
	}
	marta := client(t, srv, f, "marta@example.com") // the renamed area is still hers
	if res, _ := get(t, marta, srv.URL+"/machines/"+laptop, "es"); res.StatusCode != http.StatusOK {
		t.Errorf("the manager of a renamed area: %d", res.StatusCode)
	}
}

// upload sends a file to the import and returns the page that it ends at.
func upload(t *testing.T, c *http.Client, base, name string, data []byte) (*http.Response, string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	res, err := c.Post(base+"/import", w.FormDataContentType(), &b)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(page)
}

const importHeader = "email,name,area,site,remote,manager_email,primary_machine,role\n"

func TestAFileIsPreviewedThenImported(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "ana@example.com")
	res, body := upload(t, c, srv.URL, `C:\files\gente.csv`, []byte(importHeader+"eva@example.com,Eva Solís Mena,Obra,Querétaro,,marta@example.com,,\nnoe@example.com,Noé,Compras,Mérida,sí,,,\n"))
	want(t, "the preview", res, body, http.StatusOK, "gente.csv", "Guardar 4 cambios", "<del>Eva Solís</del> → <ins>Eva Solís Mena</ins>", "<del>Compras</del> → <ins>Obra</ins>", "noe@example.com", "Mérida")
	if strings.Contains(body, `files`) || !strings.HasPrefix(res.Request.URL.Path, "/import/") {
		t.Errorf("at %s", res.Request.URL)
	}
	if _, err := s.Person(t.Context(), "noe@example.com"); err == nil {
		t.Fatal("a preview saved somebody")
	}
	other := client(t, srv, f, "sofia@example.com")
	if res, _ := get(t, other, res.Request.URL.String(), "es"); res.StatusCode != http.StatusNotFound {
		t.Errorf("another's file: %d", res.StatusCode)
	}
	if err := s.SavePerson(t.Context(), org.Person{Email: "noe@example.com", Name: "Noé R", Role: actor.Employee, Active: true}); err != nil {
		t.Fatal(err)
	}
	at := res.Request.URL.String()
	res, body = send(t, c, at)
	want(t, "confirming what changed meanwhile", res, body, http.StatusConflict, "El directorio cambió", "<del>Noé R</del>")
	res, body = send(t, c, at)
	want(t, "confirming", res, body, http.StatusOK, "El archivo se importó")
	if eva, err := s.Person(t.Context(), "eva@example.com"); err != nil || eva.Area != "Obra" {
		t.Errorf("eva is %+v, %v", eva, err)
	}
	if res, _ := get(t, c, at, "es"); res.StatusCode != http.StatusNotFound {
		t.Errorf("the file once imported: %d", res.StatusCode)
	}
}

func TestAWorkbookIsPreviewed(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	book := excelize.NewFile()
	defer book.Close()
	for i, line := range [][]any{{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"}, {"noe@example.com", "<b>Noé</b>", "Compras"}} {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &line); err != nil {
			t.Fatal(err)
		}
	}
	b, err := book.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	res, body := upload(t, client(t, srv, f, "ana@example.com"), srv.URL, "gente.xlsx", b.Bytes())
	want(t, "the preview", res, body, http.StatusOK, "&lt;b&gt;Noé&lt;/b&gt;", "Guardar 1 cambio")
}

func TestWrongFilesAreExplained(t *testing.T) {
	s := storetest.SQLite(t)
	f, d := company(t, s)
	srv := console(t, d)
	c := client(t, srv, f, "ana@example.com")
	for name, x := range map[string]struct {
		data  []byte
		texts []string
	}{
		"people with problems": {[]byte(importHeader + "x,,,,maybe,,,king\neva@example.com,Eva,,,,,,administrator\nshort\n"),
			[]string{"Nada se guarda mientras", "Escriba una dirección como", "Escriba sí o no", "Solo un administrador", "La fila tiene 1 columnas"}},
		"an empty file": {nil, []string{"El archivo está vacío"}},
		"a picture":     {[]byte("\x89PNG\r\n\x1a\n\x00\x00"), []string{"no es CSV ni XLSX"}},
		"a broken book": {[]byte("PK\x03\x04…"), []string{"El archivo XLSX está dañado"}},
		"a huge file":   {bytes.Repeat([]byte("a"), org.MaxImportBytes+1), []string{"El archivo pasa de 16 MiB"}},
		"a huger file":  {bytes.Repeat([]byte("a"), org.MaxImportBytes+2<<20), []string{"El archivo pasa de 16 MiB"}},
		"nothing to do": {[]byte(importHeader + "eva@example.com,Eva Solís,Compras,Querétaro,,,,\n"), []string{"El directorio ya dice lo mismo"}},
	} {
		res, body := upload(t, c, srv.URL, "x.csv", x.data)
		want(t, name, res, body, http.StatusOK, x.texts...)
		if strings.Contains(body, `method="post" action="/import/`) {
			t.Errorf("%s can be confirmed", name)
		}
		sound(t, name, body)
	}
	res, body := send(t, c, srv.URL+"/import")
	want(t, "no file", res, body, http.StatusUnprocessableEntity, "Elija un archivo")
	if n, err := count(t, s); err != nil || n != len(samplePeople()) {
		t.Errorf("%d people, %v", n, err)
	}
}

func count(t *testing.T, s *store.Store) (int, error) {
	t.Helper()
	list, err := s.People(t.Context())
	return len(list), err
}

// peoplePages are the pages of the directory with the sample people.
func peoplePages() []string {
	return []string{"/administration", "/people", "/people?active=false&role=administrator", "/people?done=created", "/people/new", "/people/2", "/people/6?done=deactivated", "/people/2/edit",
		"/areas", "/areas/1", "/areas/2", "/areas/2/edit", "/areas/new", "/sites", "/sites/1", "/sites/2/edit", "/sites/new", "/import", "/import?done=imported", "/import/good", "/import/wrong"}
}

func TestPeoplePagesInBothLanguages(t *testing.T) {
	f := newFake()
	srv := console(t, f.deps(t))
	for _, person := range []string{"ana@example.com", "sofia@example.com"} {
		c := client(t, srv, f, person)
		for lang, word := range map[string]string{"es": "Administración", "en": "Administration"} {
			for _, at := range peoplePages() {
				res, body := get(t, c, srv.URL+at, lang)
				if res.StatusCode != http.StatusOK || !strings.Contains(body, word) {
					t.Errorf("%s %s as %s: %d", lang, at, person, res.StatusCode)
				}
				sound(t, at, body)
			}
		}
	}
	if _, body := get(t, client(t, srv, f, "ana@example.com"), srv.URL+"/search?q=Luis", "es"); !strings.Contains(body, `href="/people/2"`) {
		t.Error("the search does not find people")
	}
	f.empty = true
	c := client(t, srv, f, "sofia@example.com")
	for at, text := range map[string]string{"/people": "Todavía no hay personas", "/areas": "Todavía no hay áreas", "/sites": "Todavía no hay sitios"} {
		if _, body := get(t, c, srv.URL+at, "es"); !strings.Contains(body, text) {
			t.Errorf("%s without anybody does not say what to do", at)
		}
	}
}
