package app

import (
	"strings"
	"time"

	"vigia/collector/internal/nonconformity"
)

// recordRow is one record in JSON; checks from outside rely on the names.
type recordRow struct {
	Number      string                   `json:"number"`
	State       string                   `json:"state"`
	Machine     string                   `json:"machine"`
	Hostname    string                   `json:"hostname"`
	Person      string                   `json:"person"`
	OpenedAt    *time.Time               `json:"opened_at"`
	Programs    []nonconformity.Program  `json:"programs"`
	Parties     []nonconformity.Party    `json:"parties"`
	Evidence    []nonconformity.Evidence `json:"evidence"`
	ContainedAt *time.Time               `json:"contained_at"`
	PersonName  string                   `json:"person_name"`
	Area        string                   `json:"area"`
	Site        string                   `json:"site"`
	Recurrences int                      `json:"recurrences"`
	Severity    string                   `json:"severity"`
	Round       int                      `json:"round"`
	Awaited     string                   `json:"awaited"`
	Due         *time.Time               `json:"due"`
}

func toRecordRow(n nonconformity.Nonconformity) recordRow {
	return recordRow{Number: n.Number, State: string(n.State), Machine: n.Machine, Hostname: n.Hostname, Person: n.Person, OpenedAt: utc(n.OpenedAt),
		Programs: notNil(n.Programs), Parties: notNil(n.Parties), Evidence: notNil(n.Evidence), ContainedAt: utc(n.ContainedAt),
		PersonName: n.PersonName, Area: n.Area, Site: n.Site, Recurrences: n.Recurrences, Severity: string(n.Severity), Round: n.Round, Awaited: n.Awaited, Due: utc(n.DueAt)}
}

// wholeRow is a record with its life; checks from outside rely on the names.
type wholeRow struct {
	recordRow
	History       []nonconformity.Event  `json:"history"`
	Statements    []statementRow         `json:"statements"`
	Tasks         []taskRow              `json:"tasks"`
	Containment   containmentRow         `json:"containment"`
	Effectiveness effectivenessRow       `json:"effectiveness"`
	NotifiedAt    *time.Time             `json:"notified_at"`
	CauseAt       *time.Time             `json:"cause_at"`
	PlannedAt     *time.Time             `json:"planned_at"`
	ImplementedAt *time.Time             `json:"implemented_at"`
	EndedAt       *time.Time             `json:"ended_at"`
	Until         *time.Time             `json:"until"`
	Notices       []nonconformity.Notice `json:"notices"`
}

// statementRow is what somebody wrote and acknowledged.
type statementRow struct {
	Step       string               `json:"step"`
	Round      int                  `json:"round"`
	Part       string               `json:"part"`
	Author     string               `json:"author"`
	AuthorName string               `json:"author_name"`
	OnBehalf   bool                 `json:"on_behalf"`
	At         *time.Time           `json:"at"`
	Address    string               `json:"address"`
	Answer     nonconformity.Answer `json:"answer"`
	SHA256     string               `json:"sha256"`
	Holds      bool                 `json:"holds"` // the document has this hash
	Document   string               `json:"document"`
}

// says is the answer in one line.
func (x statementRow) says() string {
	a := x.Answer
	parts := []string{a.Measure, a.Cause, a.Until, a.Text}
	parts = append(parts, a.Whys...)
	for _, y := range a.Actions {
		parts = append(parts, y.What+" ("+y.Who+", "+y.By+")")
	}
	if a.Attachment != nil {
		parts = append(parts, a.Attachment.Name)
	}
	var said []string
	for _, p := range parts {
		if p != "" {
			said = append(said, strings.ReplaceAll(p, "\n", " "))
		}
	}
	return strings.Join(said, "; ")
}

type taskRow struct {
	Step  string     `json:"step"`
	Part  string     `json:"part"`
	Since *time.Time `json:"since"`
	Due   *time.Time `json:"due"`
}

// containmentRow tells what proves that the programs are gone.
type containmentRow struct {
	Contained bool                     `json:"contained"`
	At        *time.Time               `json:"at"`
	Proof     []nonconformity.Evidence `json:"proof"`
}

// effectivenessRow tells what proves that the action worked.
type effectivenessRow struct {
	Verified   bool                     `json:"verified"`
	VerifiedAt *time.Time               `json:"verified_at"`
	Until      *time.Time               `json:"until"` // end of the period; null before it began
	Proof      []nonconformity.Evidence `json:"proof"`
	LastLook   *time.Time               `json:"last_look"` // when the machine last showed what is on it
}

func toWholeRow(n nonconformity.Nonconformity, t nonconformity.Terms, look nonconformity.Look) wholeRow {
	w := wholeRow{recordRow: toRecordRow(n), History: notNil(n.History), Statements: []statementRow{}, Tasks: []taskRow{}, Notices: notNil(n.Notices),
		NotifiedAt: utc(n.NotifiedAt), CauseAt: utc(n.CauseAt), PlannedAt: utc(n.PlannedAt), ImplementedAt: utc(n.ImplementedAt), EndedAt: utc(n.EndedAt), Until: utc(n.Until)}
	for _, x := range n.Steps {
		w.Statements = append(w.Statements, statementRow{Step: x.Kind, Round: x.Round, Part: x.Part, Author: x.Author, AuthorName: x.AuthorName, OnBehalf: x.OnBehalf,
			At: utc(x.At), Address: x.Address, Answer: x.Answer, SHA256: x.Hash, Holds: x.Holds(), Document: string(x.Document)})
	}
	for _, x := range n.Tasks(t) {
		w.Tasks = append(w.Tasks, taskRow{x.Step, x.Part, utc(x.Since), utc(x.Due)})
	}
	w.Containment = containmentRow{Contained: !n.ContainedAt.IsZero(), At: utc(n.ContainedAt), Proof: []nonconformity.Evidence{}}
	w.Effectiveness = effectivenessRow{Verified: !n.VerifiedAt.IsZero(), VerifiedAt: utc(n.VerifiedAt), Until: utc(n.Period(t)), Proof: []nonconformity.Evidence{}, LastLook: utc(look.At)}
	for _, e := range n.Evidence {
		switch e.Kind {
		case "gone", "archived":
			w.Containment.Proof = append(w.Containment.Proof, e)
		case "absent":
			w.Effectiveness.Proof = append(w.Effectiveness.Proof, e)
		}
	}
	return w
}
