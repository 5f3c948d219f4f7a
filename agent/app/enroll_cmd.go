package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"vigia/agent/internal/service"
	"vigia/agent/internal/uplink"
	"vigia/internal/pki"
)

type enrollCmd struct {
	Token   string `help:"The token that the collector's administrator gave; - reads it from standard input. It holds the collector's address and who to trust." required:"" env:"VIGIA_TOKEN" placeholder:"TOKEN"`
	State   string `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	Replace bool   `help:"Enroll again although this machine has an identity; that one is given up."`
	Later   bool   `help:"Only keep the token: the running agent enrolls with it as soon as it reaches the collector, and removes it."`
	Output  string `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*enrollCmd) Help() string {
	return `The key is made on this machine and never leaves it.

Examples:
  vigia-agent enroll --token "$TOKEN"
  vigia-agent enroll --token - < token.txt
  vigia-agent enroll --later --token "$TOKEN"`
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
	if err := service.ProtectFolder(c.State); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	if c.Later {
		return c.leave(s, token)
	}
	result, err := enroll(s.ctx, c.State, token, c.Replace, s.now)
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

// leave keeps the token where this machine can use one.
func (c *enrollCmd) leave(s *session, token string) error {
	if _, err := pki.ParseToken(token); err != nil {
		return &exitError{ExitUsage, fmt.Errorf("--token: %w", err)}
	}
	if id, err := uplink.LoadIdentity(c.State); err == nil && !id.Current.ExpiredAt(s.now()) {
		fmt.Fprintf(s.out, "the token is not kept: this machine is enrolled as %s\n", id.MachineID)
		return nil
	}
	if err := leaveToken(c.State, token); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	fmt.Fprintln(s.out, "the token is kept until the running agent has enrolled with it") // an installer gives no standard output
	return nil
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
