package uplink

import (
	"time"

	"vigia/internal/inventory"
)

// What follows lets one program play many agents whose reports were made beforehand:
// a tracker that knows no inventory takes little memory, and making reports is the
// work of each machine, not of the moment in which they arrive together.

// Wake makes the connection look at the spool again, after something was appended to it
// by others than Report.
func (t *Tracker) Wake() { t.wake() }

// Tell makes the connection say that a whole inventory, taken at a moment, found the
// state with this digest (see inventory.CombineDigests), once the spool is empty. The
// zero digest takes back what was not yet acknowledged.
func (t *Tracker) Tell(takenAt time.Time, digest inventory.Digest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unchanged = nil
	if !digest.IsZero() {
		t.sequence++
		t.unchanged = &unchanged{takenAt, digest, t.sequence}
	}
	t.wake()
}
