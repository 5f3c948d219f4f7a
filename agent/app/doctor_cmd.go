package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigia/agent/internal/service"
	"vigia/agent/internal/spool"
	"vigia/agent/internal/uplink"
	"vigia/internal/inventory"
)

type doctorCmd struct {
	State   string        `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	Timeout time.Duration `help:"How long to try each address of the collector." default:"10s"`
	Output  string        `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*doctorCmd) Help() string {
	return `Looks at the certificate, the clock, the way to the collector, the spool and the sources, and
tells the remedy of each problem. Exits 4 when there is one.

Examples:
  vigia-agent doctor
  vigia-agent doctor --output json`
}

// Outcomes of a diagnosis.
const (
	diagnosisOK      = "ok"
	diagnosisProblem = "problem"
	diagnosisUnknown = "unknown" // could not be looked at, because of another problem
)

// diagnosis is what was found of one thing.
type diagnosis struct {
	Check   string `json:"check"`
	Outcome string `json:"outcome"`
	Detail  string `json:"detail"`
	Remedy  string `json:"remedy"`
}

func good(check, format string, args ...any) diagnosis {
	return diagnosis{check, diagnosisOK, fmt.Sprintf(format, args...), ""}
}

func bad(check, detail, remedy string) diagnosis {
	return diagnosis{check, diagnosisProblem, detail, remedy}
}

// badErr takes detail and remedy apart where the error has both.
func badErr(check string, err error) diagnosis {
	var p *uplink.Problem
	if errors.As(err, &p) {
		return bad(check, (&uplink.Problem{Kind: p.Kind, What: p.What, Err: p.Err}).Error(), p.Remedy)
	}
	return bad(check, err.Error(), "")
}

func (c *doctorCmd) Run(s *session) error {
	var list []diagnosis
	id, err := uplink.LoadIdentity(c.State)
	status, statusErr := readStatus(c.State)
	if err != nil {
		list = append(list, badErr("identity", err),
			diagnosis{"certificate", diagnosisUnknown, "no identity", ""}, diagnosis{"collector", diagnosisUnknown, "no identity", ""})
	} else {
		list = append(list, good("identity", "%s", id.MachineID), certificateCheck(id, s.now()))
		list = append(list, c.reach(s, id)...)
	}
	list = append(list, clockCheck(status), c.runningCheck(statusErr), spoolCheck(status, s.now()))
	list = append(list, c.sourceChecks(s, status)...)
	if err := c.print(s, list); err != nil {
		return err
	}
	for _, d := range list {
		if d.Outcome == diagnosisProblem {
			return &exitError{code: ExitProblems}
		}
	}
	return nil
}

func certificateCheck(id *uplink.Identity, now time.Time) diagnosis {
	const check = "certificate"
	until := id.Current.Cert.NotAfter.Format(time.DateOnly)
	switch {
	case id.Current.ExpiredAt(now):
		return bad(check, "it ended on "+until, "enroll again with a new token: vigia-agent enroll --replace --token TOKEN")
	case now.Before(id.Current.Cert.NotBefore):
		return bad(check, "this machine's clock is before its beginning, "+id.Current.Cert.NotBefore.Format(time.RFC3339), "set the clock")
	case now.After(id.Current.RenewAt().Add(24 * time.Hour)):
		return bad(check, "it ends on "+until+" and should have been renewed since "+id.Current.RenewAt().Format(time.DateOnly),
			"let the agent reach the collector before that day; it renews by itself")
	}
	return good(check, "until %s, renewed from %s", until, id.Current.RenewAt().Format(time.DateOnly))
}

// reach tries every address; one that works is enough.
func (c *doctorCmd) reach(s *session, id *uplink.Identity) []diagnosis {
	var list []diagnosis
	reached := false
	for _, address := range id.Addresses {
		ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
		err := uplink.Reach(ctx, id, address, s.now)
		cancel()
		if err == nil {
			reached = true
			list = append(list, good("collector", "%s answers", address))
		} else {
			list = append(list, badErr("collector", err))
		}
	}
	for i := range list {
		if reached && list[i].Outcome == diagnosisProblem {
			list[i].Outcome = diagnosisOK
			list[i].Detail += " (another address works)"
		}
	}
	return list
}

func clockCheck(status *statusFile) diagnosis {
	const check = "clock"
	switch {
	case status == nil || status.Uplink.LastAck.IsZero():
		return diagnosis{check, diagnosisUnknown, "not compared yet: the agent was never connected", ""}
	case status.Uplink.Skew.Abs() > uplink.MaxSkew:
		return bad(check, fmt.Sprintf("%s off the collector's", status.Uplink.Skew.Round(time.Second)), "turn on time synchronization")
	}
	return good(check, "%s off the collector's", status.Uplink.Skew.Round(time.Millisecond))
}

