package web_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/setting"
)

// fakeSettings has some that somebody changed, and checks as the real ones do.
type fakeSettings struct{}

func (fakeSettings) List(context.Context) ([]setting.Current, error) {
	var out []setting.Current
	for _, d := range setting.Definitions() {
		c := setting.Current{Definition: d}
		switch d.Name {
		case setting.CompanyName:
			c.Value = markup
		case setting.MailHost:
			c.Value = "smtp.example.com"
		case setting.TOTPRoles:
			c.Value = "administrator,auditor"
		}
		if c.IsSet = c.Value != "" || d.Kind == setting.Secret; c.IsSet {
			c.ChangedAt, c.ChangedBy = ago(day), "person:sofia@example.com"
		}
		out = append(out, c)
	}
	return out, nil
}

func (fakeSettings) Set(_ context.Context, changes map[string]string) ([]string, error) {
	for name, v := range changes {
		d, known := setting.Define(name)
		if !known {
			return nil, apperr.New(apperr.NotFound, "setting.unknown", apperr.Args{"name": name})
		}
		if _, err := d.Normalize(v); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// fakeMail is a queue with one message of each state.
type fakeMail struct{ f *fake }

func sampleMail() []notify.Mail {
	return []notify.Mail{
		{Row: 4, Subject: "Invitación a Vigía", To: "luis@example.com", ToName: "Luis", Template: notify.Invitation, Lang: "es", Secret: true, Text: "https://vigia.example.com/signin/oculto", State: notify.Waiting, CreatedAt: ago(time.Minute), CreatedBy: "person:sofia@example.com", NextAt: now.Add(time.Minute), ExpiresAt: now.Add(time.Hour), Attempts: 1, Problem: "451 " + markup, MessageID: "4@vigia.example.com"},
		{Row: 3, Subject: markup, To: "ana@example.com", Template: notify.TestMessage, Lang: "en", Text: markup, State: notify.Bounced, CreatedAt: ago(time.Hour), EndedAt: ago(time.Hour), Attempts: 1, Problem: "550 no such mailbox", MessageID: "3@vigia.example.com", Thread: "NC-2026-0001"},
		{Row: 2, Subject: "Su enlace para entrar a Vigía", To: "rosa@example.com", Template: notify.SigninLink, Lang: "es", Secret: true, State: notify.Expired, CreatedAt: ago(day), EndedAt: ago(day), MessageID: "2@vigia.example.com"},
		{Row: 1, Subject: "Mensaje de prueba de Vigía", To: "ana@example.com", Template: notify.TestMessage, Lang: "es", State: notify.Sent, Attempts: 2, CreatedAt: ago(2 * day), EndedAt: ago(2 * day), MessageID: "1@vigia.example.com"},
	}
}

func (m fakeMail) MailPage(_ context.Context, q notify.Filter, _ paging.Order) (paging.Page[notify.Mail], error) {
	var page paging.Page[notify.Mail]
	for _, x := range sampleMail() {
		if !m.f.empty && (q.State == "" || q.State == x.State) && strings.Contains(x.Subject+x.To, q.Query) {
			page.Rows = append(page.Rows, x)
		}
	}
	return page, m.f.broken
}

func (m fakeMail) MailCount(ctx context.Context, q notify.Filter, _ int) (int, error) {
	p, err := m.MailPage(ctx, q, paging.Order{})
	return len(p.Rows), err
}

func (m fakeMail) MailCounts(context.Context) (notify.Counts, error) {
	return notify.Counts{ByState: map[notify.State]int{notify.Waiting: 1, notify.Bounced: 1, notify.Sent: 1204}, Oldest: ago(time.Minute)}, m.f.broken
}

func (m fakeMail) MailByRow(_ context.Context, row int64) (notify.Mail, error) {
	for _, x := range sampleMail() {
		if x.Row == row {
			return x, m.f.broken
		}
	}
	return notify.Mail{}, apperr.New(apperr.NotFound, "mail.unknown", apperr.Args{"mail": row})
}

func (m fakeMail) MailServer(context.Context) (notify.Server, error) {
	if m.f.empty {
		return notify.Server{}, nil
	}
	return notify.Server{Host: "smtp.example.com", Port: 587, TLS: notify.TLSStart, From: "Vigía <vigia@example.com>"}, m.f.broken
}

func (m fakeMail) RetryMail(ctx context.Context, row int64) (notify.Mail, error) {
	return m.MailByRow(ctx, row)
}

func (m fakeMail) TestMail(ctx context.Context, to, _ string) (notify.Mail, error) {
	if err := notify.CheckAddress(to); err != nil {
		return notify.Mail{}, err
	}
	return m.MailByRow(ctx, 3)
}

// fakeBackups has one copy of each state; the newest good one is a real file.
type fakeBackups struct {
	t testing.TB
	f *fake
}

func (b fakeBackups) Backups(context.Context, int64, int) ([]backup.Record, error) {
	if b.f.empty {
		return nil, b.f.broken
	}
	return []backup.Record{
		{Row: 5, Slot: "now/1", State: backup.Running, Step: backup.Restores, StartedAt: ago(time.Minute), StartedBy: "person:sofia@example.com", Bytes: 5 << 20, File: "vigia-5.db"},
		{Row: 4, Slot: "daily/" + now.Format(time.DateOnly), State: backup.Verified, StartedAt: ago(8 * time.Hour), EndedAt: ago(8*time.Hour - 75*time.Second), StartedBy: "system:backup", Bytes: 310 << 20, File: "vigia-4.db", Host: "srv", SHA256: sha},
		{Row: 3, Slot: "daily/" + now.AddDate(0, 0, -1).Format(time.DateOnly), State: backup.Readable, StartedAt: ago(32 * time.Hour), EndedAt: ago(32*time.Hour - 900*time.Second), StartedBy: "system:backup", Bytes: 300 << 20, File: "vigia-3.dump", Problem: "createdb failed: " + markup},
		{Row: 2, Slot: "daily/" + now.AddDate(0, 0, -2).Format(time.DateOnly), State: backup.Failed, StartedAt: ago(56 * time.Hour), EndedAt: ago(56 * time.Hour), StartedBy: "system:backup", Problem: "backup.interrupted"},
		{Row: 1, Slot: "now/2", State: backup.Verified, StartedAt: ago(80 * time.Hour), EndedAt: ago(80 * time.Hour), StartedBy: "cli:root", Bytes: 1000, File: "vigia-1.db", RemovedAt: ago(day)},
	}, b.f.broken
}

func (b fakeBackups) BackupSchedule(context.Context) (backup.Schedule, error) {
	zone, err := time.LoadLocation("America/Mexico_City")
	return backup.Schedule{At: 2 * time.Hour, Zone: zone, Keep: 14, Folder: "/var/lib/vigia-collector/backups"}, err
}

func (b fakeBackups) RequestBackup(context.Context) (int64, error) {
	return 0, apperr.New(apperr.Conflict, "backup.running", apperr.Args{"at": ago(time.Minute)})
}

func (b fakeBackups) OpenBackup(_ context.Context, row int64) (string, backup.Record, error) {
	if row != 4 && row != 3 {
		return "", backup.Record{}, apperr.New(apperr.NotFound, "backup.not-here", apperr.Args{"host": "otro"})
	}
	path := filepath.Join(b.t.TempDir(), "vigia-4.db")
	return path, backup.Record{Row: 4, File: "vigia-4.db"}, os.WriteFile(path, []byte(strings.Repeat("copia", 1<<20)), 0o600)
}
