//go:build !testclock

package app

import "time"

// clockFlags shifts the collector's clock in binaries built with the tag testclock; this
// one has no such flag.
type clockFlags struct{}

func (clockFlags) now() func() time.Time { return nil }
