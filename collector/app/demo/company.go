package demo

import (
	"encoding/csv"
	"fmt"
	"strings"
	"unicode"

	"vigia/collector/internal/actor"
)

// site is a place of the sample. weight is its share of people, in per cent.
type site struct {
	name, code string
	remote     bool
	weight     int
	net        int // second byte of its addresses, 10.net.x.y
}

// sites lists the places.
func sites() []site {
	return []site{
		{"Querétaro", "QRO", false, 52, 10},
		{"Ciudad de México", "CMX", false, 18, 20},
		{"Monterrey", "MTY", false, 12, 30},
		{"Planta Silao", "SIL", true, 11, 40},
		{"Obra Altamira", "ALT", true, 7, 50},
	}
}

// area is a part of the company. work says what programs it needs.
type area struct {
	name    string
	manager string // e-mail
	work    string
	weight  int
}

const (
	areaIT          = "Tecnologías de información"
	areaEngineering = "Ingeniería"
)

// areas lists them. Managers without a fixed address get one made of the area's code.
func areas() []area {
	return []area{
		{"Dirección General", "direccion@example.com", "office", 3},
		{areaIT, "admin@example.com", "it", 4},
		{"Recursos Humanos", "rh@example.com", "office", 5},
		{"Compras", "compras@example.com", "finance", 5},
		{"Tesorería", "tesoreria@example.com", "finance", 4},
		{"Contabilidad", "jefe.contabilidad@example.com", "finance", 9},
		{"Ventas", "jefe.ventas@example.com", "office", 15},
		{areaEngineering, "gerente@example.com", "engineering", 18},
		{"Proyectos", "jefe.proyectos@example.com", "engineering", 13},
		{"Mantenimiento", "jefe.mantenimiento@example.com", "office", 10},
		{"Calidad", "jefe.calidad@example.com", "office", 7},
		{"Almacén y Logística", "jefe.almacen@example.com", "office", 7},
	}
}

// work returns what is done in an area.
func work(name string) string {
	for _, a := range areas() {
		if a.name == name {
			return a.work
		}
	}
	return "office"
}

// person is one of the sample.
type person struct {
	email, name, login string
	area               string
	site               *site
	role               actor.Role
	machine            string // hostname of the primary machine; empty: none yet
}

// fixed are the people whose addresses the help and the checks name: one for each role.
func fixed() []person {
	return []person{
		{email: "admin@example.com", area: areaIT, role: actor.Administrator},
		{email: "tecnico@example.com", area: areaIT, role: actor.Technician},
		{email: "gerente@example.com", area: areaEngineering, role: actor.AreaManager},
		{email: "rh@example.com", area: "Recursos Humanos", role: actor.HR},
		{email: "compras@example.com", area: "Compras", role: actor.Purchasing},
		{email: "tesoreria@example.com", area: "Tesorería", role: actor.Treasury},
		{email: "direccion@example.com", area: "Dirección General", role: actor.GeneralManagement},
		{email: "empleado@example.com", area: areaEngineering, role: actor.Employee},
		{email: "auditor@example.com", area: "Calidad", role: actor.Auditor},
	}
}

// company is the directory.
type company struct {
	sites  []site
	areas  []area
	people []*person
}

// newCompany makes n people: those with fixed addresses, the other managers, the rest.
func newCompany(seed uint64, cat *catalogue, n int) *company {
	k := &company{sites: sites(), areas: areas()}
	c := newChance(seed, forPeople, 0)
	logins := map[string]int{}
	add := func(p person) {
		given, first, second := one(c, cat.given), one(c, cat.surnames), one(c, cat.surnames)
		p.name = given + " " + first + " " + second
		p.login = ascii(given[:1]+first, logins)
		if p.email == "" {
			p.email = ascii(given+"."+first, logins) + "@example.com"
		} else {
			p.login = strings.ReplaceAll(strings.TrimSuffix(p.email, "@example.com"), "jefe.", "j")
		}
		if p.site == nil {
			p.site = k.pickSite(c)
		}
		k.people = append(k.people, &p)
	}
	for _, p := range fixed() {
		p.site = &k.sites[0]
		add(p)
	}
	for _, a := range k.areas {
		if strings.HasPrefix(a.manager, "jefe.") {
			add(person{email: a.manager, area: a.name, role: actor.AreaManager, site: &k.sites[0]})
		}
	}
	for len(k.people) < n {
		p := person{area: k.pickArea(c), role: actor.Employee}
		if i := len(k.people); i == 15 || i == 16 {
			p.area, p.role = areaIT, actor.Technician
		} else if i == 17 {
			p.area, p.role = "Recursos Humanos", actor.HR
		}
		add(p)
	}
	return k
}

func (k *company) pickSite(c chance) *site {
	n := c.IntN(100)
	for i := range k.sites {
		if n -= k.sites[i].weight; n < 0 {
			return &k.sites[i]
		}
	}
	return &k.sites[0]
}

func (k *company) pickArea(c chance) string {
	n := c.IntN(100)
	for i := range k.areas {
		if n -= k.areas[i].weight; n < 0 {
			return k.areas[i].name
		}
	}
	return k.areas[0].name
}

// ascii makes an address of a name, and a number where it is taken.
func ascii(name string, taken map[string]int) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if i := strings.IndexRune("áéíóúüñ", r); i >= 0 {
			r = rune("aeiouun"[len([]rune("áéíóúüñ"[:i]))])
		}
		if r == '.' || r < unicode.MaxASCII && unicode.IsLetter(r) {
			b.WriteRune(r)
		}
	}
	base := b.String()
	taken[base]++
	if n := taken[base]; n > 1 {
		return fmt.Sprintf("%s%d", base, n)
	}
	return base
}

// csv is the file of people, as the directory's owner would hand it in.
func (k *company) csv() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write([]string{"email", "name", "area", "site", "remote", "manager_email", "primary_machine", "role"})
	managers := map[string]string{}
	for _, a := range k.areas {
		managers[a.name] = a.manager
	}
	for _, p := range k.people {
		remote := "no"
		if p.site.remote {
			remote = "yes"
		}
		_ = w.Write([]string{p.email, p.name, p.area, p.site.name, remote, managers[p.area], p.machine, string(p.role)})
	}
	w.Flush()
	return b.String()
}
