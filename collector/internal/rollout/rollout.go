// Package rollout owns which machine is to run which version of the agent: releases that
// the operator signed and handed over, stages that let a share of a group have one, and
// what machines tell of it. It refuses to sign or verify: the collector is not trusted
// with that, agents verify for themselves.
package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/internal/version"
)

// PartSize is how files of releases are cut, in bytes.
const PartSize = 256 << 10

// Bounds of a stage's grace.
const (
	MinGrace = 10 * time.Second
	MaxGrace = 7 * 24 * time.Hour
)

// Release is a version that was handed over.
type Release struct {
	Version     string
	PublishedAt time.Time
	PublishedBy string
}

// Stage lets some machines have a version.
type Stage struct {
	Row       int64
	Version   string
	Group     string        // empty: all machines
	Share     int           // percent of them, 1 to 100; always the same machines first
	Grace     time.Duration // in which the new version must report, else the machine goes back
	Paused    bool
	CreatedAt time.Time
	CreatedBy string
}

// Progress is what a machine told.
type Progress struct {
	Machine  string
	Hostname string // read only
	Version  string // that runs
	System   string // "linux/amd64"
	Target   string // version that it deals with; empty: none
	Phase    string // "current", "downloading", "trying", "rolled-back", "failed"
	Problem  string
	At       time.Time
}

// Count is how many machines are alike.
type Count struct {
	Version, Target, Phase string
	Machines               int
}

// Store keeps all of it. Errors: NotFound "update.unknown-file" and "update.unknown-stage".
type Store interface {
	SaveFile(ctx context.Context, name string, data []byte) error
	FilePart(ctx context.Context, name string, part int64) (data []byte, size int64, err error)
	SaveRelease(ctx context.Context, r Release) error
	Releases(ctx context.Context) ([]Release, error) // newest first
	SaveStage(ctx context.Context, st Stage) (Stage, error)
	PauseStage(ctx context.Context, row int64, paused bool) error
	Stages(ctx context.Context) ([]Stage, error) // newest first
	SaveProgress(ctx context.Context, p Progress) error
	Counts(ctx context.Context) ([]Count, error)
	Problems(ctx context.Context, most int) ([]Progress, error)
}

// Tx runs fn in one transaction.
type Tx interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}

// Service is the use-cases.
type Service struct {
	Store  Store
	Tx     Tx
	Audit  audit.Log
	Groups func(ctx context.Context, machine string) ([]string, error)
	Now    func() time.Time
}

// File is one file of the folder of releases.
type File struct {
	Name string // "metadata/timestamp.json"
	Data []byte
}

// Publish takes a folder of releases that was verified, all or nothing. The files come in
// an order in which an agent that reads meanwhile finds what it is sent to.
func (s *Service) Publish(ctx context.Context, files []File, versions []string) error {
	now := s.Now().UTC().Truncate(time.Microsecond)
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		for _, f := range files {
			if err := s.Store.SaveFile(ctx, f.Name, f.Data); err != nil {
				return err
			}
		}
		for _, v := range versions {
			if err := s.Store.SaveRelease(ctx, Release{v, now, actor.From(ctx).String()}); err != nil {
				return err
			}
		}
		return s.note(ctx, now, "update.publish", "update/releases", versions)
	})
}

// Begin makes a stage. Errors: Invalid "update.field"; NotFound "update.unknown-version".
func (s *Service) Begin(ctx context.Context, st Stage) (Stage, error) {
	switch {
	case st.Share < 1 || st.Share > 100:
		return st, field("share", st.Share, "1 to 100")
	case st.Grace < MinGrace || st.Grace > MaxGrace:
		return st, field("grace", st.Grace, fmt.Sprintf("%s to %s", MinGrace, MaxGrace))
	}
	list, err := s.Store.Releases(ctx)
	if err != nil {
		return st, err
	}
	if !slices.ContainsFunc(list, func(r Release) bool { return r.Version == st.Version }) {
		return st, apperr.New(apperr.NotFound, "update.unknown-version", apperr.Args{"value": st.Version})
	}
	st.CreatedAt, st.CreatedBy = s.Now().UTC().Truncate(time.Microsecond), actor.From(ctx).String()
	err = s.Tx.InTx(ctx, func(ctx context.Context) error {
		var err error
		if st, err = s.Store.SaveStage(ctx, st); err != nil {
			return err
		}
		return s.note(ctx, st.CreatedAt, "update.stage", fmt.Sprintf("update/stage/%d", st.Row), st)
	})
	return st, err
}

// Pause stops a stage, or lets it go on. Machines that have the version keep it.
func (s *Service) Pause(ctx context.Context, row int64, paused bool) error {
	action := map[bool]string{true: "update.pause", false: "update.resume"}[paused]
	return s.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.Store.PauseStage(ctx, row, paused); err != nil {
			return err
		}
		return s.note(ctx, s.Now().UTC().Truncate(time.Microsecond), action, fmt.Sprintf("update/stage/%d", row), paused)
	})
}

// Offer notes what a machine tells, and answers which stage it is to follow, if any.
func (s *Service) Offer(ctx context.Context, p Progress) (Stage, bool, error) {
	p.At = s.Now().UTC().Truncate(time.Microsecond)
	if err := s.Store.SaveProgress(ctx, p); err != nil {
		return Stage{}, false, err
	}
	stages, err := s.Store.Stages(ctx)
	if err != nil || len(stages) == 0 {
		return Stage{}, false, err
	}
	groups, err := s.Groups(ctx, p.Machine)
	if err != nil {
		return Stage{}, false, err
	}
	st, ok := Choose(stages, p.Machine, groups, p.Version)
	return st, ok, nil
}

// Choose returns the stage with the newest version that is meant for a machine and newer
// than what it runs: there is no way back to an older one.
func Choose(stages []Stage, machine string, groups []string, runs string) (best Stage, found bool) {
	for _, st := range stages {
		meant := !st.Paused && (st.Group == "" || slices.Contains(groups, st.Group)) && Place(machine) < st.Share
		if meant && version.Newer(st.Version, runs) && (!found || version.Newer(st.Version, best.Version)) {
			best, found = st, true
		}
	}
	return best, found
}

// Place is where a machine stands in line, 0 to 99: always the same.
func Place(machine string) int {
	sum := sha256.Sum256([]byte(machine))
	return int(binary.BigEndian.Uint32(sum[:4]) % 100)
}

// Read returns at most limit bytes of a file from an offset, and the file's size.
func (s *Service) Read(ctx context.Context, name string, offset int64, limit int) ([]byte, int64, error) {
	if offset < 0 || limit <= 0 {
		return nil, 0, field("offset", offset, "0 or more")
	}
	data, size, err := s.Store.FilePart(ctx, name, offset/PartSize)
	if err != nil {
		return nil, 0, err
	}
	data = data[min(offset%PartSize, int64(len(data))):]
	return data[:min(limit, len(data))], size, nil
}

func (s *Service) note(ctx context.Context, at time.Time, action, object string, after any) error {
	text, err := json.Marshal(after)
	if err != nil {
		return err
	}
	return s.Audit.Append(ctx, audit.Entry{At: at, Actor: actor.From(ctx).String(), Action: action, Object: object, After: text})
}

func field(name string, value any, want string) error {
	return apperr.New(apperr.Invalid, "update.field", apperr.Args{"field": name, "value": fmt.Sprint(value), "want": want})
}
