package demo

import (
	"fmt"
	"slices"
	"time"
)

// cohort is how many machines live through the whole year; more come in its last weeks.
const cohort = 400

// makeMachines lays out every machine of the year, before anything happens.
func (y *history) makeMachines() {
	servers := max(2, y.o.Machines*5/100)
	archived := max(1, min(40, y.o.Machines*3/100))
	spare := max(1, y.o.Machines*2/100)
	desks := y.o.Machines - servers - archived - spare
	for n := range y.o.Machines {
		m := &machine{n: n, c: newChance(y.o.Seed, forMachine, uint64(n))}
		switch {
		case n < desks:
			y.seat(m, y.company.people[n])
		case n < desks+archived: // its user has another machine by now
			heir := y.machines[(20+(n-desks)*7)%desks]
			m.fate = fateArchived
			y.seat(m, y.company.people[heir.n])
			y.fit(m)
			y.succeed(m, heir)
			y.machines = append(y.machines, m)
			continue
		case n < desks+archived+servers:
			y.rack(m)
		default:
			m.site, m.area, m.model = y.company.sites[0].name, areaIT, pick(m.c, y.cat.models["laptop"])
			m.os = windows11
		}
		y.fit(m)
		y.machines = append(y.machines, m)
	}
	y.clone(y.machines[len(y.machines)-1], y.machines[desks-1])
	slices.SortStableFunc(y.machines, func(a, b *machine) int { return a.born.Compare(b.born) })
	y.name()
}

// succeed makes heir come when m is about to go.
func (y *history) succeed(m, heir *machine) {
	heir.born = atWork(heir.c, m.ends.Add(-4*24*time.Hour))
	heir.built = heir.born.Add(-30 * time.Hour).Truncate(time.Second)
	if heir.ends.Before(heir.born.Add(10 * 24 * time.Hour)) {
		heir.fate, heir.ends = fateActive, y.to.Add(-m.c.between(time.Minute, 4*time.Hour))
	}
}

// clone makes m a copy of another machine's disk and firmware, as a careless image does.
func (y *history) clone(m, other *machine) {
	m.cloneOf, m.serial, m.uuid, m.machineID = other, other.serial, other.uuid, other.machineID
	m.model, m.os, m.memory, m.disk, m.built = other.model, other.os, other.memory, other.disk, other.built
	other.fate, m.fate = fateActive, fateActive
	m.born = atWork(m.c, later(m.born, other.born.Add(3*24*time.Hour)))
	m.ends, other.ends = y.to.Add(-9*time.Minute), y.to.Add(-4*time.Minute)
}

func pick(c chance, list []model) *model { return &list[c.IntN(len(list))] }

// seat gives m to a person.
func (y *history) seat(m *machine, p *person) {
	m.email, m.user, m.site, m.area = p.email, p.login, p.site.name, p.area
	kind := "laptop"
	if m.c.percent(38) {
		kind = "desktop"
	}
	if work(p.area) == "engineering" && m.c.percent(45) {
		kind = "workstation"
	}
	m.model = pick(m.c, y.cat.models[kind])
	switch n := m.c.IntN(100); {
	case n < 36:
		m.os = debian
	case n < 56:
		m.os = ubuntu
	case n < 66 || m.model.year < 2019: // too old for Windows 11
		m.os = windows10
	default:
		m.os = windows11
	}
	if m.fate == fateArchived && m.windows() {
		m.os = windows10
	}
	if p.email == "empleado@example.com" || p.email == "gerente@example.com" {
		m.os, m.model = debian, &y.cat.models["laptop"][0]
	}
}

// rack makes m a server.
func (y *history) rack(m *machine) {
	m.site, m.area = y.company.sites[m.c.IntN(3)].name, areaIT
	m.model = pick(m.c, y.cat.models[one(m.c, []string{"server", "virtual", "virtual"})])
	m.os = one(m.c, []string{debian, debian, ubuntu, windowsSrv})
}

