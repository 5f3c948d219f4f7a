package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/nonconformity"
)

// RecordSteps is what pages have done to nonconformities; nonconformity.Service has it.
type RecordSteps interface {
	Outlook(ctx context.Context, n nonconformity.Nonconformity) (nonconformity.Outlook, error)
	Take(ctx context.Context, number, step string, a nonconformity.Answer, address string) (nonconformity.Nonconformity, error)
	Comment(ctx context.Context, number, text, address string) (nonconformity.Nonconformity, error)
	Attach(ctx context.Context, number, name string, content []byte, address string) (nonconformity.Nonconformity, error)
	File(ctx context.Context, number, sha256 string) (nonconformity.File, error)
	Trail(ctx context.Context, number string) ([]audit.Entry, error)
}

type nonconformityShowPage struct {
	Page
	Record nonconformity.Nonconformity
	nonconformity.Outlook
	Steps    []step
	Main     *headLink  // the next action of the reader
	Actions  []headLink // the others
	Notice   string
	Problem  string // of the comment
	Bad      string // of the file
	Comment  string // as it was typed
	Accept   string // ends of names of files
	Written  []nonconformity.Step
	Comments []nonconformity.Step
	Files    []nonconformity.Step
}

// step is one state of the record's life.
type step struct {
	Text    string
	At      time.Time
	Done    bool
	Current bool
}

// recordOf reads the record that the URL names.
func (c *console) recordOf(r *http.Request) (nonconformity.Nonconformity, error) {
	n, err := c.Nonconformities.ByNumber(r.Context(), r.PathValue("number"))
	if apperr.Is(err, apperr.NotFound) {
		err = apperr.Wrap(err, apperr.NotFound, "web.no-nonconformity", nil)
	}
	return n, err
}

func recordPath(n nonconformity.Nonconformity) string { return "/nonconformities/" + n.Number }

// nonconformityShow shows one record as it goes into the ISO file.
func (c *console) nonconformityShow(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	return c.showRecord(w, r, http.StatusOK, n, func(*nonconformityShowPage) {})
}

func (c *console) showRecord(w http.ResponseWriter, r *http.Request, status int, n nonconformity.Nonconformity, set func(*nonconformityShowPage)) error {
	p := nonconformityShowPage{Page: c.newPage(w, r, "nonconformities"), Record: n, Accept: strings.Join(nonconformity.FileEnds(), ",")}
	p.Title = n.Number
	var err error
	if p.Outlook, err = c.RecordSteps.Outlook(r.Context(), n); err != nil {
		return err
	}
	p.line()
	p.actions()
	for _, x := range n.Steps {
		switch x.Kind {
		case nonconformity.StepComment:
			p.Comments = append(p.Comments, x)
		case nonconformity.StepAttachment:
			p.Files = append(p.Files, x)
		default:
			p.Written = append(p.Written, x)
		}
	}
	if status == http.StatusOK {
		p.Notice = c.sessions.PopString(r.Context(), sessionNotice)
	}
	set(&p)
	return c.execute(w, status, "nonconformity_show", "layout", &p)
}

// line is the record's states with where it is; one that ended otherwise stops there.
func (p *nonconformityShowPage) line() {
	n := &p.Record
	states := nonconformity.Line()
	if n.State == nonconformity.Withdrawn || n.State == nonconformity.Concession {
		states = slices.DeleteFunc(states, func(s nonconformity.State) bool { return n.Reached(s).IsZero() })
		states = append(states, n.State)
	}
	for _, s := range states {
		at := n.Reached(s)
		p.Steps = append(p.Steps, step{Text: p.Word("nc.state", string(s)), At: at, Done: !at.IsZero(), Current: s == n.State})
	}
}

// actions are the steps that the reader may take: the one that is awaited first.
func (p *nonconformityShowPage) actions() {
	if !access.May(p.actor, access.TakePart) {
		return
	}
	for _, o := range p.Options {
		link := headLink{URL: recordPath(p.Record) + "/steps/" + o.Step, Text: p.T("nc.step." + o.Step)}
		awaited := slices.ContainsFunc(p.Tasks, func(t nonconformity.Task) bool { return t.Step == o.Step })
		if p.Main == nil && !o.OnBehalf && !o.Again && awaited {
			p.Main = &link
			continue
		}
		p.Actions = append(p.Actions, link)
	}
}

// Late reports whether a moment has passed.
func (p *nonconformityShowPage) Late(at time.Time) bool { return !at.IsZero() && at.Before(p.Now) }

// Said is who wrote a step, and for whom.
func (p *nonconformityShowPage) Said(x nonconformity.Step) string {
	name := x.AuthorName
	if name == "" {
		name = p.Actor(x.Author)
	}
	if x.OnBehalf {
		return p.T("nc.on-behalf", "Name", name, "Part", p.Word("party", x.Part))
	}
	return p.T("nc.as", "Name", name, "Part", p.Word("party", x.Part))
}

// Size writes a number of bytes.
func (p *nonconformityShowPage) Size(n int) string { return p.Bytes(uint64(n)) }

// Numbers writes 1, 2, 3 …
func (p *nonconformityShowPage) Numbers() []string {
	var list []string
	for i := range actionRows {
		list = append(list, p.Number64(i+1))
	}
	return list
}

// From is where somebody acknowledged from, in words.
func (p *nonconformityShowPage) From(x nonconformity.Step) string {
	if x.Address == "" {
		return p.T("nc.from-server")
	}
	return x.Address
}

// Detail is the end of a line of history in words.
func (p *nonconformityShowPage) Detail(e nonconformity.Event) string {
	switch e.Kind {
	case "overdue", "escalated", "escalated-far":
		return p.Word("nc.step", e.Detail)
	}
	return e.Detail
}

// Actor is who did something, in words: people by their address, machines and the
// collector itself by what they are.
func (p Page) Actor(s string) string {
	kind, id, ok := strings.Cut(s, ":")
	if !ok {
		return s
	}
	switch actor.Kind(kind) {
	case actor.Person:
		if id == operatorID {
			return p.T("operator")
		}
		return id
	case actor.Machine:
		return p.T("actor.machine")
	case actor.CLI:
		return p.T("actor.cli", "Account", id)
	case actor.System:
		return p.T("actor.system")
	}
	return s
}
