package app

import (
	"context"
	"fmt"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
	"vigia/collector/internal/notify"
	"vigia/collector/internal/web"
)

// mailPages gives the console the queue of mail.
type mailPages struct {
	*desk
	web.MailLists
}

var _ web.Mail = mailPages{}

// MailServer implements web.Mail.
func (m mailPages) MailServer(ctx context.Context) (notify.Server, error) { return m.mailServer(ctx) }

// RetryMail implements web.Mail.
func (m mailPages) RetryMail(ctx context.Context, row int64) (notify.Mail, error) {
	return m.retryMail(ctx, row)
}

// TestMail implements web.Mail.
func (m mailPages) TestMail(ctx context.Context, to, lang string) (notify.Mail, error) {
	if err := notify.CheckAddress(to); err != nil {
		return notify.Mail{}, err
	}
	if err := m.mailReady(ctx); err != nil {
		return notify.Mail{}, err
	}
	return m.testMail(ctx, to, lang)
}

// backupPages gives the console the copies of the database.
type backupPages struct {
	*desk
	runner *backup.Runner
}

var _ web.Backups = backupPages{}

// Backups implements web.Backups.
func (b backupPages) Backups(ctx context.Context, before int64, limit int) ([]backup.Record, error) {
	return b.store.Backups(ctx, before, limit)
}

// BackupSchedule implements web.Backups.
func (b backupPages) BackupSchedule(ctx context.Context) (backup.Schedule, error) {
	return b.runner.Schedule(ctx)
}

// RequestBackup implements web.Backups.
func (b backupPages) RequestBackup(ctx context.Context) (int64, error) { return b.runner.Request(ctx) }

// OpenBackup implements web.Backups.
func (b backupPages) OpenBackup(ctx context.Context, row int64) (string, backup.Record, error) {
	path, rec, err := b.runner.File(ctx, row)
	if err == nil {
		err = b.store.InTx(ctx, func(ctx context.Context) error {
			return b.audited(ctx, "backup.fetch", fmt.Sprint("backup/", row), map[string]any{"file": rec.File, "sha256": rec.SHA256})
		})
	}
	if apperr.Is(err, apperr.Invalid) { // the folder is not told any more
		err = apperr.New(apperr.NotFound, "backup.not-here", apperr.Args{"host": rec.Host})
	}
	return path, rec, err
}
