package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/uplink"
	"vigia/internal/buildinfo"
	"vigia/internal/inventory"
)

type enrollCmd struct {
	Token   string `help:"The token that the collector's administrator gave; - reads it from standard input. It holds the collector's address and who to trust." required:"" env:"VIGIA_TOKEN" placeholder:"TOKEN"`
	State   string `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	Replace bool   `help:"Enroll again although this machine has an identity; that one is given up."`
	Output  string `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*enrollCmd) Help() string {
	return `The key is made on this machine and never leaves it.

Examples:
  vigia-agent enroll --token "$TOKEN"
  vigia-agent enroll --token - < token.txt`
}

// enrolled is the answer in JSON.
type enrolled struct {
	MachineID       string    `json:"machine_id"`
	Collector       string    `json:"collector"`
	HistoryRestored bool      `json:"history_restored"`
	NotAfter        time.Time `json:"not_after"`
	ClockSkewMS     int64     `json:"clock_skew_ms"`
}

func (c *enrollCmd) Run(s *session) error {
	token, err := c.token()
	if err != nil {
		return &exitError{ExitUsage, err}
	}
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	env := &probe.Env{Root: "/", Now: s.now()}
	snap := probe.NewRunner(probes(), probe.Options{}).Run(s.ctx, env, probe.Filter{Sections: []inventory.Section{inventory.SectionMachine}})
	result, err := uplink.Enroll(s.ctx, uplink.EnrollOptions{Token: token, Facts: snap.Machine, OS: runtime.GOOS, StateDir: c.State,
		Version: buildinfo.Get().Version, Replace: c.Replace, Now: s.now})
	if err != nil {
		return err
	}
	if result.Skew.Abs() > uplink.MaxSkew {
		fmt.Fprintf(s.errOut, "vigia-agent: this machine's clock is %s off the collector's; set it\n", result.Skew.Round(time.Second))
	}
	if c.Output == "json" {
		return writeJSON(s.out, enrolled{result.MachineID, result.Address, result.HistoryRestored, result.NotAfter, result.Skew.Milliseconds()})
	}
	fmt.Fprintf(s.out, "enrolled as %s with the collector at %s\n", result.MachineID, result.Address)
	if result.HistoryRestored {
		fmt.Fprintln(s.out, "the collector knew this machine: its history goes on")
	}
	_, err = fmt.Fprintf(s.out, "certificate until %s; renewed by itself before\n", result.NotAfter.Format(time.DateOnly))
	return err
}

// token returns the token, read from standard input for "-".
func (c *enrollCmd) token() (string, error) {
	if c.Token != "-" {
		return strings.TrimSpace(c.Token), nil
	}
	text, err := io.ReadAll(io.LimitReader(os.Stdin, 64<<10))
	if err != nil {
		return "", fmt.Errorf("--token -: reading standard input: %w", err)
	}
	line := strings.TrimSpace(string(text))
	if line == "" {
		return "", errors.New("--token -: standard input is empty; give the token as one line")
	}
	return line, nil
}
