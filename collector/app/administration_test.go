package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"vigia/collector/internal/store/storetest"
)

// postbox is a real SMTP server that keeps what it takes.
type postbox struct {
	mu   sync.Mutex
	got  []string
	port int
}

func newPostbox(t *testing.T) *postbox {
	t.Helper()
	p := &postbox{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.port = l.Addr().(*net.TCPAddr).Port
	srv := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &postSession{p: p}, nil }))
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close(); _ = l.Close(); <-done })
	return p
}

func (p *postbox) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.got...)
}

type postSession struct{ p *postbox }

func (*postSession) Mail(string, *smtp.MailOptions) error { return nil }
func (*postSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nadie@") {
		return &smtp.SMTPError{Code: 550, Message: "no such mailbox"}
	}
	return nil
}
func (s *postSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.got = append(s.p.got, string(raw))
	return err
}
func (*postSession) Reset()        {}
func (*postSession) Logout() error { return nil }

// engines runs a test over a collector's folder and over PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, where, data string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { dir := t.TempDir(); test(t, dir, dir) })
	t.Run("postgres", func(t *testing.T) { test(t, storetest.Postgres(t), t.TempDir()) })
}

func TestSettingsByCommand(t *testing.T) {
	engines(t, func(t *testing.T, where, data string) {
		c := start(t, where)
		c.data = append(c.data, "--data", data) // the key of passwords is there also with PostgreSQL
		c.cli("setting", "set", "company.name=Empresa Ejemplo", "mail.host=SMTP.example.com", "mail.from=Vigía <vigia@example.com>", "session.life=90m", "session.idle=30m")
		var list []settingRow
		decode(t, c.cli("setting", "list", "--output", "json"), &list)
		by := map[string]settingRow{}
		for _, r := range list {
			by[r.Name] = r
		}
		if len(list) < 15 || by["mail.host"].Value != "smtp.example.com" || by["session.life"].Value != "1h30m" || by["mail.port"].Value != "587" || by["mail.port"].Set || !by["mail.host"].Set {
			t.Errorf("%+v", by)
		}
		if out := c.cli("setting", "get", "company.name"); out != "Empresa Ejemplo\n" {
			t.Errorf("get: %q", out)
		}
		c.cli("setting", "set", "mail.user=vigia", "mail.password=muy secreta")
		raw, err := os.ReadFile(filepath.Join(data, "secret.key"))
		info, _ := os.Stat(filepath.Join(data, "secret.key"))
		if err != nil || len(raw) < 40 || info.Mode().Perm() != 0o600 {
			t.Errorf("key file: %v %v", err, info)
		}
		if v, err := c.desk.store.Settings(t.Context()); err != nil || strings.Contains(string(mustJSON(t, v)), "secreta") {
			t.Errorf("%v: the password is kept in clear", err)
		}
		for _, out := range []string{c.cli("setting", "list"), c.cli("setting", "list", "-o", "json"), c.cli("setting", "get", "mail.password")} {
			if strings.Contains(out, "secreta") {
				t.Errorf("the password is shown: %s", out)
			}
		}
		c.cli("setting", "set", "company.name=")
		if out := c.cli("setting", "get", "company.name"); out != "\n" {
			t.Errorf("back to the default: %q", out)
		}
		for wrong, want := range map[string]string{
			"mail.port=99999": "from 1 to 65535", "mail.tls=maybe": "starttls, tls, none", "mail.host=a b": "smtp.example.com", "mail.from=nadie": "vigia@example.com",
			"company.time-zone=Luna/Norte": "America/Mexico_City", "console.address=http://x": "https://", "session.life=1s": "10m", "session.idle=29h": "session.life",
			"signin.totp-roles=king": "administrator", "backup.at=25:00": "02:00", "backup.keep=0": "from 1 to 365", "backup.folder=x": "/var/backups", "mail.tls=none": "in clear",
			"mail.user=\x01": "mail.user", "mail.from=": "mail.from", "mail.password=": "mail.password",
		} {
			_, errOut, code := c.try("setting", "set", wrong)
			name, _, _ := strings.Cut(wrong, "=")
			if code != 2 || !strings.Contains(errOut, want) || !strings.Contains(errOut, name) {
				t.Errorf("%q: exit %d: %s", wrong, code, errOut)
			}
		}
		if _, _, code := c.try("setting", "set", "no.such=1"); code != 3 {
			t.Errorf("an unknown setting: exit %d", code)
		}
		entries, err := c.desk.store.AuditEntries(t.Context(), 1, 1000)
		if err != nil || strings.Count(string(mustJSON(t, entries)), "setting.change") != 8 || strings.Contains(string(mustJSON(t, entries)), "secreta") {
			t.Errorf("%v: %s", err, mustJSON(t, entries))
		}
	})
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t *testing.T, text string, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), to); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

