package store

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"vigia/collector/internal/apperr"
)

// BackupTo writes a consistent copy of a SQLite database to path, a file that does not
// exist, while the collector runs, and checks the copy. It takes no write lock. On
// PostgreSQL it is Invalid "store.backup-postgres": the server's own pg_dump does it.
// A copy that failed is removed.
func (s *Store) BackupTo(ctx context.Context, path string) error {
	if s.Engine() != "sqlite" {
		return s.dialect.backup(ctx, s.reader, path)
	}
	if err := createPrivate(path); errors.Is(err, fs.ErrExist) {
		return apperr.New(apperr.Conflict, "store.backup-exists", apperr.Args{"field": "path", "value": path})
	} else if err != nil {
		return apperr.Wrap(err, apperr.Invalid, "store.backup-path", apperr.Args{"field": "path", "value": path})
	}
	err := s.dialect.backup(ctx, s.reader, path)
	if err == nil {
		err = syncFile(path)
	}
	if err != nil {
		_ = os.Remove(path)
	}
	return s.mapError("writing a backup", err)
}

// createPrivate makes an empty file that only its owner may read: the database holds
// the CA's key. The engine fills it, and gives its log files the same mode.
func createPrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
