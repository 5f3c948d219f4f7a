package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/authorization/request"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/view"
)

// noMail sends nothing: nobody of the sample has a mailbox.
type noMail struct{}

func (noMail) Queue(context.Context, authorize.Mail) error { return nil }

// wish is a request of the sample: who of the people asks, for what, and how far it goes.
type wish struct {
	day              int // of the year
	who              int // the n-th employee with a machine
	program, purpose string
	money            int64
	steps            []request.Action
	until            int // days after the year's end
}

// wishes are the sample's requests. Names of programs are facts.
func wishes() []wish {
	return []wish{
		{250, 2, "AnyDesk", "Soporte remoto a la planta del cliente", 0, []request.Action{request.ApproveManager, request.Grant}, 20},
		{318, 4, "Adobe Photoshop 2024", "Fotos del catálogo de productos", 480_000, []request.Action{request.ApproveManager}, 300},
		{335, 6, "µTorrent", "Descargar manuales", 0, []request.Action{request.Refuse}, 30},
		{352, 8, "WinRAR 7.01 (64-bit)", "Abrir archivos que manda un cliente", 60_000, []request.Action{request.ApproveManager, request.ApprovePurchasing, request.Grant}, 5},
		{360, 3, "TeamViewer", "Ver la línea desde casa cuando hay guardia", 0, nil, 90},
		{363, 5, "Notepad++ (64-bit x64)", "Editar archivos de configuración", 0, nil, 0},
	}
}

// newRequests is the use-case of requests over the sample's clock.
func (y *history) newRequests() *authorize.Questions {
	svc := authorize.New(authorize.Deps{Requests: y.store, Rules: y.lists, Machines: view.New(y.store), Directory: y.store, Catalogues: y.store, Titles: y.store,
		Audit: y.store, Mail: noMail{}, Zone: func(context.Context) *time.Location { return time.UTC }, Now: y.clock.now})
	return authorize.NewQuestions(svc, authorize.Asking{Promises: y.store, Findings: view.New(y.store), Machines: y.store, Records: y.ingester,
		Secret: func() (string, error) { return rand.Text() + rand.Text(), nil }})
}

// planRequests is what people ask for, and what they are asked.
func (y *history) planRequests(on func(day int, offset time.Duration, do func() error)) {
	q := y.newRequests()
	for i, w := range wishes() {
		on(w.day, time.Duration(i)*13*time.Minute, func() error { return y.ask(q, w) })
	}
	for i := range 3 {
		on(361, time.Duration(i)*7*time.Minute, func() error { return y.askUser(q, i) })
	}
	on(362, 3*time.Hour, func() error { return q.TickPromises(y.ctx) })
	on(364, 0, func() error { return q.Tick(y.ctx) })
}

// asker is the n-th employee who answers for a machine that reports.
func (y *history) asker(n int) *person {
	for _, m := range y.machines {
		if m.person == nil || m.person.role != actor.Employee || m.session == nil || m.person.machine != m.host {
			continue
		}
		if n--; n < 0 {
			return m.person
		}
	}
	return nil
}

// ask makes one request and takes its steps.
func (y *history) ask(q *authorize.Questions, w wish) error {
	p := y.asker(w.who)
	if p == nil {
		return nil // a small company
	}
	until := ""
	if w.until > 0 {
		until = y.to.AddDate(0, 0, w.until).Format(time.DateOnly)
	}
	machine := p.machine
	if w.money > 0 {
		machine = ""
	}
	r, err := q.Ask(as(y.ctx, p.email, p.role), authorize.Draft{Program: w.program, Machine: machine, Purpose: w.purpose, Money: w.money, Until: until})
	if err != nil {
		return fmt.Errorf("asking for %s: %w", w.program, err)
	}
	admin := as(y.ctx, "admin@example.com", actor.Administrator)
	for _, a := range w.steps {
		if a == request.ApproveManager && r.Awaits() != request.Manager || a == request.ApprovePurchasing && r.Awaits() != request.Purchasing {
			continue
		}
		d := authorize.Decision{Action: a, Reach: request.ForUser, Until: until, Reason: map[request.Action]string{request.Grant: "Se usa con clientes", request.Refuse: "No sirve al trabajo"}[a]}
		if r, _, err = q.Decide(admin, r.Number, d); err != nil {
			return fmt.Errorf("%s of %s: %w", a, r.Number, err)
		}
	}
	return nil
}

// askUser asks somebody about the n-th open finding of an employee; the first promises to
// remove it, the second needs it, the third has not answered yet.
func (y *history) askUser(q *authorize.Questions, n int) error {
	list, err := y.store.Findings(y.ctx, authorization.FindingFilter{State: authorization.Open, Alone: true, Limit: 300})
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	for _, f := range list {
		m, err := y.store.Machine(y.ctx, f.Machine)
		if err != nil {
			return err
		}
		if m.Person == "" || m.State != fleet.Active || asked[m.Person] {
			continue
		}
		if asked[m.Person] = true; len(asked) <= n {
			continue
		}
		p, err := y.store.Person(y.ctx, m.Person)
		if err != nil || !p.Active {
			return err
		}
		x, err := q.AskUser(as(y.ctx, "admin@example.com", actor.Administrator), f.Row)
		if err != nil {
			return err
		}
		ctx := as(y.ctx, p.Email, p.Role)
		switch n {
		case 0:
			_, err = q.Remove(ctx, x.Row, y.clock.now().AddDate(0, 0, 8).Format(time.DateOnly))
		case 1:
			_, err = q.Need(ctx, x.Row, authorize.Draft{Purpose: "Lo uso en el proyecto en curso"})
		}
		return err
	}
	return nil
}
