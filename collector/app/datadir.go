package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"vigia/collector/internal/apperr"
)

// databaseFile is where the SQLite database is kept in a data folder.
func databaseFile(data string) string { return filepath.Join(data, "vigia.db") }

// makeDataDir makes the folder, for its owner only.
func makeDataDir(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.data-folder", apperr.Args{"field": "data", "value": data, "problem": err.Error()})
	}
	return nil
}

// needDatabase refuses a folder in which no collector has ever run, so that a mistyped
// --data does not make an empty database.
func needDatabase(cfg Config) error {
	if cfg.DatabaseURL != "" {
		return nil
	}
	_, err := os.Stat(databaseFile(cfg.Data))
	if errors.Is(err, fs.ErrNotExist) {
		return apperr.New(apperr.NotFound, "cli.no-data", apperr.Args{"data": cfg.Data})
	}
	if err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.data-folder", apperr.Args{"field": "data", "value": cfg.Data, "problem": err.Error()})
	}
	return nil
}

// lockDataDir keeps a second collector off a SQLite folder. The lock goes with the
// process, however it ends; the file names the holder for the message.
func lockDataDir(data string) (unlock func() error, err error) {
	path := filepath.Join(data, "collector.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, apperr.Wrap(err, apperr.Invalid, "cli.data-folder", apperr.Args{"field": "data", "value": data, "problem": err.Error()})
	}
	if err := lockFile(f); err != nil {
		holder := make([]byte, 32)
		n, _ := f.ReadAt(holder, 0) // empty where nobody wrote it yet
		_ = f.Close()
		return nil, apperr.Wrap(err, apperr.Conflict, "cli.data-in-use", apperr.Args{"data": data, "pid": string(holder[:n])})
	}
	pid := fmt.Sprint(os.Getpid())
	if err := errors.Join(f.Truncate(0), writeAt(f, pid)); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return f.Close, nil
}

func writeAt(f *os.File, s string) error {
	_, err := f.WriteAt([]byte(s), 0)
	return err
}
