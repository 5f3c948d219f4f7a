package fleetsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// storedMachine is a row of `vigia-collector machine list --output json`.
type storedMachine struct {
	ID       string     `json:"id"`
	Hostname string     `json:"hostname"`
	Serial   string     `json:"serial"`
	State    string     `json:"state"`
	Programs int        `json:"programs"`
	LastSeen *time.Time `json:"last_seen"`
}

// maxTold is how many faults Verify tells one by one.
const maxTold = 10

// Verify compares what the collector has stored, in the form of `machine list --output
// json`, with what was acknowledged: every machine once, under the identity that its
// agent was given, active, with as many programs as its last acknowledged report left.
// It returns how many machines are right; the error tells what is missing.
func (f *Fleet) Verify(list io.Reader) (right int, err error) {
	var rows []storedMachine
	if err := json.NewDecoder(list).Decode(&rows); err != nil {
		return 0, fmt.Errorf("reading the list of machines: %w", err)
	}
	stored := make(map[string]storedMachine, len(rows))
	hosts := make(map[string]int, len(rows))
	for _, r := range rows {
		stored[r.ID] = r
		hosts[r.Serial]++
	}
	var faults []error
	wrong := func(m *member, format string, args ...any) {
		if len(faults) < maxTold {
			faults = append(faults, fmt.Errorf("machine %d (%s): "+format, append([]any{m.n, m.ID}, args...)...))
		}
	}
	for _, m := range f.members {
		r, ok := stored[m.ID]
		switch {
		case m.ID == "":
			wrong(m, "was never enrolled")
		case !ok:
			wrong(m, "is not stored")
		case hosts[r.Serial] != 1:
			wrong(m, "serial number %s is stored %d times", r.Serial, hosts[r.Serial])
		case r.State != "active":
			wrong(m, "is %s, want active", r.State)
		case m.agent.Waiting() == 0 && r.Programs != m.Programs:
			wrong(m, "%d programs are stored, want %d", r.Programs, m.Programs)
		case m.Rounds > 0 && r.LastSeen == nil:
			wrong(m, "was acknowledged and never seen")
		default:
			right++
		}
	}
	if right < len(f.members) {
		return right, fmt.Errorf("%d of %d machines are stored as they were acknowledged: %w", right, len(f.members), errors.Join(faults...))
	}
	return right, nil
}
