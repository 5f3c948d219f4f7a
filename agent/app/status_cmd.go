package app

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"vigia/agent/internal/uplink"
	"vigia/internal/inventory"
)

type statusCmd struct {
	State         string `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	ReportedSince string `help:"Exit 6 unless the collector acknowledged something since this time and nothing waits: RFC 3339, or @ and Unix seconds." placeholder:"TIME"`
	Output        string `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*statusCmd) Help() string {
	return `Exits 0 when the agent runs, 1 when it does not, 5 when this machine is not enrolled.

Examples:
  vigia-agent status
  vigia-agent status --output json
  vigia-agent status --reported-since 2026-11-23T08:00:00Z`
}

// statusAnswer is the answer in JSON.
type statusAnswer struct {
	Enrolled bool `json:"enrolled"`
	Running  bool `json:"running"`
	*statusFile
}

func (c *statusCmd) Run(s *session) error {
	since, err := parseSince(c.ReportedSince)
	if err != nil {
		return &exitError{ExitUsage, err}
	}
	answer := statusAnswer{}
	_, notEnrolled := uplink.LoadIdentity(c.State)
	answer.Enrolled = notEnrolled == nil
	if answer.Running, err = running(c.State); err != nil {
		return err
	}
	if answer.statusFile, err = readStatus(c.State); err != nil {
		return err
	}
	if !answer.Running && answer.statusFile != nil {
		answer.Uplink.Connected = false
	}
	if c.Output == "json" {
		err = writeJSON(s.out, answer)
	} else {
		err = answer.print(s.out, s.now())
	}
	switch {
	case err != nil:
		return err
	case errors.Is(notEnrolled, uplink.ErrNotEnrolled):
		return &exitError{code: ExitNotEnrolled}
	case !since.IsZero() && !answer.reportedSince(since):
		return &exitError{code: ExitNotReported}
	case since.IsZero() && !answer.Running:
		return &exitError{code: ExitFailure}
	}
	return nil
}

func (a statusAnswer) reportedSince(t time.Time) bool {
	return a.statusFile != nil && a.Inventory != nil && !a.Uplink.LastAck.Before(t) && a.Uplink.Spooled == 0
}

// parseSince reads "@1764000000" or RFC 3339; empty is the zero time.
func parseSince(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if unix, ok := strings.CutPrefix(text, "@"); ok {
		if n, err := strconv.ParseInt(unix, 10, 64); err == nil {
			return time.Unix(n, 0), nil
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--reported-since %s: give RFC 3339 (2026-11-23T08:00:00Z) or @ and Unix seconds", text)
	}
	return t, nil
}

func (a statusAnswer) print(w io.Writer, now time.Time) error {
	rows := [][]string{{"enrolled", yesNo(a.Enrolled)}, {"running", yesNo(a.Running)}}
	if a.statusFile != nil {
		rows = append(rows, a.uplinkRows(now)...)
		rows = append(rows, a.inventoryRows(now)...)
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(w, "%-16s%s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return nil
}

func (a statusAnswer) uplinkRows(now time.Time) [][]string {
	u := a.Uplink
	rows := [][]string{{"version", a.Version}, {"machine", u.MachineID}, {"collector", u.Address}}
	if a.Running {
		rows = append(rows, []string{"connected", yesNo(u.Connected) + sinceText(u.Since, now)})
	}
	if u.Problem != "" {
		rows = append(rows, []string{"problem", u.Problem})
	}
	rows = append(rows, []string{"acknowledged", agoText(u.LastAck, now)})
	spool := "empty"
	if u.Spooled > 0 {
		spool = fmt.Sprintf("%d reports, %d KiB, the oldest of %s", u.Spooled, (u.SpoolBytes+1023)>>10, agoText(u.Oldest, now))
	}
	rows = append(rows, []string{"spool", spool})
	if !u.NotAfter.IsZero() {
		rows = append(rows, []string{"certificate", "until " + u.NotAfter.Format(time.DateOnly) + ", renewed from " + u.RenewAt.Format(time.DateOnly)})
	}
	return rows
}

func (a statusAnswer) inventoryRows(now time.Time) [][]string {
	var rows [][]string
	if i := a.Inventory; i != nil {
		rows = append(rows, []string{"inventory", fmt.Sprintf("%d programs, %s (%s)", i.Programs, agoText(i.TakenAt, now), i.Cause)})
		for _, src := range i.Sources {
			if src.Outcome == inventory.OutcomeFailed || src.Outcome == inventory.OutcomeStale {
				rows = append(rows, []string{"source " + src.Source, string(src.Outcome) + ": " + src.Error})
			}
		}
	}
	if a.Unauthorized >= 0 {
		rows = append(rows, []string{"unauthorized", fmt.Sprintf("%d programs; vigia-agent check lists them", a.Unauthorized)})
	}
	for _, r := range a.Rests {
		rows = append(rows, []string{"resting", r.Source + " until " + r.Until.Format(time.RFC3339) + ": " + r.Reason})
	}
	return rows
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func agoText(t, now time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateTime) + " (" + now.Sub(t).Round(time.Second).String() + " ago)"
}

func sinceText(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ", for " + now.Sub(t).Round(time.Second).String()
}
