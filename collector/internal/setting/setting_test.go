package setting_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/setting"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

func service(s *store.Store, key *setting.Key) *setting.Service {
	now := time.Date(2026, 11, 24, 7, 0, 0, 0, time.UTC)
	return setting.New(setting.Deps{Tx: s, Store: s, Audit: s, Now: func() time.Time { return now }, Key: func(bool) (setting.Key, error) { return *key, nil }})
}

func as(t *testing.T, kind actor.Kind, role actor.Role) context.Context {
	return actor.With(t.Context(), actor.Actor{Kind: kind, ID: "x", Role: role})
}

func TestNormalizeKeepsOneFormAndRefusesTheRest(t *testing.T) {
	for _, x := range []struct{ name, in, out string }{
		{setting.CompanyName, "  Empresa Ejemplo ", "Empresa Ejemplo"}, {setting.CompanyName, strings.Repeat("ñ", 51), "!"}, {setting.CompanyName, "a\nb", "!"}, {setting.CompanyName, "\xff", "!"},
		{setting.CompanyLanguage, "ES", "es"}, {setting.CompanyLanguage, "de", "!"},
		{setting.CompanyZone, "America/Mexico_City", "America/Mexico_City"}, {setting.CompanyZone, "Local", "!"}, {setting.CompanyZone, "../etc/passwd", "!"},
		{setting.ConsoleAddress, "https://Vigia.Example.com:7080/", "https://vigia.example.com:7080"}, {setting.ConsoleAddress, "https://[::1]:7080", "https://[::1]:7080"},
		{setting.ConsoleAddress, "https://x/a", "!"}, {setting.ConsoleAddress, "https://u@x", "!"}, {setting.ConsoleAddress, "javascript:alert(1)", "!"}, {setting.ConsoleAddress, "https://x:0", "!"}, {setting.ConsoleAddress, "https://x?y", "!"},
		{setting.MailHost, "SMTP.Example.com", "smtp.example.com"}, {setting.MailHost, "::1", "::1"}, {setting.MailHost, "-x", "!"}, {setting.MailHost, "a..b", "!"}, {setting.MailHost, "x:25", "!"},
		{setting.MailPort, "0587", "587"}, {setting.MailPort, "0", "!"}, {setting.MailPort, "65536", "!"}, {setting.MailPort, "9223372036854775808", "!"},
		{setting.MailFrom, "vigia@example.com", "vigia@example.com"}, {setting.MailFrom, "Vigía <vigia@example.com>", "Vigía <vigia@example.com>"},
		{setting.MailFrom, `"Vigía, S.A." <vigia@example.com>`, `"Vigía, S.A." <vigia@example.com>`}, {setting.MailFrom, "a@b@c", "!"}, {setting.MailFrom, "x <y", "!"},
		{setting.SessionLife, "90m", "1h30m"}, {setting.SessionLife, "12h0m0s", "12h"}, {setting.SessionLife, "1s", "!"}, {setting.SessionLife, "-1h", "!"},
		{setting.TOTPRoles, "HR, administrator,hr,", "hr,administrator"}, {setting.TOTPRoles, "king", "!"},
		{setting.BackupAt, "2:00", "02:00"}, {setting.BackupAt, "OFF", "off"}, {setting.BackupAt, "24:00", "!"}, {setting.BackupKeep, "366", "!"},
		{setting.NonconformityMajor, "cause 7, contain 1", "notify 1, contain 1, statement 3, cause 7, plan 8, implement 20, measure 8, verify 5, close 5"},
		{setting.NonconformityMajor, "cause", "!"}, {setting.NonconformityMajor, "cause 0", "!"}, {setting.NonconformityMajor, "fly 3", "!"}, {setting.NonconformityMajor, "cause 251", "!"},
		{setting.BackupFolder, "/var/backups/../backups/vigia", "/var/backups/vigia"}, {setting.BackupFolder, "relative", "!"},
	} {
		d, _ := setting.Define(x.name)
		got, err := d.Normalize(x.in)
		var e *apperr.Error
		switch {
		case x.out == "!":
			if !errors.As(err, &e) || e.Code != apperr.Invalid || e.Args["field"] != x.name || e.Args["value"] == nil {
				t.Errorf("%s %q: %q, %v", x.name, x.in, got, err)
			}
		case err != nil || got != x.out:
			t.Errorf("%s %q: %q, %v", x.name, x.in, got, err)
		default:
			if again, err := d.Normalize(got); err != nil || again != got {
				t.Errorf("%s: %q is not its own form: %q, %v", x.name, got, again, err)
			}
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"", "x", "12h", "a@b", "https://x", "\xff", "smtp.example.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, d := range setting.Definitions() {
			got, err := d.Normalize(in)
			if err != nil {
				continue
			}
			if again, err := d.Normalize(got); err != nil || again != got {
				t.Errorf("%s: %q became %q, then %q, %v", d.Name, in, got, again, err)
			}
			if d.Kind != setting.Secret && strings.ContainsAny(got, "\r\n\x00") {
				t.Errorf("%s keeps %q", d.Name, got)
			}
		}
	})
}

