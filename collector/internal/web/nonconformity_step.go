package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
)

// Rows of the forms of a cause and a plan.
const (
	whyRows    = 5
	actionRows = 6
)

type nonconformityStepPage struct {
	nonconformityShowPage
	Step    string
	Option  nonconformity.Option
	Due     time.Time
	Fields  []field
	Plan    []actionRow
	Wrong   string // about the form as a whole
	Earlier []nonconformity.Step
}

// actionRow is one line of the form of a plan.
type actionRow struct{ What, Who, By field }

// nonconformityStepForm shows one party's step and nothing else. Whoever has no such step
// now is led to the record, which says why.
func (c *console) nonconformityStepForm(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	typed := nonconformity.Answer{}
	if last := n.Last(r.PathValue("step")); last != nil {
		typed = last.Answer
	}
	return c.showStep(w, r, n, typed, nil)
}

// nonconformityStep takes the step.
func (c *console) nonconformityStep(w http.ResponseWriter, r *http.Request) error {
	n, err := c.recordOf(r)
	if err != nil {
		return err
	}
	typed := postedAnswer(r)
	_, err = c.RecordSteps.Take(r.Context(), n.Number, r.PathValue("step"), typed, c.client(r).Address)
	if apperr.Is(err, apperr.Invalid) {
		return c.showStep(w, r, n, typed, err)
	} else if err != nil {
		return err
	}
	return c.toRecord(w, r, n, c.newPage(w, r, "").T("nc.done"))
}

// toRecord goes to the record, which says what was done.
func (c *console) toRecord(w http.ResponseWriter, r *http.Request, n nonconformity.Nonconformity, notice string) error {
	c.sessions.Put(r.Context(), sessionNotice, notice)
	http.Redirect(w, r, recordPath(n), http.StatusSeeOther)
	return nil
}

func postedAnswer(r *http.Request) nonconformity.Answer {
	a := nonconformity.Answer{Text: postedText(r, "text"), Cause: posted(r, "cause", 40), Measure: posted(r, "measure", 40), Until: posted(r, "until", 10)}
	for i := 1; i <= whyRows; i++ {
		a.Whys = append(a.Whys, postedText(r, fmt.Sprint("why", i)))
	}
	for i := 1; i <= actionRows; i++ {
		a.Actions = append(a.Actions, nonconformity.Action{What: postedText(r, fmt.Sprint("what", i)), Who: posted(r, fmt.Sprint("who", i), maxName), By: posted(r, fmt.Sprint("by", i), 10)})
	}
	return a
}

// postedText is a text of several lines, as far as it is valid.
func postedText(r *http.Request, name string) string {
	s := strings.ToValidUTF8(r.PostFormValue(name), "")
	if len(s) > 8<<10 { // the use-case says how much is too much
		s = s[:8<<10]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return strings.TrimSpace(s)
}

func (c *console) showStep(w http.ResponseWriter, r *http.Request, n nonconformity.Nonconformity, typed nonconformity.Answer, failure error) error {
	p := nonconformityStepPage{nonconformityShowPage: nonconformityShowPage{Page: c.newPage(w, r, "nonconformities"), Record: n}, Step: r.PathValue("step")}
	var err error
	if p.Outlook, err = c.RecordSteps.Outlook(r.Context(), n); err != nil {
		return err
	}
	i := slices.IndexFunc(p.Options, func(o nonconformity.Option) bool { return o.Step == p.Step })
	if i < 0 {
		return c.toRecord(w, r, n, p.T("nc.not-now"))
	}
	p.Option = p.Options[i]
	for _, t := range p.Tasks {
		if t.Step == p.Step {
			p.Due = t.Due
		}
	}
	p.Title = p.T("nc.step."+p.Step) + " · " + n.Number
	for _, x := range n.Steps {
		if x.Kind != nonconformity.StepComment && x.Kind != nonconformity.StepAttachment && x.Kind != nonconformity.StepNotify {
			p.Earlier = append(p.Earlier, x)
		}
	}
	p.fields(typed)
	status := http.StatusOK
	if failure != nil {
		status = http.StatusUnprocessableEntity
		p.mark(failure)
	}
	return c.execute(w, status, "nonconformity_step", "layout", &p)
}

// fields are those of the step, with what was typed.
func (p *nonconformityStepPage) fields(a nonconformity.Answer) {
	text := field{Name: "text", Label: p.T("nc.text." + p.Step), Kind: "textarea", Value: a.Text, Required: true}
	pick := func(name, group string, values []string, value string) field {
		f := field{Name: name, Label: p.T("nc.label." + name), Kind: "select", Value: value, Required: true, Choices: []choice{{"", p.T("nc.choose")}}}
		for _, v := range values {
			f.Choices = append(f.Choices, choice{v, p.Word(group, v)})
		}
		return f
	}
	switch p.Step {
	case nonconformity.StepCause:
		for i := range whyRows {
			f := field{Name: fmt.Sprint("why", i+1), Label: p.T("nc.why.more", "N", i+1), Kind: "textarea", Required: i == 0}
			if i == 0 {
				f.Label = p.T("nc.why.first")
			}
			if i < len(a.Whys) {
				f.Value = a.Whys[i]
			}
			p.Fields = append(p.Fields, f)
		}
		text.Required = false
		p.Fields = append(p.Fields, pick("cause", "nc.cause", nonconformity.Causes(), a.Cause), text)
	case nonconformity.StepPlan:
		for i := range actionRows {
			row := actionRow{field{Name: fmt.Sprint("what", i+1), Label: p.T("nc.label.what"), Kind: "text"}, field{Name: fmt.Sprint("who", i+1), Label: p.T("nc.label.who"), Kind: "text"},
				field{Name: fmt.Sprint("by", i+1), Label: p.T("nc.label.by"), Kind: "date"}}
			row.What.Required, row.Who.Required, row.By.Required = i == 0, i == 0, i == 0
			if i < len(a.Actions) {
				row.What.Value, row.Who.Value, row.By.Value = a.Actions[i].What, a.Actions[i].Who, a.Actions[i].By
			}
			p.Plan = append(p.Plan, row)
		}
		text.Required = false
		p.Fields = append(p.Fields, text)
	case nonconformity.StepMeasure:
		text.Required = false
		p.Fields = append(p.Fields, pick("measure", "nc.measure", nonconformity.Measures(), a.Measure), text)
	case nonconformity.StepConcede:
		p.Fields = append(p.Fields, field{Name: "until", Label: p.T("nc.label.until"), Help: p.T("nc.until.help"), Kind: "date", Value: a.Until, Required: true}, text)
	default:
		p.Fields = append(p.Fields, text)
	}
}

// mark sets what is wrong beside its field, or above the form.
func (p *nonconformityStepPage) mark(failure error) {
	var e *apperr.Error
	name := ""
	if errors.As(failure, &e) {
		name, _ = e.Args["field"].(string)
	}
	said := p.Error(failure)
	for i := range p.Fields {
		if p.Fields[i].Name == name {
			p.Fields[i].Problem = said
			return
		}
	}
	for i := range p.Plan {
		for _, f := range []*field{&p.Plan[i].What, &p.Plan[i].Who, &p.Plan[i].By} {
			if f.Name == name {
				f.Problem = said
				return
			}
		}
	}
	p.Wrong = said
}
