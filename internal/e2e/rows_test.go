package e2e

import "time"

// What the collector's lists say, by the names that outside programs rely on.

type machineRow struct {
	ID       string    `json:"id"`
	Hostname string    `json:"hostname"`
	State    string    `json:"state"`
	LastSeen time.Time `json:"last_seen"`
	Programs int       `json:"programs"`
	Findings int       `json:"findings"`
}

type findingRow struct {
	ID            any       `json:"id"`
	Machine       string    `json:"machine"`
	Hostname      string    `json:"hostname"`
	Program       string    `json:"program"`
	Version       string    `json:"version"`
	Source        string    `json:"source"`
	Verdict       string    `json:"verdict"`
	State         string    `json:"state"`
	Reason        string    `json:"reason"`
	FirstSeen     time.Time `json:"first_seen"`
	LastSeen      time.Time `json:"last_seen"`
	NonConformity string    `json:"nonconformity"`
}

type nonconformityRow struct {
	Number      string     `json:"number"`
	State       string     `json:"state"`
	Machine     string     `json:"machine"`
	Hostname    string     `json:"hostname"`
	Person      any        `json:"person"`
	OpenedAt    time.Time  `json:"opened_at"`
	ContainedAt *time.Time `json:"contained_at"`
	Programs    []struct {
		Name  string `json:"name"`
		State string `json:"state"`
	} `json:"programs"`
	Parties []struct {
		Part  string `json:"part"`
		Email string `json:"email"`
	} `json:"parties"`
	Evidence []struct {
		Kind    string    `json:"kind"`
		Report  string    `json:"report"`
		At      time.Time `json:"at"`
		Program string    `json:"program"`
		Source  string    `json:"source"`
	} `json:"evidence"`
}

// finding returns the finding of a program, nil where there is none.
func (c *collector) finding(program string) *findingRow {
	c.t.Helper()
	for _, f := range list[findingRow](c, "finding", "list") {
		if f.Program == program {
			return &f
		}
	}
	return nil
}