func (c *doctorCmd) runningCheck(statusErr error) diagnosis {
	const check = "agent"
	on, err := running(c.State)
	switch {
	case err != nil:
		return bad(check, err.Error(), "run doctor as an administrator")
	case statusErr != nil:
		return badErr(check, statusErr)
	case !on:
		remedy := "vigia-agent service start"
		if m, err := service.NewManager("", nil); err != nil {
			remedy = "vigia-agent run" // no service manager here
		} else if state, err := m.Status(); err == nil && state == service.NotInstalled {
			remedy = "vigia-agent service install && vigia-agent service start"
		}
		return bad(check, "it does not run", remedy)
	}
	return good(check, "it runs")
}

// Spool bounds beyond which somebody should look.
const (
	spoolOld  = 7 * 24 * time.Hour
	spoolFull = 0.8 // of its bytes
)

func spoolCheck(status *statusFile, now time.Time) diagnosis {
	const check = "spool"
	if status == nil {
		return diagnosis{check, diagnosisUnknown, "the agent never ran", ""}
	}
	u := status.Uplink
	switch {
	case u.Spooled == 0:
		return good(check, "empty")
	case float64(u.SpoolBytes) > spoolFull*spool.DefaultMaxBytes:
		return bad(check, fmt.Sprintf("%d reports fill it to %d %%; the oldest will be forgotten", u.Spooled, u.SpoolBytes*100/spool.DefaultMaxBytes),
			"connect this machine to the collector")
	case now.Sub(u.Oldest) > spoolOld:
		return bad(check, fmt.Sprintf("%d reports wait since %s", u.Spooled, u.Oldest.Format(time.DateOnly)), "connect this machine to the collector within 90 days of that")
	}
	return good(check, "%d reports wait", u.Spooled)
}

// sourceChecks tells of each failing source. Where the agent never ran, the sources
// are asked now.
func (c *doctorCmd) sourceChecks(s *session, status *statusFile) []diagnosis {
	var sources []inventory.Source
	if status != nil && status.Inventory != nil {
		sources = status.Inventory.Sources
	} else if snap, err := takeOnce(s, "/", noCache, false, nil); err == nil {
		sources = snap.Sources
	}
	var list []diagnosis
	working := 0
	for _, src := range sources {
		switch src.Outcome {
		case inventory.OutcomeOK:
			working++
		case inventory.OutcomeFailed, inventory.OutcomeStale:
			list = append(list, bad("source "+src.Source, string(src.Outcome)+": "+src.Error, sourceRemedy(src.Source)))
		}
	}
	if len(list) == 0 {
		return []diagnosis{good("sources", "%d answer", working)}
	}
	return list
}

// sourceRemedy says where to look for a source that fails.
func sourceRemedy(source string) string {
	switch source {
	case "deb":
		return "look whether dpkg works: dpkg --audit"
	case "snap":
		return "look whether snapd works: snap list"
	case "flatpak":
		return "look whether flatpak works: flatpak list"
	case "file":
		return "look whether /opt, /usr/local and people's homes can be read, and whether a network home hangs"
	case "registry", "msi", "appx":
		return "look whether an administrator may read the registry (reg query HKLM\\SOFTWARE), and run doctor as one"
	case "profiles":
		return "let the user named sign in once; Windows then writes the profile anew"
	case "windows-security":
		return "look whether Windows Security opens and the service Windows Management Instrumentation runs"
	case "chromium", "firefox", "vscode", "pip", "npm":
		return "look whether the file named can be read; the program it belongs to writes it anew"
	case "ClamAV":
		return "look whether ClamAV works: clamconf"
	}
	return "run vigia-agent inventory --section sources as an administrator; if it stays so, tell the error to whoever maintains Vigía"
}

func (c *doctorCmd) print(s *session, list []diagnosis) error {
	if c.Output == "json" {
		return writeJSON(s.out, list)
	}
	for _, d := range list {
		mark := map[string]string{diagnosisOK: "ok", diagnosisProblem: "PROBLEM", diagnosisUnknown: "?"}[d.Outcome]
		if _, err := fmt.Fprintf(s.out, "%-9s%-16s%s\n", mark, d.Check, d.Detail); err != nil {
			return err
		}
		if d.Remedy != "" {
			if _, err := fmt.Fprintf(s.out, "%-9s%-16s→ %s\n", "", "", d.Remedy); err != nil {
				return err
			}
		}
	}
	return nil
}