func TestMailByCommandAndByARunningCollector(t *testing.T) {
	engines(t, func(t *testing.T, where, data string) {
		box := newPostbox(t)
		c := start(t, where)
		if _, errOut, code := c.try("mail", "test", "--to", "ana@example.com"); code == 0 || !strings.Contains(errOut, "not configured") {
			t.Errorf("without a server: exit %d: %s", code, errOut)
		}
		c.cli("setting", "set", "company.name=Empresa Ejemplo", "mail.host=127.0.0.1", "mail.port="+strconv.Itoa(box.port), "mail.tls=none", "mail.from=vigia@example.com", "console.address=https://vigia.example.com")
		out := c.cli("mail", "test", "--to", "ana@example.com")
		if !strings.Contains(out, "sent") || len(box.all()) != 1 || !strings.Contains(box.all()[0], "https://vigia.example.com/mail") {
			t.Fatalf("%s\n%v", out, box.all())
		}
		if _, errOut, code := c.try("mail", "test", "--to", "nadie@example.com"); code != 5 || !strings.Contains(errOut, "no such mailbox") {
			t.Errorf("refused: exit %d: %s", code, errOut)
		}
		var list []mailRow
		decode(t, c.cli("mail", "list", "--state", "bounced", "--output", "json"), &list)
		if len(list) != 1 || list[0].Code != 550 || list[0].Attempts != 1 {
			t.Fatalf("%+v", list)
		}
		c.cli("mail", "retry", strconv.FormatInt(list[0].ID, 10))
		eventually(t, "second refusal", func() bool {
			var m mailRow
			decode(t, c.cli("mail", "show", strconv.FormatInt(list[0].ID, 10), "--output", "json"), &m)
			return m.State == "bounced" && m.EndedAt.After(*list[0].EndedAt)
		})
		// What the collector queues itself, it sends by itself, once.
		if _, err := c.desk.testMail(t.Context(), "luis@example.com", "en"); err != nil {
			t.Fatal(err)
		}
		eventually(t, "message", func() bool { return len(box.all()) == 2 })
		if got := box.all()[1]; !strings.Contains(got, "To: <luis@example.com>") || !strings.Contains(got, "Empresa Ej") {
			t.Error(got)
		}
		if _, errOut, code := c.try("mail", "show", "999"); code != 3 {
			t.Errorf("unknown: exit %d: %s", code, errOut)
		}
		if _, errOut, code := c.try("mail", "test", "--to", "no address"); code != 2 {
			t.Errorf("wrong address: exit %d: %s", code, errOut)
		}
	})
}

