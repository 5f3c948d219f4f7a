package store

import (
	"context"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/rollout"
	"vigia/collector/internal/store/internal/db"
)

// Updates keeps what package rollout decides on.
type Updates struct{ s *Store }

var _ rollout.Store = Updates{}

// Updates returns the part of the store that keeps releases and stages.
func (s *Store) Updates() Updates { return Updates{s} }

// SaveFile implements rollout.Store.
func (u Updates) SaveFile(ctx context.Context, name string, data []byte) error {
	return u.s.write(ctx, "keeping a file of a release", func(ctx context.Context, q *db.Queries) error {
		if err := q.DropUpdateFile(ctx, name); err != nil {
			return err
		}
		size := int64(len(data))
		for part := int64(0); part == 0 || len(data) > 0; part++ {
			n := min(len(data), rollout.PartSize)
			if err := q.InsertUpdatePart(ctx, db.InsertUpdatePartParams{Name: name, Part: part, Size: size, Data: append([]byte{}, data[:n]...)}); err != nil {
				return err
			}
			data = data[n:]
		}
		return nil
	})
}

// FilePart implements rollout.Store.
func (u Updates) FilePart(ctx context.Context, name string, part int64) (data []byte, size int64, err error) {
	err = u.s.read(ctx, "reading a file of a release", func(q *db.Queries) error {
		row, err := q.UpdatePart(ctx, db.UpdatePartParams{Name: storable(name), Part: part})
		data, size = row.Data, row.Size
		return unknown(err, "update.unknown-file", apperr.Args{"name": name})
	})
	return data, size, err
}

// SaveRelease implements rollout.Store.
func (u Updates) SaveRelease(ctx context.Context, r rollout.Release) error {
	return u.s.write(ctx, "keeping a release", func(ctx context.Context, q *db.Queries) error {
		return q.InsertRelease(ctx, db.InsertReleaseParams{Version: r.Version, PublishedAt: micros(r.PublishedAt), PublishedBy: storable(r.PublishedBy)})
	})
}

// Releases implements rollout.Store.
func (u Updates) Releases(ctx context.Context) (out []rollout.Release, err error) {
	err = u.s.read(ctx, "listing releases", func(q *db.Queries) error {
		list, err := q.Releases(ctx)
		for _, v := range list {
			out = append(out, rollout.Release{Version: v.Version, PublishedAt: fromMicros(v.PublishedAt), PublishedBy: v.PublishedBy})
		}
		return err
	})
	return out, err
}

// SaveStage implements rollout.Store.
func (u Updates) SaveStage(ctx context.Context, st rollout.Stage) (rollout.Stage, error) {
	err := u.s.write(ctx, "keeping a stage", func(ctx context.Context, q *db.Queries) (err error) {
		st.Row, err = q.InsertStage(ctx, db.InsertStageParams{Version: st.Version, MachineGroup: storable(st.Group), Share: int64(st.Share),
			GraceSeconds: int64(st.Grace / time.Second), CreatedAt: micros(st.CreatedAt), CreatedBy: storable(st.CreatedBy)})
		return err
	})
	return st, err
}

// PauseStage implements rollout.Store.
func (u Updates) PauseStage(ctx context.Context, row int64, paused bool) error {
	return u.s.write(ctx, "pausing a stage", func(ctx context.Context, q *db.Queries) error {
		n, err := q.PauseStage(ctx, db.PauseStageParams{Paused: number(paused), ID: row})
		if err == nil && n == 0 {
			return apperr.New(apperr.NotFound, "update.unknown-stage", apperr.Args{"value": row})
		}
		return err
	})
}

// Stages implements rollout.Store.
func (u Updates) Stages(ctx context.Context) (out []rollout.Stage, err error) {
	err = u.s.read(ctx, "listing stages", func(q *db.Queries) error {
		list, err := q.Stages(ctx)
		for _, v := range list {
			out = append(out, rollout.Stage{Row: v.ID, Version: v.Version, Group: v.MachineGroup, Share: int(v.Share), Grace: time.Duration(v.GraceSeconds) * time.Second,
				Paused: v.Paused != 0, CreatedAt: fromMicros(v.CreatedAt), CreatedBy: v.CreatedBy})
		}
		return err
	})
	return out, err
}

// SaveProgress implements rollout.Store.
func (u Updates) SaveProgress(ctx context.Context, p rollout.Progress) error {
	return u.s.write(ctx, "noting the progress of an update", func(ctx context.Context, q *db.Queries) error {
		return q.SaveUpdateProgress(ctx, db.SaveUpdateProgressParams{Machine: p.Machine, Version: storable(p.Version), System: storable(p.System),
			Target: storable(p.Target), Phase: storable(p.Phase), Problem: storable(p.Problem), ToldAt: micros(p.At)})
	})
}

// Counts implements rollout.Store.
func (u Updates) Counts(ctx context.Context) (out []rollout.Count, err error) {
	err = u.s.read(ctx, "counting versions", func(q *db.Queries) error {
		list, err := q.UpdateCounts(ctx)
		for _, v := range list {
			out = append(out, rollout.Count{Version: v.Version, Target: v.Target, Phase: v.Phase, Machines: int(v.Machines)})
		}
		return err
	})
	return out, err
}

// Problems implements rollout.Store.
func (u Updates) Problems(ctx context.Context, most int) (out []rollout.Progress, err error) {
	err = u.s.read(ctx, "listing failed updates", func(q *db.Queries) error {
		list, err := q.UpdateProblems(ctx, int32(most))
		for _, v := range list {
			out = append(out, rollout.Progress{Machine: v.Machine, Hostname: v.Hostname, Version: v.Version, System: v.System, Target: v.Target,
				Phase: v.Phase, Problem: v.Problem, At: fromMicros(v.ToldAt)})
		}
		return err
	})
	return out, err
}
