package web

import (
	"context"
	"net/http"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
)

// backupRows is how many copies the page shows.
const backupRows = 100

// Backups is what pages ask about copies of the database.
type Backups interface {
	Backups(ctx context.Context, before int64, limit int) ([]backup.Record, error)
	BackupSchedule(ctx context.Context) (backup.Schedule, error)
	RequestBackup(ctx context.Context) (row int64, err error) // Conflict "backup.running"
	// OpenBackup returns where a copy is on this machine, and writes down who fetches it.
	OpenBackup(ctx context.Context, row int64) (path string, r backup.Record, err error)
}

type backupPage struct {
	Page
	Rows    []backupRow
	Daily   string // of the schedule, in words
	Folder  string
	Running bool // the page asks again
	Change  bool // the reader may make and fetch copies
	Notice  string
	Problem string
}

type backupRow struct {
	backup.Record
	By    string // who asked for it, in words
	Why   string // why it failed or was not restored, in words
	Steps []backupStep
	Fetch bool
}

type backupStep struct {
	Text      string
	Done, Now bool
}

// backupList shows the copies, newest first.
func (c *console) backupList(w http.ResponseWriter, r *http.Request) error {
	p, err := c.backups(w, r)
	if err != nil {
		return err
	}
	p.Notice = c.sessions.PopString(r.Context(), sessionNotice)
	return c.render(w, r, "backup_list", p)
}

// backupLive is the part of the page that refreshes itself while a copy is made.
func (c *console) backupLive(w http.ResponseWriter, r *http.Request) error {
	p, err := c.backups(w, r)
	if err != nil {
		return err
	}
	return c.fragment(w, "backup_list", "backup-live", p)
}

// backupMake asks for a copy now.
func (c *console) backupMake(w http.ResponseWriter, r *http.Request) error {
	_, err := c.Backups.RequestBackup(r.Context())
	if apperr.Is(err, apperr.Conflict) || apperr.Is(err, apperr.Invalid) {
		p, lerr := c.backups(w, r)
		if lerr != nil {
			return lerr
		}
		p.Problem = p.Error(err)
		return c.execute(w, statusOf(apperr.CodeOf(err)), "backup_list", "layout", p)
	} else if err != nil {
		return err
	}
	c.sessions.Put(r.Context(), sessionNotice, c.newPage(w, r, "").T("backup.asked"))
	http.Redirect(w, r, "/backups", http.StatusSeeOther)
	return nil
}

func (c *console) backups(w http.ResponseWriter, r *http.Request) (backupPage, error) {
	ctx := r.Context()
	p := backupPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.Change = p.T("admin.backups"), access.May(p.actor, access.ChangeSettings)
	s, err := c.Backups.BackupSchedule(ctx)
	if err != nil {
		return p, err
	}
	p.Folder, p.Daily = s.Folder, p.T("backup.never")
	if s.At >= 0 {
		p.Daily = p.T("backup.daily", "Clock", clockText(s), "Zone", zoneName(s.Zone, p.Now), "Keep", s.Keep)
	}
	list, err := c.Backups.Backups(ctx, 0, backupRows)
	for _, x := range list {
		row := p.backupRow(x)
		p.Running = p.Running || x.State == backup.Running
		p.Rows = append(p.Rows, row)
	}
	return p, err
}

// clockText is the schedule's time of the day.
func clockText(s backup.Schedule) string {
	h, m := int(s.At.Hours()), int(s.At.Minutes())%60
	return string([]byte{byte('0' + h/10), byte('0' + h%10), ':', byte('0' + m/10), byte('0' + m%10)})
}

func (p *backupPage) backupRow(x backup.Record) backupRow {
	row := backupRow{Record: x, By: p.Actor(x.StartedBy), Fetch: p.Change && x.Kept()}
	if x.Scheduled() {
		row.By = p.T("backup.by-schedule")
	}
	if row.Why = x.Problem; x.Problem == "backup.interrupted" {
		row.Why = p.T("backup.interrupted")
	}
	if x.State == backup.Running {
		before := true
		for _, s := range backup.Steps() {
			now := s == x.Step
			before = before && !now
			row.Steps = append(row.Steps, backupStep{p.Word("backup.step", string(s)), before, now})
		}
	}
	return row
}

// Size is the copy's size for the template.
func (r backupRow) Size() uint64 { return uint64(max(r.Bytes, 0)) }

// Took is how long the copy took, in words.
func (r backupRow) Took(p Page) string {
	if r.EndedAt.IsZero() {
		return ""
	}
	seconds := int(r.EndedAt.Sub(r.StartedAt).Round(time.Second) / time.Second)
	if seconds < 120 {
		return p.N("count.seconds", max(seconds, 1))
	}
	return p.N("count.minutes", seconds/60)
}

// zoneName is how people know a zone; the server's own is called "Local", which says
// nothing to a reader elsewhere.
func zoneName(z *time.Location, now time.Time) string {
	if z == time.Local {
		return now.In(z).Format("MST")
	}
	return z.String()
}
