package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/internal/fsatomic"
)

type backupCmds struct {
	File backupFileCmd `cmd:"" default:"withargs" help:"Copy the database into a file, while the collector runs."`
	Now  backupNowCmd  `cmd:"" help:"Make a copy as the schedule does, in the folder of backups, and prove it."`
	List backupListCmd `cmd:"" help:"List the copies that collectors made."`
}

type backupFileCmd struct {
	dataFlags `embed:""`
	File      string `arg:"" help:"File to make; it must not exist."`
}

// Help implements kong.HelpProvider.
func (backupFileCmd) Help() string {
	return examples("backup /backup/vigia-2026-11-23.db --data /var/lib/vigia-collector",
		"backup /backup/vigia.dump --database-url postgres://vigia@db.example.com/vigia") +
		"\n\nThe copy is one moment of the database, verified; the collector goes on meanwhile. It holds the CA's key: keep it safe."
}

// Run implements the command.
func (c *backupFileCmd) Run(s *streams) error {
	if _, err := os.Lstat(c.File); err == nil {
		return apperr.New(apperr.Conflict, "cli.exists", apperr.Args{"path": c.File})
	}
	if c.DatabaseURL != "" {
		return c.dump(s)
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.audited(ctx, "backup", "database", map[string]any{"file": filepath.Base(c.File)}); err != nil {
			return err
		}
		if err := d.store.BackupTo(ctx, c.File); err != nil {
			return err
		}
		return told(s, c.File)
	})
}

func (c *backupFileCmd) dump(s *streams) error {
	if err := dumpTo(s.ctx, c.DatabaseURL, c.File); err != nil {
		return err
	}
	return told(s, c.File)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func told(s *streams, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s: %d bytes, verified\n", path, info.Size())
	return err
}

// pgProgram runs one of PostgreSQL's own programs. The address goes by the environment:
// it may hold a password, and command lines are for all to see.
func pgProgram(ctx context.Context, url, name string, args ...string) error {
	if url != "" {
		args = append([]string{"--no-password", "--dbname=" + withoutPassword(url)}, args...)
	}
	return runProgram(ctx, url, name, args...)
}

// pgTool is pgProgram for createdb and dropdb, which name the database they talk to
// otherwise.
func pgTool(ctx context.Context, url, name string, args ...string) error {
	return runProgram(ctx, url, name, append([]string{"--no-password", "--maintenance-db=" + withoutPassword(url)}, args...)...)
}

func runProgram(ctx context.Context, url, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return apperr.Wrap(err, apperr.Unavailable, "cli.program-missing", apperr.Args{"program": name})
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password(url))
	var said strings.Builder
	cmd.Stderr = &limitedWriter{&said, 4096}
	if err := cmd.Run(); err != nil {
		return apperr.Wrap(err, apperr.Internal, "cli.program-failed", apperr.Args{"program": name, "problem": strings.TrimSpace(said.String())})
	}
	return nil
}

// limitedWriter keeps the first bytes and drops the rest.
type limitedWriter struct {
	w    *strings.Builder
	left int
}

func (l *limitedWriter) Write(b []byte) (int, error) {
	n := min(len(b), l.left)
	l.left -= n
	l.w.Write(b[:n])
	return len(b), nil
}

type restoreCmd struct {
	dataFlags `embed:""`
	File      string `arg:"" help:"What backup made."`
}

// Help implements kong.HelpProvider.
func (restoreCmd) Help() string {
	return examples("restore /backup/vigia-2026-11-23.db --data /var/lib/vigia-collector-new",
		"restore /backup/vigia.dump --database-url postgres://vigia@db.example.com/vigia_new") +
		"\n\nThe place must be empty. Agents notice that the collector holds less than they sent, and send it again."
}

// Run implements the command.
func (c *restoreCmd) Run(s *streams) error {
	if _, err := os.Stat(c.File); err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.file", apperr.Args{"path": c.File, "problem": cause(err)})
	}
	if c.DatabaseURL != "" {
		return c.load(s)
	}
	if err := makeDataDir(c.Data); err != nil {
		return err
	}
	unlock, err := lockDataDir(c.Data)
	if err != nil {
		return err
	}
	return errors.Join(c.copy(s), unlock())
}

// copy puts the file in place under another name, verifies it, and only then renames it.
func (c *restoreCmd) copy(s *streams) error {
	target := databaseFile(c.Data)
	if _, err := os.Lstat(target); !errors.Is(err, fs.ErrNotExist) {
		return apperr.New(apperr.Conflict, "cli.restore-not-empty", apperr.Args{"place": c.Data})
	}
	trial, err := os.MkdirTemp(c.Data, ".restore-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(trial)
	if err := copyFile(c.File, databaseFile(trial)); err != nil {
		return err
	}
	if err := verifyDatabase(s.ctx, Config{Data: trial}); err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.restore-damaged", apperr.Args{"path": c.File, "problem": sentence(err)})
	}
	if err := os.Rename(databaseFile(trial), target); err != nil {
		return err
	}
	if err := fsatomic.SyncDir(c.Data); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "restored into %s, verified; start it with `vigia-collector serve --data %[1]s`\n", c.Data)
	return err
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return apperr.Wrap(err, apperr.Invalid, "cli.file", apperr.Args{"path": from, "problem": cause(err)})
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// load restores a dump into an empty PostgreSQL database.
func (c *restoreCmd) load(s *streams) error {
	if err := pgProgram(s.ctx, c.DatabaseURL, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", c.File); err != nil {
		return err
	}
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		found, err := d.store.Check(ctx)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return damageError{len(found)}
		}
		_, err = fmt.Fprintln(s.out, "restored, verified")
		return err
	})
}