// fit decides what m is made of, when it comes and how it ends.
func (y *history) fit(m *machine) {
	m.memory, m.disk = one(m.c, m.model.memory), one(m.c, m.model.diskGB)
	m.serial, m.uuid = serial(m.c, m.model.vendor), m.c.uuid()
	m.machineID = m.c.text(32, hexDigit)
	if m.windows() {
		m.machineID = m.c.uuid()
	}
	m.mac = fmt.Sprintf("%s:%s:%s:%s", one(m.c, []string{"54:e1:ad", "a4:bb:6d", "10:e7:c6", "c8:5b:76"}), m.c.text(2, hexDigit), m.c.text(2, hexDigit), m.c.text(2, hexDigit))
	m.encrypted = m.model.kind == "laptop" && !m.c.percent(12)
	m.lags = m.c.between(0, 5*24*time.Hour)
	if m.c.percent(7) {
		m.lags = m.c.between(60*24*time.Hour, 200*24*time.Hour)
	}
	if m.c.percent(9) {
		m.ill = one(m.c, []int{illOld, illOff, illSnoozed, illExpired, illInfected, illInfected, illNone})
	}
	if m.c.percent(4) {
		m.failing = map[bool]string{true: "appx", false: "file"}[m.windows()]
		if m.os == ubuntu {
			m.failing = "snap"
		}
	}
	if isFixed(m.email) {
		m.failing, m.spooled = "", 0
	}
	y.span(m)
	m.built = m.born.Add(-m.c.between(2*24*time.Hour, 900*24*time.Hour)).Truncate(time.Second)
	if m.model.year >= 2022 {
		m.built = m.born.Add(-m.c.between(24*time.Hour, 300*24*time.Hour)).Truncate(time.Second)
	}
}

func serial(c chance, vendor string) string {
	switch vendor {
	case "LENOVO":
		return "PF" + c.text(6, capitals)
	case "Dell Inc.":
		return c.text(7, capitals)
	case "VMware, Inc.":
		return "VMware-42 " + c.text(12, hexDigit)
	}
	return "5CG" + c.text(7, capitals)
}

// span sets when m is heard of first and last.
func (y *history) span(m *machine) {
	day := 24 * time.Hour
	switch {
	case m.n >= cohort && m.fate != fateArchived: // waves of the last six weeks
		wave := atWork(newChance(y.o.Seed, forYear, uint64(m.n%8)), y.from.Add(time.Duration(318+m.n%8*5)*day))
		m.born = wave.Add(m.c.between(0, 10*time.Minute)).Truncate(time.Second)
	case m.fate != fateArchived && m.c.percent(14) && m.email != "empleado@example.com" && m.email != "gerente@example.com":
		m.born = atWork(m.c, y.from.Add(time.Duration(100+m.c.IntN(30)*8)*day))
	default: // the roll-out
		m.born = atWork(m.c, y.from.Add(time.Duration(1+m.c.IntN(29))*day))
	}
	m.ends = y.to.Add(-m.c.between(time.Minute, 4*time.Hour))
	if m.model.kind == "laptop" && m.c.percent(12) { // not switched on for some days
		m.ends = y.to.Add(-m.c.between(8*time.Hour, 5*day))
	}
	if m.fate == fateArchived {
		m.ends = atWork(m.c, y.from.Add(time.Duration(140+m.c.IntN(190))*day))
		return
	}
	if m.email != "" && isFixed(m.email) {
		m.ends = y.to.Add(-m.c.between(time.Minute, 20*time.Minute))
		return
	}
	switch n := m.c.IntN(1000); {
	case n < 28 && m.n < cohort:
		m.fate, m.ends = fateSilent, atWork(m.c, y.to.Add(-m.c.between(9*day, 80*day)))
	case n < 34 && m.n < cohort:
		m.fate, m.ends = fateRevoked, atWork(m.c, y.to.Add(-m.c.between(20*day, 120*day)))
	case n < 42:
		m.fate, m.ends = fateQuarantined, atWork(m.c, y.to.Add(-m.c.between(2*day, 15*day)))
	case n < 55:
		m.spooled = 2 + m.c.IntN(30)
	}
	if !m.ends.After(m.born.Add(20 * day)) {
		m.fate, m.ends = fateActive, y.to.Add(-m.c.between(time.Minute, 4*time.Hour))
	}
}

func isFixed(email string) bool {
	return slices.ContainsFunc(fixed(), func(p person) bool { return p.email == email })
}

// name numbers the machines by site and kind, in the order in which they came.
func (y *history) name() {
	codes, count := map[string]string{}, map[string]int{}
	for _, s := range y.company.sites {
		codes[s.name] = s.code
	}
	kinds := map[string]string{"laptop": "LT", "desktop": "DT", "workstation": "WS", "server": "SRV", "virtual": "SRV"}
	byEmail := map[string]*person{}
	for _, p := range y.company.people {
		byEmail[p.email] = p
	}
	for _, m := range y.machines {
		prefix := codes[m.site] + "-" + kinds[m.model.kind] + "-"
		count[prefix]++
		m.host = fmt.Sprintf("%s%03d", prefix, count[prefix])
		if !m.windows() {
			m.host = lower(m.host)
		}
		m.person = byEmail[m.email]
	}
}
