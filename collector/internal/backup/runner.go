package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
)

const (
	lease     = 2 * time.Minute  // without a sign of life, whoever makes a copy has died
	beat      = 20 * time.Second // how often it gives one
	tries     = 3                // of one slot
	tryAgain  = 15 * time.Minute // after a failure
	lookAhead = 200              // records that are looked through for what is due and what is too old
)

// Transactor runs fn in one transaction carried by its context.
type Transactor interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Runner makes copies. All fields are required.
type Runner struct {
	Tx       Transactor
	Store    Store
	Audit    audit.Log
	Maker    Maker
	Schedule func(ctx context.Context) (Schedule, error) // as it is now
	Host     string                                      // of this machine, shown to people
	Name     string                                      // of this collector, unique on the database
	Now      func() time.Time
	NewID    func() string
	Log      *slog.Logger
	Tick     time.Duration // how often it looks

	wake chan struct{}
	once sync.Once
}

func (r *Runner) waker() chan struct{} {
	r.once.Do(func() { r.wake = make(chan struct{}, 1) })
	return r.wake
}

// holder tells this collector from another on the same machine.
func (r *Runner) holder() string { return r.Host + "\x1f" + r.Name }

// Request asks for a copy now, in the name of the actor in ctx, and returns its row.
// Conflict "backup.running" when one is being made already; Invalid "backup.no-folder".
func (r *Runner) Request(ctx context.Context) (row int64, err error) {
	if _, err := r.schedule(ctx); err != nil {
		return 0, err
	}
	err = r.Tx.InTx(ctx, func(ctx context.Context) error {
		list, err := r.Store.Backups(ctx, 0, lookAhead)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.State == Running {
				return apperr.New(apperr.Conflict, "backup.running", apperr.Args{"at": x.StartedAt})
			}
		}
		if row, _, err = r.Store.QueueBackup(ctx, "now/"+r.NewID(), r.now(), actor.From(ctx).String()); err != nil {
			return err
		}
		return r.note(ctx, "backup.request", row, nil)
	})
	if err == nil {
		select {
		case r.waker() <- struct{}{}:
		default:
		}
	}
	return row, err
}

func (r *Runner) now() time.Time { return r.Now().UTC().Truncate(time.Microsecond) }

func (r *Runner) schedule(ctx context.Context) (Schedule, error) {
	s, err := r.Schedule(ctx)
	if err == nil && !filepath.IsAbs(s.Folder) {
		err = apperr.New(apperr.Invalid, "backup.no-folder", apperr.Args{"field": "backup.folder"})
	}
	return s, err
}

// Run makes copies when they are due or asked for, until ctx ends.
func (r *Runner) Run(ctx context.Context) error {
	tick := time.NewTicker(r.Tick)
	defer tick.Stop()
	for {
		if err := r.Round(ctx); err != nil && ctx.Err() == nil {
			r.Log.ErrorContext(ctx, "scheduled backup failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.waker():
		}
	}
}

// Round looks once whether a copy is due, and makes what waits.
func (r *Runner) Round(ctx context.Context) error {
	ctx = actor.With(ctx, actor.Actor{Kind: actor.System, ID: "backup"})
	if _, err := r.Store.InterruptBackups(ctx, r.now()); err != nil {
		return err
	}
	s, err := r.Schedule(ctx)
	if err != nil {
		return err
	}
	if filepath.IsAbs(s.Folder) {
		if err := r.due(ctx, s); err != nil {
			return err
		}
	}
	now := r.now()
	rec, err := r.Store.ClaimBackup(ctx, r.holder(), now, now.Add(lease))
	if apperr.Is(err, apperr.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	return r.make(ctx, s, rec)
}

// due queues the copy of the schedule. A database that is younger than the schedule's
// last time waits for the next one.
func (r *Runner) due(ctx context.Context, s Schedule) error {
	slot := s.slot(r.Now())
	if slot == "" {
		return nil
	}
	list, err := r.Store.Backups(ctx, 0, lookAhead)
	if err != nil {
		return err
	}
	failed := 0
	for _, x := range list {
		if x.Slot != slot && !strings.HasPrefix(x.Slot, slot+"/") {
			continue
		}
		if x.State != Failed || r.Now().Sub(x.EndedAt) < tryAgain {
			return nil // made, being made, or too soon
		}
		failed++
	}
	if failed >= tries {
		return nil
	}
	if failed > 0 {
		slot += "/" + strconv.Itoa(failed+1)
	}
	_, _, err = r.Store.QueueBackup(ctx, slot, r.now(), actor.From(ctx).String())
	return err
}

// make makes one copy, proves it, writes that down and removes those too old.
func (r *Runner) make(ctx context.Context, s Schedule, rec Record) error {
	err := r.attempt(ctx, s, &rec)
	rec.EndedAt = r.now()
	if err != nil {
		rec.State, rec.Problem = Failed, told(err)
		if ctx.Err() != nil {
			rec.Problem = "backup.interrupted"
		}
	}
	done, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	ferr := r.Tx.InTx(done, func(ctx context.Context) error {
		if err := r.Store.FinishBackup(ctx, r.holder(), rec); err != nil {
			return err
		}
		return r.note(ctx, "backup."+string(rec.State), rec.Row, map[string]any{"file": rec.File, "bytes": rec.Bytes, "sha256": rec.SHA256, "problem": rec.Problem})
	})
	if err = errors.Join(err, ferr); err != nil {
		return err
	}
	r.Log.InfoContext(ctx, "backup made", "file", rec.File, "bytes", rec.Bytes, "state", rec.State, "took", rec.EndedAt.Sub(rec.StartedAt))
	return r.prune(done, s)
}

// told is the cause for people: the sentence's key where there is one, else the words.
func told(err error) string {
	text := err.Error()
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:500], "") + "…"
	}
	return text
}