func TestSMTPAddress(t *testing.T) {
	for in, want := range map[string]string{
		"smtp://mail.example.com": "mail.example.com 587 offered  ", "smtp://127.0.0.1:2525": "127.0.0.1 2525 offered  ", "smtps://u:p%40@mail.example.com": "mail.example.com 465 tls u p@",
		"smtp://u:p@mail.example.com": "mail.example.com 587 starttls u p", "smtp://mail.example.com?tls=none": "mail.example.com 587 none  ",
		"http://x": "", "smtp://": "", "smtp://u:p@x?tls=none": "", "smtp://x?tls=maybe": "", "smtp://x:99999": "", "smtp://x/path": "", "smtp://x?from=nadie": "", "::": "",
	} {
		s, err := parseSMTP(in)
		got := ""
		if err == nil {
			got = strings.Join([]string{s.Host, strconv.Itoa(s.Port), s.TLS, s.User, s.Password}, " ")
		} else if strings.Contains(sentence(err), "u:p@") {
			t.Errorf("%s: the password is told: %s", in, sentence(err))
		}
		if got != want {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
}

func TestScheduledBackupsAreProvenAndKept(t *testing.T) {
	engines(t, func(t *testing.T, where, data string) {
		c := start(t, where)
		folder := filepath.Join(data, "backups")
		c.cli("setting", "set", "backup.folder="+folder, "backup.keep=2")
		var rec backupRow
		decode(t, c.cli("backup", "now", "--output", "json"), &rec)
		if rec.State != "verified" || rec.Bytes == 0 || len(rec.SHA256) != 64 || rec.Problem != "" {
			t.Fatalf("%+v", rec)
		}
		info, err := os.Stat(filepath.Join(folder, rec.File))
		if err != nil || info.Size() != rec.Bytes || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", err, info)
		}
		for range 2 {
			c.cli("backup", "now")
		}
		files, _ := filepath.Glob(filepath.Join(folder, "*"))
		hidden, _ := filepath.Glob(filepath.Join(folder, ".*"))
		if len(files) != 2 || len(hidden) != 0 {
			t.Errorf("kept %v, left over %v", files, hidden)
		}
		c.clock.Add(int64(24 * time.Hour)) // a night passes
		var list []backupRow
		eventually(t, "copy of the night", func() bool { // the running collector may be faster
			if err := c.backups.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			decode(t, c.cli("backup", "list", "--output", "json"), &list)
			return list[0].StartedBy == "system:backup" && list[0].State == "verified"
		})
		for range 3 {
			if err := c.backups.Round(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		decode(t, c.cli("backup", "list", "--output", "json"), &list)
		if len(list) != 4 || list[3].RemovedAt == nil || list[0].RemovedAt != nil {
			t.Errorf("%+v", list)
		}
		if where != data { // what PostgreSQL's copy was proven in is gone
			if names := c.cli("check"); !strings.Contains(names, "nothing is wrong") {
				t.Error(names)
			}
			return
		}
		other := t.TempDir()
		if out, errOut, code := command("restore", filepath.Join(folder, list[0].File), "--data", other); code != 0 {
			t.Fatalf("restoring: %s %s", out, errOut)
		}
		if _, errOut, code := command("check", "--data", other); code != 0 {
			t.Errorf("the restored copy: %s", errOut)
		}
		file := filepath.Join(t.TempDir(), "by-hand.db") // as before there was a schedule
		if out := c.cli("backup", file); !strings.Contains(out, "verified") {
			t.Error(out)
		}
	})
}

// A server named by the flag of serve is known to commands beside it, which need no flag.
func TestMailServerNamedByFlag(t *testing.T) {
	box, dir := newPostbox(t), t.TempDir()
	a, err := New(t.Context(), Config{Data: dir, Agents: "127.0.0.1:0", Web: "127.0.0.1:0", Synchronous: "NORMAL", SMTPURL: "smtp://127.0.0.1:" + strconv.Itoa(box.port)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	out, errOut, code := command("mail", "test", "--to", "ana@example.com", "--data", dir)
	stop()
	if err := errors.Join(<-ended, a.Close()); err != nil {
		t.Error(err)
	}
	if code != 0 || !strings.Contains(out, "sent") || len(box.all()) != 1 || !strings.Contains(box.all()[0], "<vigia@localhost>") || !strings.Contains(box.all()[0], "@[127.0.0.1]>") {
		t.Errorf("exit %d: %s%s %q", code, out, errOut, box.all())
	}
}
