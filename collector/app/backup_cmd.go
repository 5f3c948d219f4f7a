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

type backupCmd struct {
	dataFlags `embed:""`
	File      string `arg:"" help:"File to make; it must not exist."`
}

// Help implements kong.HelpProvider.
func (backupCmd) Help() string {
	return examples("backup /backup/vigia-2026-11-23.db --data /var/lib/vigia-collector",
		"backup /backup/vigia.dump --database-url postgres://vigia@db.example.com/vigia") +
		"\n\nThe copy is one moment of the database, verified; the collector goes on meanwhile. It holds the CA's key: keep it safe."
}

// Run implements the command.
func (c *backupCmd) Run(s *streams) error {
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

func (c *backupCmd) dump(s *streams) error {
	if err := pgProgram(s, c.DatabaseURL, "pg_dump", "--format=custom", "--no-owner", "--file="+c.File); err != nil {
		return errors.Join(err, removeIfThere(c.File))
	}
	if err := os.Chmod(c.File, 0o600); err != nil {
		return err
	}
	// A list of its contents is proof that the copy can be read to its end.
	if err := pgProgram(s, "", "pg_restore", "--list", "--file="+os.DevNull, c.File); err != nil {
		return errors.Join(err, removeIfThere(c.File))
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
func pgProgram(s *streams, url, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return apperr.Wrap(err, apperr.Unavailable, "cli.program-missing", apperr.Args{"program": name})
	}
	if url != "" {
		args = append([]string{"--no-password", "--dbname=" + withoutPassword(url)}, args...)
	}
	cmd := exec.CommandContext(s.ctx, path, args...)
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
	if err := verifyCopy(s, trial); err != nil {
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

// verifyCopy opens a database and goes through all of it.
func verifyCopy(s *streams, data string) error {
	st, err := openStore(s.ctx, Config{Data: data})
	if err != nil {
		return err
	}
	_, caErr := st.Blob(s.ctx, "ca")
	found, err := st.Check(s.ctx)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%s %s: %s", found[0].Part, found[0].Object, found[0].Detail)
	}
	if err == nil && caErr != nil {
		err = errors.New("it holds no collector's data")
	}
	return errors.Join(err, st.Close())
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
	if err := pgProgram(s, c.DatabaseURL, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", c.File); err != nil {
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