func (r *Runner) attempt(ctx context.Context, s Schedule, rec *Record) error {
	if !filepath.IsAbs(s.Folder) {
		return apperr.New(apperr.Invalid, "backup.no-folder", apperr.Args{"field": "backup.folder"})
	}
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return fmt.Errorf("making the folder of backups: %w", err)
	}
	rec.File = fmt.Sprintf("vigia-%s-%d%s", r.now().Format("20060102T150405Z"), rec.Row, r.Maker.Extension())
	path := filepath.Join(s.Folder, rec.File)
	ctx, stop := context.WithCancelCause(ctx)
	pulse := r.pulse(ctx, stop, *rec, path)
	err := r.copyAndProve(ctx, rec, path, pulse)
	stop(nil)
	pulse.wait()
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	if err != nil {
		if rerr := os.Remove(path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

func (r *Runner) copyAndProve(ctx context.Context, rec *Record, path string, p *pulse) error {
	p.set(Copies)
	if err := r.Maker.Copy(ctx, path); err != nil {
		return err
	}
	p.set(Restores)
	restored, why, err := r.Maker.Verify(ctx, path, p.set)
	if err != nil {
		return fmt.Errorf("verifying the copy: %w", err)
	}
	p.set(CleansUp)
	if rec.Bytes, rec.SHA256, err = measure(path); err != nil {
		return err
	}
	rec.State, rec.Problem = Verified, ""
	if !restored {
		rec.State, rec.Problem = Readable, why
	}
	return nil
}

func measure(path string) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", fmt.Errorf("reading the copy: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return 0, "", fmt.Errorf("reading the copy: %w", err)
	}
	return n, hex.EncodeToString(h.Sum(nil)), nil
}

// prune removes the files that are more than are kept. Those that other machines hold
// are theirs to remove.
func (r *Runner) prune(ctx context.Context, s Schedule) error {
	kept := 0
	for before := int64(0); ; {
		list, err := r.Store.Backups(ctx, before, lookAhead)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, x := range list {
			before = x.Row
			path := filepath.Join(s.Folder, filepath.Base(x.File))
			if !x.Kept() {
				continue
			}
			if _, err := os.Stat(path); err != nil {
				continue
			}
			if kept++; kept <= max(s.Keep, 1) {
				continue
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("removing an old backup: %w", err)
			}
			if err := r.Store.RemovedBackup(ctx, x.Row, r.now()); err != nil {
				return err
			}
		}
	}
}

func (r *Runner) note(ctx context.Context, action string, row int64, after any) error {
	return r.Audit.Append(ctx, audit.Entry{At: r.now(), Actor: actor.From(ctx).String(), Action: action, Object: "backup/" + strconv.FormatInt(row, 10),
		Before: audit.JSON(nil), After: audit.JSON(after)})
}

// File returns the path and record of a copy that is on this machine. NotFound
// "backup.unknown", "backup.not-here".
func (r *Runner) File(ctx context.Context, row int64) (string, Record, error) {
	rec, err := r.Store.BackupByRow(ctx, row)
	if err != nil {
		return "", rec, err
	}
	s, err := r.schedule(ctx)
	if err != nil {
		return "", rec, err
	}
	path := filepath.Join(s.Folder, filepath.Base(rec.File))
	info, err := os.Stat(path)
	if !rec.Kept() || err != nil || !info.Mode().IsRegular() {
		return "", rec, apperr.New(apperr.NotFound, "backup.not-here", apperr.Args{"host": rec.Host})
	}
	return path, rec, nil
}
