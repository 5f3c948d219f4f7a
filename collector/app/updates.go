package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/rollout"
	"vigia/collector/internal/store"
	"vigia/internal/update"
	"vigia/internal/version"
)

// updates returns the use-cases of releases and stages.
func (d *desk) updates() *rollout.Service {
	return &rollout.Service{Store: d.store.Updates(), Tx: d.store, Audit: d.store, Now: d.now, Groups: func(ctx context.Context, machine string) ([]string, error) {
		m, err := d.store.Machine(ctx, machine)
		return m.Groups, err
	}}
}

// publish verifies a folder of signed releases as an agent would, against what was
// published before, and takes it. It returns the versions, newest first.
func (d *desk) publish(ctx context.Context, dir string) ([]string, error) {
	known, err := os.MkdirTemp("", "vigia-releases-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(known)
	seen := &update.Client{Dir: known, Fetch: d.published, Now: d.now}
	if _, err := seen.Refresh(ctx); err != nil && !errors.Is(err, update.ErrNotFound) {
		// What is published is too old to be used by agents. Its root and versions still bind.
		d.log.WarnContext(ctx, "what is published already", "err", err)
	}
	next := &update.Client{Dir: known, Now: d.now, Fetch: func(_ context.Context, name string, most int64) ([]byte, error) { return readRelease(dir, name, most) }}
	releases, err := next.Refresh(ctx)
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", dir, err)}
	}
	files, err := releaseFiles(dir, releases)
	if err != nil {
		return nil, usageError{err}
	}
	versions := releases.Versions()
	slices.SortFunc(versions, func(a, b string) int {
		switch {
		case version.Newer(a, b):
			return -1
		case version.Newer(b, a):
			return 1
		}
		return 0
	})
	return versions, d.updates().Publish(ctx, files, versions)
}

// published reads what the collector has.
func (d *desk) published(ctx context.Context, name string, most int64) ([]byte, error) {
	var data []byte
	for {
		part, size, err := d.updates().Read(ctx, name, int64(len(data)), rollout.PartSize)
		switch {
		case apperr.Is(err, apperr.NotFound):
			return nil, update.ErrNotFound
		case err != nil:
			return nil, err
		case size > most:
			return nil, fmt.Errorf("%s is too long", name)
		}
		if data = append(data, part...); int64(len(data)) >= size || len(part) == 0 {
			return data, nil
		}
	}
}

func readRelease(dir, name string, most int64) ([]byte, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, update.ErrNotFound
	}
	if err != nil || info.Size() > most {
		return nil, errors.Join(err, fmt.Errorf("%s cannot be used: %d bytes", path, info.Size()))
	}
	return os.ReadFile(path)
}

// releaseFiles reads everything to take: the programs, verified, then the metadata, the
// timestamp last.
func releaseFiles(dir string, r *update.Releases) (files []rollout.File, err error) {
	for name, length := range r.Files() {
		data, err := readRelease(dir, name, length)
		if err == nil {
			err = r.Verify(name, data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, rollout.File{Name: name, Data: data})
	}
	list, err := filepath.Glob(filepath.Join(dir, "metadata", "*.json"))
	if err != nil {
		return nil, err
	}
	slices.Sort(list) // digits come before timestamp.json
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files = append(files, rollout.File{Name: "metadata/" + filepath.Base(path), Data: data})
	}
	return files, nil
}

// updatePages is what the console's page of updates asks.
type updatePages struct {
	store.Updates
	*rollout.Service
}
