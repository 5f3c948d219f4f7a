package web

import (
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/web/form"
)

// requestFormPage asks for a program.
type requestFormPage struct {
	Page
	Crumbs  []headLink
	Intro   string
	Action  string
	Hidden  [][2]string
	Fields  []field
	Problem string
	Submit  string
	Cancel  string
}

// requestNew asks for a program; the address may fill it in, or name a grant to prolong.
func (c *console) requestNew(w http.ResponseWriter, r *http.Request) error {
	d := authorize.Draft{Program: form.Text(r, "program"), Publisher: form.Text(r, "publisher"), Machine: form.Text(r, "machine"), Finding: form.Number(r, "finding", 1<<53)}
	if n := form.Text(r, "renews"); n != "" {
		var err error
		if d, err = c.Requests.Renewal(r.Context(), n); err != nil {
			return err
		}
	}
	return c.requestForm(w, r, d, "", nil)
}

// requestCreate makes the request.
func (c *console) requestCreate(w http.ResponseWriter, r *http.Request) error {
	d, err := postedDraft(r)
	if err == nil {
		var made request.Request
		if made, err = c.Requests.Ask(r.Context(), d); err == nil {
			return c.done(w, r, requestPath(made.Number), "asked")
		}
	}
	return c.requestForm(w, r, d, posted(r, "money", 40), err)
}

func postedDraft(r *http.Request) (authorize.Draft, error) {
	finding, _ := strconv.ParseInt(posted(r, "finding", 20), 10, 64)
	d := authorize.Draft{Program: posted(r, "program", maxName), Publisher: posted(r, "publisher", maxName), Described: posted(r, "described", 2000), Person: posted(r, "person", maxEmail),
		Machine: posted(r, "machine", maxName), Purpose: posted(r, "purpose", 2000), Until: posted(r, "until", 20), Currency: posted(r, "currency", 10), License: posted(r, "license", maxName),
		Finding: finding, Renews: posted(r, "renews", 40)}
	var err error
	d.Money, err = parseMoney(posted(r, "money", 40))
	return d, err
}

// requestForm shows the form.
func (c *console) requestForm(w http.ResponseWriter, r *http.Request, d authorize.Draft, amount string, failure error) error {
	ctx := r.Context()
	p := requestFormPage{Page: c.newPage(w, r, "authorizations"), Action: requestsPath, Cancel: requestsPath}
	p.Title, p.Intro, p.Submit = p.T("request.new"), p.T("request.new.about"), p.T("request.send")
	p.Crumbs = []headLink{{URL: requestsPath, Text: p.T("requests.title")}}
	if d.Renews != "" {
		p.Title, p.Intro = p.T("request.renew.title", "Number", d.Renews), p.T("request.renew.about")
		p.Hidden = append(p.Hidden, [2]string{"renews", d.Renews})
	}
	if d.Finding != 0 {
		p.Hidden = append(p.Hidden, [2]string{"finding", strconv.FormatInt(d.Finding, 10)})
	}
	known, err := c.Requests.Known(ctx)
	if err != nil {
		return err
	}
	var suggest []choice
	for _, k := range known {
		suggest = append(suggest, choice{Value: k})
	}
	machines, err := c.machineChoices(r, &p.Page)
	if err != nil {
		return err
	}
	if amount == "" && d.Money != 0 {
		amount = strconv.FormatFloat(float64(d.Money)/100, 'f', 2, 64)
	}
	p.Fields = []field{{Name: "program", Label: p.T("program"), Help: p.T("request.program.help"), Kind: "text", Value: d.Program, Required: true, Suggest: suggest},
		{Name: "publisher", Label: p.T("publisher"), Help: p.T("request.publisher.help"), Kind: "text", Value: d.Publisher},
		{Name: "described", Label: p.T("request.described"), Help: p.T("request.described.help"), Kind: "textarea", Value: d.Described},
		{Name: "purpose", Label: p.T("request.purpose"), Help: p.T("request.purpose.help"), Kind: "textarea", Value: d.Purpose, Required: true},
		{Name: "machine", Label: p.T("request.machine"), Kind: "select", Value: d.Machine, Choices: machines},
		{Name: "until", Label: p.T("request.until"), Help: p.T("request.until.help"), Kind: "date", Value: d.Until},
		{Name: "money", Label: p.T("request.money"), Help: p.T("request.money.help"), Kind: "text", Value: amount},
		{Name: "currency", Label: p.T("request.currency"), Kind: "select", Value: d.Currency, Choices: currencies()},
		{Name: "license", Label: p.T("request.license"), Help: p.T("request.license.help"), Kind: "text", Value: d.License}}
	if p.actor.Role == actor.AreaManager || access.May(p.actor, access.ChangeAllowlist) {
		p.Fields = append(p.Fields, field{Name: "person", Label: p.T("request.for"), Help: p.T("request.for.help"), Kind: "email", Value: d.Person})
		if len(machines) > maxMachineChoices { // too many for a list: typed
			p.Fields[4] = field{Name: "machine", Label: p.T("request.machine"), Help: p.T("request.machine.help"), Kind: "text", Value: d.Machine}
		}
	}
	if failure != nil {
		if p.Problem, err = mark(&p.Page, p.Fields, failure); err != nil {
			return err
		}
	}
	return c.execute(w, statusFor(failure), "request_form", "layout", p)
}

// maxMachineChoices is how many machines a list offers; more are typed in.
const maxMachineChoices = 50

func currencies() []choice {
	var list []choice
	for _, k := range authorize.Currencies() {
		list = append(list, choice{k, k})
	}
	return list
}

// machineChoices offers the machines that the reader may see, after "every one of mine".
func (c *console) machineChoices(r *http.Request, p *Page) ([]choice, error) {
	list := []choice{{"", p.T("request.every-machine")}}
	if !access.May(p.actor, access.SeeMachines) {
		return list, nil
	}
	machines, err := c.Machines.Machines(r.Context(), fleet.MachineFilter{Limit: maxMachineChoices + 1})
	for _, m := range machines {
		list = append(list, choice{m.ID, m.Hostname})
	}
	if apperr.Is(err, apperr.Forbidden) {
		err = nil
	}
	return list, err
}
