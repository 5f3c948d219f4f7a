package demo

import (
	"slices"
	"time"
)

// eventKind is what happens.
type eventKind int

const (
	evEnroll  eventKind = iota
	evFirst             // the first report
	evReport            // the scheduled one
	evRenew             // of the certificate
	evSeen              // a sign of life: the last one
	evInstall           // a person installs something
	evRemove
	evRebuild   // Windows 11, or more memory
	evReinstall // the operating system is new; the machine enrolls again
	evOffice    // somebody works at the console
)

// quiet events may happen together in one transaction; others have a moment of their own.
func (k eventKind) quiet() bool { return k <= evSeen }

// event is one thing of the year.
type event struct {
	at   time.Time
	kind eventKind
	m    *machine
	what *string      // name of a program, with evInstall and evRemove; nil: any
	pick *chosen      // what evInstall chose, for its evRemove
	do   func() error // with evOffice
}

// chosen is a program that a person chose.
type chosen struct{ *track }

// plan writes the year down, in the order of time.
func (y *history) plan() []event {
	var all []event
	for _, m := range y.machines {
		all = append(all, y.planMachine(m)...)
	}
	all = append(all, y.planOffice()...)
	slices.SortStableFunc(all, func(a, b event) int { return a.at.Compare(b.at) })
	return all
}

func (y *history) planMachine(m *machine) []event {
	day := 24 * time.Hour
	list := []event{{at: m.born, kind: evEnroll, m: m}, {at: m.born.Add(m.c.between(13*time.Minute, 40*time.Minute)), kind: evFirst, m: m}}
	for at := m.born.Add(7 * day); at.Before(m.ends.Add(-day)); at = at.Add(7 * day) {
		when := atWork(m.c, at)
		if m.server() {
			when = at.Truncate(day).Add(time.Duration(9+m.n%3)*time.Hour + time.Duration(m.c.IntN(3600))*time.Second)
		}
		if when.Before(m.ends.Add(-time.Hour)) && when.After(m.born) {
			list = append(list, event{at: when, kind: evReport, m: m})
		}
	}
	for at := m.born.Add(m.c.between(60*day, 63*day)); at.Before(m.ends); at = at.Add(m.c.between(60*day, 63*day)) {
		list = append(list, event{at: at, kind: evRenew, m: m})
	}
	list = append(list, y.planTaste(m)...)
	if half := m.born.Add(m.ends.Sub(m.born) / 2); m.n < cohort && (m.c.percent(5) || m.os == windows10 && m.fate == fateActive && m.c.percent(35)) {
		list = append(list, event{at: atWork(m.c, half), kind: evRebuild, m: m})
	}
	if again := y.from.Add(time.Duration(190+m.n) * day); m.n%60 == 33 && m.n < cohort && m.fate == fateActive && m.born.Before(again.Add(-9*day)) {
		list = append(list, event{at: atWork(m.c, again), kind: evReinstall, m: m})
	}
	return append(list, event{at: m.ends.Add(-20 * time.Second), kind: evReport, m: m}, event{at: m.ends, kind: evSeen, m: m})
}

// planTaste decides what m's user installs without asking, and whether it goes again.
func (y *history) planTaste(m *machine) []event {
	if m.user == "" {
		return nil
	}
	var list []event
	day := 24 * time.Hour
	first, last := m.born.Add(2*day), m.ends.Add(-6*time.Hour)
	n := m.c.IntN(3)
	if m.n >= cohort {
		n = m.c.IntN(5) / 4
	}
	for range n {
		if !first.Before(last) {
			break
		}
		list = append(list, y.tasted(m, nil, atWork(m.c, first.Add(m.c.between(0, last.Sub(first)))), last)...)
	}
	if m.email == "empleado@example.com" || m.email == "gerente@example.com" {
		for _, x := range []struct {
			name string
			at   time.Time
		}{{"discord", y.to.Add(-64 * day)}, {"spotify", y.to.Add(-3 * day)}} {
			at, name := atWork(m.c, x.at), x.name
			pick := &chosen{}
			list = append(list, event{at: at, kind: evInstall, m: m, what: &name, pick: pick})
			if name == "discord" {
				list = append(list, event{at: atWork(m.c, at.Add(5*day)), kind: evRemove, m: m, pick: pick})
			}
		}
	}
	return list
}

// tasted is one program that comes, and mostly goes; some come back.
func (y *history) tasted(m *machine, what *string, at, last time.Time) []event {
	day := 24 * time.Hour
	pick := &chosen{}
	list := []event{{at: at, kind: evInstall, m: m, what: what, pick: pick}}
	odds := 90 // what came long ago has mostly been followed up
	if at.After(y.to.Add(-50 * day)) {
		odds = 50
	}
	if !m.c.percent(odds) {
		return list
	}
	gone := atWork(m.c, at.Add(m.c.between(day, 18*day)))
	if !gone.Before(last) {
		return list
	}
	list = append(list, event{at: gone, kind: evRemove, m: m, pick: pick})
	if back := atWork(m.c, gone.Add(m.c.between(8*day, 45*day))); m.c.percent(14) && back.Before(last) {
		list = append(list, event{at: back, kind: evInstall, m: m, pick: pick})
		if again := atWork(m.c, back.Add(m.c.between(day, 9*day))); m.c.percent(50) && again.Before(last) {
			list = append(list, event{at: again, kind: evRemove, m: m, pick: pick})
		}
	}
	return list
}
