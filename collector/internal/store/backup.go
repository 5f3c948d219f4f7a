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
	if s.Engine() == "sqlite" {
		switch _, err := os.Lstat(path); {
		case err == nil:
			return apperr.New(apperr.Conflict, "store.backup-exists", apperr.Args{"field": "path", "value": path})
		case !errors.Is(err, fs.ErrNotExist):
			return apperr.Wrap(err, apperr.Invalid, "store.backup-path", apperr.Args{"field": "path", "value": path})
		}
	}
	err := s.dialect.backup(ctx, s.reader, path)
	if err != nil && s.Engine() == "sqlite" {
		_ = os.Remove(path)
	}
	return s.mapError("writing a backup", err)
}
