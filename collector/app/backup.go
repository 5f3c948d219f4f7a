package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/backup"
)

// backupTick is how often it is looked whether a copy is due.
const backupTick = 15 * time.Second

// newBackups makes the scheduled copies, as the collector called name.
func (d *desk) newBackups(cfg Config, name string) *backup.Runner {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return &backup.Runner{
		Tx: d.store, Store: d.store, Audit: d.store, Maker: backupMaker{d, cfg}, Host: host, Name: name, Now: d.now, NewID: newID, Log: d.log, Tick: backupTick,
		Schedule: func(ctx context.Context) (backup.Schedule, error) { return d.backupSchedule(ctx, cfg) },
	}
}

func (d *desk) backupSchedule(ctx context.Context, cfg Config) (backup.Schedule, error) {
	v, err := d.values(ctx)
	if err != nil {
		return backup.Schedule{}, err
	}
	s := backup.Schedule{At: v.Backup.At, Zone: d.zoneOf(v), Keep: v.Backup.Keep, Folder: v.Backup.Folder, Since: d.now()}
	if s.Folder == "" && cfg.Data != "" {
		if s.Folder, err = filepath.Abs(filepath.Join(cfg.Data, "backups")); err != nil {
			return s, fmt.Errorf("naming the folder of backups: %w", err)
		}
	}
	first, err := d.store.AuditEntries(ctx, 1, 1)
	if len(first) > 0 {
		s.Since = first[0].At
	}
	return s, err
}

// backupMaker copies the database that cfg names.
type backupMaker struct {
	d   *desk
	cfg Config
}

var _ backup.Maker = backupMaker{}

// Extension implements backup.Maker.
func (m backupMaker) Extension() string {
	if m.cfg.DatabaseURL != "" {
		return ".dump"
	}
	return ".db"
}

// Copy implements backup.Maker.
func (m backupMaker) Copy(ctx context.Context, to string) error {
	if m.cfg.DatabaseURL != "" {
		return dumpTo(ctx, m.cfg.DatabaseURL, to)
	}
	return m.d.store.BackupTo(ctx, to)
}

// Verify implements backup.Maker. On PostgreSQL the copy is restored into a database of
// its own beside the present one, where the user may create databases.
func (m backupMaker) Verify(ctx context.Context, file string, step func(backup.Step)) (bool, string, error) {
	if m.cfg.DatabaseURL != "" {
		return verifyDump(ctx, m.cfg.DatabaseURL, file, step)
	}
	trial, err := os.MkdirTemp(filepath.Dir(file), ".verify-*")
	if err != nil {
		return false, "", fmt.Errorf("making a folder to restore into: %w", err)
	}
	defer os.RemoveAll(trial)
	if err := copyFile(file, databaseFile(trial)); err != nil {
		return false, "", err
	}
	step(backup.Compares)
	return true, "", verifyDatabase(ctx, Config{Data: trial})
}

// dumpTo writes a PostgreSQL database into a file, which is removed where that fails.
func dumpTo(ctx context.Context, url, to string) error {
	if err := pgProgram(ctx, url, "pg_dump", "--format=custom", "--no-owner", "--file="+to); err != nil {
		return errors.Join(err, removeIfThere(to))
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return err
	}
	// A list of its contents is proof that the copy can be read to its end.
	if err := pgProgram(ctx, "", "pg_restore", "--list", "--file="+os.DevNull, to); err != nil {
		return errors.Join(err, removeIfThere(to))
	}
	return nil
}

// verifyDump restores a dump into a database of its own, goes through it and drops it.
func verifyDump(ctx context.Context, url, file string, step func(backup.Step)) (restored bool, why string, err error) {
	name := "vigia_verify_" + strings.ReplaceAll(newID(), "-", "")
	at, err := otherDatabase(url, name)
	if err != nil {
		return false, "", err
	}
	if err := pgTool(ctx, url, "createdb", "--template=template0", "--encoding=UTF8", name); err != nil {
		return false, sentence(err), nil // no right to: what was read is all that is known
	}
	defer func() {
		tidy, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, pgTool(tidy, url, "dropdb", "--if-exists", "--force", name))
	}()
	if err := pgProgram(ctx, at, "pg_restore", "--no-owner", "--exit-on-error", file); err != nil {
		return false, "", err
	}
	step(backup.Compares)
	return true, "", verifyDatabase(ctx, Config{DatabaseURL: at})
}

// verifyDatabase opens a database and goes through all of it.
func verifyDatabase(ctx context.Context, cfg Config) error {
	cfg.Log, cfg.Now = slog.New(slog.DiscardHandler), time.Now
	st, err := openStore(ctx, cfg)
	if err != nil {
		return err
	}
	_, caErr := st.Blob(ctx, "ca")
	found, err := st.Check(ctx)
	switch {
	case err != nil:
	case len(found) > 0:
		err = apperr.New(apperr.Conflict, "backup.damaged", apperr.Args{"problem": found[0].Part + " " + found[0].Object + ": " + found[0].Detail})
	case caErr != nil:
		err = errors.New("it holds no collector's data")
	}
	return errors.Join(err, st.Close())
}