func TestSecretsAreSealedWithAKeyThatIsElsewhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		key := &setting.Key{1, 2, 3}
		x := service(s, key)
		ctx := as(t, actor.Person, actor.Administrator)
		if _, err := x.Set(ctx, map[string]string{setting.MailHost: "smtp.example.com", setting.MailFrom: "v@example.com", setting.MailUser: "v", setting.MailPassword: "muy secreta"}); err != nil {
			t.Fatal(err)
		}
		if v, err := x.Values(ctx); err != nil || v.Mail.Password != "muy secreta" || v.Mail.Host != "smtp.example.com" || v.Mail.Port != 587 {
			t.Errorf("%+v, %v", v.Mail, err)
		}
		if again, err := x.Set(ctx, map[string]string{setting.MailPassword: "muy secreta", setting.MailHost: "smtp.example.com"}); err != nil || len(again) != 0 {
			t.Errorf("nothing changed, and yet %v, %v", again, err)
		}
		other := service(s, &setting.Key{9})
		if v, err := other.Values(ctx); !apperr.Is(err, apperr.Conflict) || v.Mail.Host != "smtp.example.com" || v.Mail.Password != "" {
			t.Errorf("with another key: %+v, %v", v.Mail, err)
		}
		if _, err := other.Set(ctx, map[string]string{setting.MailPassword: "otra"}); err != nil {
			t.Errorf("a new password where the old cannot be opened: %v", err)
		}
		stored, err := s.Settings(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, y := range stored {
			if y.Name == setting.MailPassword {
				y.Value = y.Value[:len(y.Value)-4] + "AAAA"
				if err := s.PutSetting(ctx, y); err != nil {
					t.Fatal(err)
				}
			}
		}
		if _, err := service(s, &setting.Key{9}).Values(ctx); !apperr.Is(err, apperr.Internal) {
			t.Errorf("a changed secret: %v", err)
		}
	})
}

func TestOnlyAdministratorsChangeAndAllOrNothing(t *testing.T) {
	s := storetest.SQLite(t)
	x := service(s, &setting.Key{1})
	for _, role := range []actor.Role{actor.Technician, actor.Auditor, actor.Employee, ""} {
		if _, err := x.Set(as(t, actor.Person, role), map[string]string{setting.CompanyName: "x"}); !apperr.Is(err, apperr.Forbidden) {
			t.Errorf("%s: %v", role, err)
		}
	}
	admin := as(t, actor.Person, actor.Administrator)
	if _, err := x.Set(admin, map[string]string{setting.BackupFolder: "/etc"}); !apperr.Is(err, apperr.Forbidden) {
		t.Errorf("a folder of the server from the console: %v", err)
	}
	if _, err := x.Set(as(t, actor.CLI, actor.Administrator), map[string]string{setting.BackupFolder: "/var/backups/vigia"}); err != nil {
		t.Error(err)
	}
	for _, bad := range []map[string]string{
		{setting.CompanyName: "x", setting.MailPort: "0"}, {setting.CompanyName: "x", setting.MailHost: "smtp.example.com"},
		{setting.CompanyName: "x", setting.MailUser: "v"}, {setting.CompanyName: "x", setting.MailUser: "v", setting.MailPassword: "p", setting.MailTLS: "none"},
		{setting.CompanyName: "x", setting.SessionLife: "1h"},
	} {
		if _, err := x.Set(admin, bad); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if c, err := x.Get(admin, setting.CompanyName); err != nil || c.IsSet {
		t.Errorf("half of it was kept: %+v, %v", c, err)
	}
	if n, err := s.VerifyAudit(admin); err != nil || n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
}
