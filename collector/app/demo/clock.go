package demo

import (
	"encoding/hex"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// year is how long the history is.
const year = 365 * 24 * time.Hour

// clock is the time of the sample: it stands still until it is moved, and never goes back.
type clock struct{ nanos atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.nanos.Store(at.UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.nanos.Load()).UTC() }

// move sets the clock to at, unless it is later already.
func (c *clock) move(at time.Time) {
	if n := at.UnixNano(); n > c.nanos.Load() {
		c.nanos.Store(n)
	}
}

// chance is a stream of random numbers of its own for each purpose, so that more of one
// thing does not change another.
type chance struct{ *rand.Rand }

func newChance(seed, purpose, n uint64) chance {
	return chance{rand.New(rand.NewPCG(seed^purpose<<56, n*0x9e3779b97f4a7c15+purpose))}
}

// Purposes of a chance.
const (
	forPeople = iota + 1
	forMachine
	forIDs
	forReports
	forYear
)

// percent is true in n of 100 cases.
func (c chance) percent(n int) bool { return c.IntN(100) < n }

// between returns a duration from a to b.
func (c chance) between(a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(c.Int64N(int64(b-a)))
}

// Read fills b; it is io.Reader for ids, never for secrets.
func (c chance) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c.Uint32())
	}
	return len(b), nil
}

// uuid returns a version 4 UUID as text.
func (c chance) uuid() string {
	var b [16]byte
	_, _ = c.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// text returns n characters of an alphabet.
func (c chance) text(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[c.IntN(len(alphabet))]
	}
	return string(b)
}

const (
	capitals = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
	hexDigit = "0123456789abcdef"
)

// one returns an element of list.
func one[T any](c chance, list []T) T { return list[c.IntN(len(list))] }

// mexico is UTC-6, the whole year round since 2022.
const mexico = -6 * time.Hour

// atWork moves at to working hours: Monday to Friday, 8:00 to 18:00 in Mexico.
func atWork(c chance, at time.Time) time.Time {
	local := at.Add(mexico)
	local = time.Date(local.Year(), local.Month(), local.Day(), 8, 0, 0, 0, time.UTC).Add(c.between(0, 10*time.Hour))
	for local.Weekday() == time.Saturday || local.Weekday() == time.Sunday {
		local = local.Add(24 * time.Hour)
	}
	return local.Add(-mexico).Truncate(time.Second)
}
