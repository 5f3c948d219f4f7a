//go:build testclock

package app

import "time"

// clockFlags shifts the collector's clock, for trials of what takes weeks. Certificates
// keep to the real time: the agents' clocks are not shifted.
type clockFlags struct {
	NowOffset time.Duration `help:"How far the collector's clock is ahead, such as 744h. Only in binaries built with the tag testclock."`
}

func (f clockFlags) now() func() time.Time {
	if f.NowOffset == 0 {
		return nil
	}
	return func() time.Time { return time.Now().Add(f.NowOffset) }
}
