package updater

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"vigia/agent/internal/uplink"
	"vigia/internal/update"
	"vigia/internal/version"
)

// ErrRestart ends Run where another version is to be started.
var ErrRestart = errors.New("another version of the agent is to run")

// Channel is the way to the collector.
type Channel interface {
	Ask(ctx context.Context, t uplink.Told) (uplink.Offer, error)
	Piece(ctx context.Context, name string, offset int64) ([]byte, int64, error)
	Close() error
}

// Updater looks for a newer version, gets it, and proves or gives up the one on trial.
type Updater struct {
	Versions *Versions
	Trust    string // folder of what was verified, and of what is being downloaded
	Root     []byte // root of trust that was put on the machine; empty: the first that comes
	Version  string // that runs
	Every    time.Duration
	Random   func() float64
	Open     func(ctx context.Context) (Channel, error)
	LastAck  func() time.Time                                         // when the collector last acknowledged something
	Try      func(ctx context.Context, program, version string) error // starts a program to see that it can run
	Log      *slog.Logger
	Now      func() time.Time
}

// Run proves the version that runs when it is on trial, then looks for newer ones until
// ctx ends. It returns ErrRestart where another version is to run.
func (u *Updater) Run(ctx context.Context) error {
	started := u.Now()
	if err := u.trial(ctx, started); err != nil || ctx.Err() != nil {
		return err
	}
	for wait := min(u.Every, 10*time.Second); ; wait = u.Every/2 + time.Duration(u.Random()*float64(u.Every)) {
		if !rest(ctx, wait) {
			return nil
		}
		err := u.look(ctx)
		switch {
		case errors.Is(err, ErrRestart):
			return err
		case ctx.Err() != nil:
			return nil
		case err != nil && !errors.Is(err, uplink.ErrNoUpdates) && !errors.Is(err, uplink.ErrNotEnrolled):
			u.Log.Warn("looking for an update", "error", err)
		}
	}
}

// trial waits for the first acknowledged report of a version on trial.
func (u *Updater) trial(ctx context.Context, started time.Time) error {
	until, err := u.Versions.OnTrial(u.Version)
	if err != nil {
		u.Log.Error("the record of versions cannot be used", "error", err)
		return nil
	}
	for !until.IsZero() {
		if u.LastAck().After(started) {
			u.Log.Info("the new version has reported, and stays", "version", u.Version)
			return u.Versions.Prove(u.Version)
		}
		if u.Now().After(until) {
			u.Log.Error("the new version did not report in time; going back", "version", u.Version)
			return errors.Join(u.Versions.GiveUp("it did not report in time"), ErrRestart)
		}
		if !rest(ctx, 500*time.Millisecond) {
			return nil
		}
	}
	return nil
}

// look asks once, and puts what is offered in place.
func (u *Updater) look(ctx context.Context) error {
	ch, err := u.Open(ctx)
	if err != nil {
		return err
	}
	defer ch.Close()
	told := uplink.Told{Version: u.Version, Phase: "current"}
	failed, err := u.Versions.Failed()
	if err != nil {
		return err
	}
	if failed != nil {
		told.Phase, told.Target, told.Problem = "rolled-back", failed.Version, failed.Problem
	}
	offer, err := ch.Ask(ctx, told)
	if err != nil || offer.Version == "" || failed != nil && failed.Version == offer.Version && failed.Attempt == offer.Attempt {
		return err
	}
	if !version.Newer(offer.Version, u.Version) {
		return fmt.Errorf("the collector offers version %s, and this is %s: not taken", offer.Version, u.Version)
	}
	u.Log.Info("a newer version is meant for this machine", "version", offer.Version)
	if _, err := ch.Ask(ctx, uplink.Told{Version: u.Version, Phase: "downloading", Target: offer.Version}); err != nil {
		return err
	}
	if err := u.take(ctx, ch, offer); err != nil {
		_, _ = ch.Ask(ctx, uplink.Told{Version: u.Version, Phase: "failed", Target: offer.Version, Problem: err.Error()}) // told again next time
		return err
	}
	if _, err := ch.Ask(ctx, uplink.Told{Version: u.Version, Phase: "trying", Target: offer.Version}); err != nil {
		u.Log.Debug("the collector was not told of the trial", "error", err)
	}
	return ErrRestart
}

// take downloads, verifies and puts in place.
func (u *Updater) take(ctx context.Context, ch Channel, offer uplink.Offer) error {
	client := &update.Client{Dir: u.Trust, Root: u.Root, Now: u.Now, Fetch: func(ctx context.Context, name string, most int64) ([]byte, error) {
		data, err := fetch(ctx, ch, name, most, nil)
		if errors.Is(err, uplink.ErrUnknownFile) {
			return nil, update.ErrNotFound
		}
		return data, err
	}}
	releases, err := client.Refresh(ctx)
	if err != nil {
		return err
	}
	p, err := releases.Program(offer.Version, runtime.GOOS, runtime.GOARCH)
	if err != nil {
		return err
	}
	program, err := u.download(ctx, ch, p)
	if err != nil {
		return err
	}
	if err := u.Versions.Try(p.Version, offer.Attempt, offer.Grace, program); err != nil {
		return err
	}
	if err := u.Try(ctx, u.Versions.Program(p.Version), p.Version); err != nil {
		return errors.Join(fmt.Errorf("the new version does not start here: %w", err), u.Versions.GiveUp("it does not start here"))
	}
	return nil
}

// download gets the packed program, going on where an earlier try was broken off.
func (u *Updater) download(ctx context.Context, ch Channel, p update.Program) ([]byte, error) {
	path := filepath.Join(u.Trust, "part-"+strings.ReplaceAll(p.Target, "/", "-"))
	have, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	part, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer part.Close()
	packed, err := fetchMore(ctx, ch, "targets/"+p.Target, p.Length(), have, part)
	if err != nil {
		return nil, err
	}
	// Used or not, the next download begins anew.
	if err := errors.Join(part.Close(), os.Remove(path), p.Verify(packed)); err != nil {
		return nil, err
	}
	r, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(update.MaxProgram), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	program, err := r.DecodeAll(packed, make([]byte, 0, p.Size))
	if err != nil {
		return nil, err
	}
	return program, p.VerifyProgram(program)
}

func fetch(ctx context.Context, ch Channel, name string, most int64, part *os.File) ([]byte, error) {
	return fetchMore(ctx, ch, name, most, nil, part)
}

// fetchMore reads a file piece by piece after what is there already, and writes each
// piece down.
func fetchMore(ctx context.Context, ch Channel, name string, most int64, have []byte, part *os.File) ([]byte, error) {
	for {
		piece, size, err := ch.Piece(ctx, name, int64(len(have)))
		if err != nil {
			return nil, err
		}
		if size > most || int64(len(have)+len(piece)) > size {
			return nil, fmt.Errorf("%s: %d bytes, more than the %d that it may have", name, size, most)
		}
		have = append(have, piece...)
		if part != nil {
			if _, err := part.Write(piece); err != nil {
				return nil, err
			}
		}
		if int64(len(have)) == size {
			return have, nil
		}
		if len(piece) == 0 {
			return nil, fmt.Errorf("%s: broken off at %d of %d bytes", name, len(have), size)
		}
	}
}

func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
