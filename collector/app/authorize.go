package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorize"
	"vigia/collector/internal/ingest"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/view"
)

// requests is the use-case of requests for authorization.
func (d *desk) requests() *authorize.Service {
	return authorize.New(authorize.Deps{
		Requests: d.store, Rules: d.allowlist(), Machines: view.New(d.store), Directory: d.store, Catalogues: d.store, Titles: d.store,
		Audit: d.store, Mail: stepMail{d}, Zone: d.zoneOrLocal, Now: d.now,
	})
}

// ruleReviews is the use-case of the half-yearly review of rules and of the exceptions.
func (d *desk) ruleReviews() *authorize.Reviews {
	return &authorize.Reviews{Reviews: d.store, Allowlists: d.store, Rules: d.allowlist(), Requests: d.store, Audit: d.store, Now: d.now}
}

// brakes is the use-case of the cap on nonconformities that open by themselves.
func (d *desk) brakes() *authorize.Brakes {
	return &authorize.Brakes{Store: d.store, Records: d.newIngester("brake " + newID()), Mail: stepMail{d}, Audit: d.store, Now: d.now,
		People: func(ctx context.Context) ([]authorize.Mail, error) {
			people, err := d.store.PeopleByRole(ctx, actor.Administrator)
			var list []authorize.Mail
			for _, p := range people {
				if p.Active {
					list = append(list, authorize.Mail{To: p.Email, Name: p.Name})
				}
			}
			return list, err
		}}
}

// questions is the use-case of questions to people and of their promises.
func (d *desk) questions() *authorize.Questions {
	return authorize.NewQuestions(d.requests(), authorize.Asking{
		Promises: d.store, Findings: view.New(d.store), Machines: d.store, Records: d.newIngester("promises " + newID()), Secret: newSecret,
	})
}

var _ authorize.Records = (*ingest.Ingester)(nil)

// newSecret is 256 random bits as text for an address.
func newSecret() (string, error) {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// zoneOrLocal is the company's zone, the system's where it cannot be read.
func (d *desk) zoneOrLocal(ctx context.Context) *time.Location {
	if z := d.zoneNow(ctx); z != nil {
		return z
	}
	return time.Local
}

// stepMail puts what requests and questions cause into the queue, in the reader's language.
type stepMail struct{ d *desk }

var _ authorize.Mailer = stepMail{}

// Queue implements authorize.Mailer. Where nobody knows the console's address yet, nothing
// is sent: the step itself must not fail for that.
func (m stepMail) Queue(ctx context.Context, x authorize.Mail) error {
	a, err := m.d.store.Account(ctx, x.To)
	if err != nil && !apperr.Is(err, apperr.NotFound) {
		return err
	}
	_, err = m.d.mail.Queue(ctx, notify.Message{Key: x.Key, To: x.To, ToName: x.Name, Lang: a.Language, Template: notify.Template(x.Kind), Args: x.Args,
		Path: x.Path, Second: x.Second, Thread: x.Thread, Secret: x.Secret, Expires: x.Expires})
	if apperr.Is(err, apperr.Unavailable) {
		m.d.log.WarnContext(ctx, "a message was not queued: no collector ever told the console's address", "kind", x.Kind, "err", err)
		return nil
	}
	return err
}
