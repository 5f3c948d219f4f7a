package store

import (
	"context"
	"time"

	"vigia/collector/internal/account"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/store/internal/db"
)

var (
	_ account.Sessions = (*Store)(nil)
	_ account.Guard    = (*Store)(nil)
)

func toSession(v db.AccountSession) account.Session {
	return account.Session{
		ID: v.ID, Person: v.Person, Method: account.Method(v.Method), Coded: v.Coded, Device: v.Device, Address: v.Address,
		CreatedAt: fromMicros(v.CreatedAt), SeenAt: fromMicros(v.SeenAt), ExpiresAt: fromMicros(v.ExpiresAt),
	}
}

// CreateSession implements account.Sessions.
func (s *Store) CreateSession(ctx context.Context, n account.Session) error {
	return s.write(ctx, "starting a session", func(ctx context.Context, q *db.Queries) error {
		return q.InsertAccountSession(ctx, db.InsertAccountSessionParams{
			ID: n.ID, Person: n.Person, Method: string(n.Method), Coded: n.Coded, Device: storable(n.Device), Address: storable(n.Address),
			CreatedAt: micros(n.CreatedAt), SeenAt: micros(n.SeenAt), ExpiresAt: micros(n.ExpiresAt),
		})
	})
}

// Session implements account.Sessions.
func (s *Store) Session(ctx context.Context, id string) (n account.Session, err error) {
	err = s.read(ctx, "reading a session", func(q *db.Queries) error {
		v, err := q.AccountSession(ctx, storable(id))
		n = toSession(v)
		return unknown(err, "account.session-unknown", apperr.Args{"session": id})
	})
	return n, err
}

// TouchSession implements account.Sessions.
func (s *Store) TouchSession(ctx context.Context, id string, seen time.Time) error {
	return s.write(ctx, "noting a session's use", func(ctx context.Context, q *db.Queries) error {
		return q.TouchAccountSession(ctx, db.TouchAccountSessionParams{SeenAt: micros(seen), ID: id})
	})
}

// ListSessions implements account.Sessions.
func (s *Store) ListSessions(ctx context.Context, person string, all bool) (out []account.Session, err error) {
	err = s.read(ctx, "listing sessions", func(q *db.Queries) error {
		list := func() ([]db.AccountSession, error) { return q.ListAccountSessions(ctx, person) }
		if all {
			list = func() ([]db.AccountSession, error) { return q.ListAllAccountSessions(ctx) }
		}
		found, err := list()
		for _, v := range found {
			out = append(out, toSession(v))
		}
		return err
	})
	return out, err
}

// DropSession implements account.Sessions.
func (s *Store) DropSession(ctx context.Context, id string) error {
	return s.write(ctx, "ending a session", func(ctx context.Context, q *db.Queries) error { return q.DropAccountSession(ctx, id) })
}

// DropSessions implements account.Sessions.
func (s *Store) DropSessions(ctx context.Context, person, but string) (ended int, err error) {
	err = s.write(ctx, "ending sessions", func(ctx context.Context, q *db.Queries) error {
		n, err := q.DropAccountSessions(ctx, db.DropAccountSessionsParams{Person: person, ID: but})
		ended = int(n)
		return err
	})
	return ended, err
}

// Take implements account.Guard. It is one statement: of several collectors and requests
// at once none gets more than there is.
func (s *Store) Take(ctx context.Context, key string, now time.Time, every, most time.Duration) (until time.Time, err error) {
	err = s.write(ctx, "counting an attempt", func(ctx context.Context, q *db.Queries) error {
		n, err := q.TakeAccountBucket(ctx, db.TakeAccountBucketParams{
			Key: key, Until: micros(now.Add(every)), Until_2: micros(now), Column4: every.Microseconds(), Until_3: micros(now.Add(most))})
		if err != nil || n == 1 {
			until = time.Time{}
			return err
		}
		at, err := q.AccountBucket(ctx, key)
		until = fromMicros(at)
		return err
	})
	return until, err
}

// GiveBack implements account.Guard.
func (s *Store) GiveBack(ctx context.Context, key string, every time.Duration) error {
	return s.write(ctx, "giving an attempt back", func(ctx context.Context, q *db.Queries) error {
		return q.GiveBackAccountBucket(ctx, db.GiveBackAccountBucketParams{Until: every.Microseconds(), Key: key})
	})
}

// KnowsDevice implements account.Guard.
func (s *Store) KnowsDevice(ctx context.Context, person string, hash [32]byte) (known bool, err error) {
	err = s.read(ctx, "looking for a device", func(q *db.Queries) error {
		n, err := q.KnowsAccountDevice(ctx, db.KnowsAccountDeviceParams{Person: person, Hash: hash[:]})
		known = n > 0
		return err
	})
	return known, err
}

// SaveDevice implements account.Guard.
func (s *Store) SaveDevice(ctx context.Context, person string, hash [32]byte, seen time.Time) error {
	return s.write(ctx, "keeping a device", func(ctx context.Context, q *db.Queries) error {
		return q.SaveAccountDevice(ctx, db.SaveAccountDeviceParams{Person: person, Hash: hash[:], SeenAt: micros(seen)})
	})
}

// DropDevices implements account.Guard.
func (s *Store) DropDevices(ctx context.Context, person string, but [32]byte) error {
	return s.write(ctx, "forgetting devices", func(ctx context.Context, q *db.Queries) error {
		return q.DropAccountDevices(ctx, db.DropAccountDevicesParams{Person: person, Hash: but[:]})
	})
}

// Forget implements account.Guard.
func (s *Store) Forget(ctx context.Context, now, devicesSince time.Time) error {
	return s.write(ctx, "forgetting old sign-ins", func(ctx context.Context, q *db.Queries) error {
		if err := q.PruneAccountBuckets(ctx, micros(now)); err != nil {
			return err
		}
		if err := q.PruneAccountSessions(ctx, micros(now)); err != nil {
			return err
		}
		return q.PruneAccountDevices(ctx, micros(devicesSince))
	})
}
