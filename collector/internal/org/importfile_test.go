package org

import (
	"errors"
	"strings"
	"testing"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
)

const header = "email,name,area,site,remote,manager_email,primary_machine,role\n"

func TestParseFile(t *testing.T) {
	f, err := ParseFile(strings.NewReader(header +
		"Ana@Example.com,Ana Núñez,Ventas,Querétaro,no,luis@example.com,pc-017,\n" +
		"luis@example.com,\"Luis, el jefe\",Ventas,Querétaro,,,,area-manager\n\n" +
		"eva@example.com,Eva,Obra,Celaya,sí,luis@example.com,,hr\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.People) != 3 || len(f.Areas) != 2 || len(f.Sites) != 2 {
		t.Fatalf("%+v", f)
	}
	want := Person{Email: "ana@example.com", Name: "Ana Núñez", Area: "Ventas", Site: "Querétaro", PrimaryMachine: "pc-017", Role: actor.Employee, Active: true}
	if f.People[0] != want {
		t.Errorf("got %+v, want %+v", f.People[0], want)
	}
	if f.Areas[1].Manager != "luis@example.com" || !f.Sites[0].Remote || f.Sites[1].Remote {
		t.Errorf("areas %+v, sites %+v", f.Areas, f.Sites)
	}
}

func TestParseFileEncodings(t *testing.T) {
	text := strings.ReplaceAll(header+"eva@example.com,Eva Peña – Núñez €,Área,Querétaro,sí,,,\n", ",", ";")
	legacy := strings.NewReplacer("ñ", "\xf1", "ú", "\xfa", "Á", "\xc1", "é", "\xe9", "í", "\xed", "–", "\x96", "€", "\x80").Replace(text)
	for name, in := range map[string]string{"utf-8": text, "with a mark": "\ufeff" + text, "windows-1252": legacy, "with CRLF": strings.ReplaceAll(text, "\n", "\r\n")} {
		f, err := ParseFile(strings.NewReader(in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p := f.People[0]; p.Name != "Eva Peña – Núñez €" || p.Area != "Área" || p.Site != "Querétaro" {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if _, err := ParseFile(strings.NewReader("\xff\xfee\x00")); err == nil || !strings.Contains(err.Error(), "org.problem.utf16") {
		t.Errorf("UTF-16: %v", err)
	}
}

func TestParseFileTellsEveryProblem(t *testing.T) {
	_, err := ParseFile(strings.NewReader(header +
		"no-address,,Ventas,Querétaro,maybe,,,king\n" +
		"ana@example.com,Ana,Ventas,Querétaro,yes,luis@example.com,,\n" +
		"ANA@example.com,Ana,Ventas,Querétaro,no,eva@example.com,,\n" +
		"short,row\n" +
		"b@example.com,B,,,yes,luis@example.com,,\n"))
	var p Problems
	if !errors.As(err, &p) || !apperr.Is(err, apperr.Invalid) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{`line 2: email "no-address": org.problem.email`, `line 2: name "": org.problem.empty`, `line 2: role "king"`, `line 2: remote "maybe"`,
		`line 4: email "ana@example.com": org.problem.twice line=3`, `line 4: remote "no": org.problem.remote-twice line=3`, `line 4: manager_email "eva@example.com": org.problem.manager-twice`,
		"line 5: org.problem.fields fields=2 want=8", `line 6: remote "yes"`, `line 6: manager_email`} {
		if !strings.Contains(p.Error(), want) {
			t.Errorf("no %q in:\n%v", want, p)
		}
	}
}

// TestRolesAreReadAsCompaniesWriteThem: names of roles in either language and any spelling.
func TestRolesAreReadAsCompaniesWriteThem(t *testing.T) {
	for text, want := range map[string]actor.Role{
		"": actor.Employee, "HR": actor.HR, "Area_Manager": actor.AreaManager, "area manager": actor.AreaManager, "manager": actor.AreaManager,
		"Técnica": actor.Technician, "Recursos Humanos": actor.HR, "TESORERÍA": actor.Treasury, "Gerencia General": actor.GeneralManagement, "Compras": actor.Purchasing,
	} {
		f, err := ParseFile(strings.NewReader(header + "ana@example.com,Ana,,,,,," + text + "\n"))
		if err != nil || len(f.Problems) > 0 || len(f.People) != 1 || f.People[0].Role != want {
			t.Errorf("%q: %+v, %v; want %s", text, f, err, want)
		}
	}
	for _, text := range []string{"king", "managers"} {
		if _, err := ParseFile(strings.NewReader(header + "ana@example.com,Ana,,,,,," + text + "\n")); err == nil || !strings.Contains(err.Error(), "role \""+text+"\"") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParseFileHeader(t *testing.T) {
	for _, in := range []string{"", "email,name\n", header[:len(header)-1] + ",extra\n", "email,email,area,site,remote,manager_email,primary_machine,role\n", "\x00\x01", header + "\"broken\n"} {
		if _, err := ParseFile(strings.NewReader(in)); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("%.40q: %v", in, err)
		}
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(header + "ana@example.com,Ana,Ventas,Querétaro,no,,pc-017,hr\n")
	f.Add("email;name;area;site;remote;manager_email;primary_machine;role\r\n\"a\"\"@b.c\";x\n")
	f.Fuzz(func(t *testing.T, in string) {
		file, err := ParseFile(strings.NewReader(in))
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v, error %v", file, err)
		}
	})
}
