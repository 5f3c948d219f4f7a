package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"vigia/agent/internal/uplink"
	"vigia/internal/inventory"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
)

type checkCmd struct {
	Allowlist string `help:"Check against this allowlist file instead of the one the collector sent." type:"path" placeholder:"FILE"`
	Root      string `help:"Check a mounted image or a chroot." default:"/" type:"path" placeholder:"DIR"`
	State     string `help:"Folder that keeps the agent's identity and spool." default:"${state}" type:"path" env:"VIGIA_STATE"`
	Cache     string `help:"Folder where costly answers are kept between runs: ${cache} unless given; none keeps nothing. Another --root keeps nothing unless this is given." env:"VIGIA_CACHE" placeholder:"DIR"`
	All       bool   `help:"Print authorized programs too, in the table (JSON always holds all)."`
	Output    string `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*checkCmd) Help() string {
	return `Exits 3 when something is not authorized.

Examples:
  vigia-agent check
  vigia-agent check --allowlist allowlist.yaml --output json
  vigia-agent check --allowlist allowlist.yaml --root /mnt/image`
}

func (c *checkCmd) Run(s *session) error {
	compiled, err := c.policy()
	if err != nil {
		return err
	}
	snap, err := takeOnce(s, c.Root, c.Cache, false, []inventory.Section{inventory.SectionMachine, inventory.SectionSystem, inventory.SectionSoftware})
	if err != nil {
		return err
	}
	rows := policy.CheckAll(compiled, snap, s.now())
	if err := c.print(s, rows); err != nil {
		return err
	}
	for _, src := range snap.Sources {
		if src.Outcome == inventory.OutcomeFailed {
			fmt.Fprintf(s.errOut, "vigia-agent: source %s could not be read, its programs are not in the list: %s\n", src.Source, src.Error)
		}
	}
	for _, r := range rows {
		if r.Flagged() {
			return &exitError{code: ExitUnauthorized}
		}
	}
	return nil
}

// policy compiles the file given, else what the collector sent last.
func (c *checkCmd) policy() (*policy.Compiled, error) {
	if c.Allowlist == "" {
		_, kept, err := uplink.LoadPolicy(c.State)
		if err != nil {
			return nil, err
		}
		if kept == nil {
			return nil, fmt.Errorf("no allowlist is kept in %s: give one with --allowlist FILE, or enroll and let the agent run", c.State)
		}
		doc, err := policy.DecodeDocument(bytes.NewReader(kept))
		if err != nil {
			return nil, fmt.Errorf("the kept allowlist: %w", err)
		}
		return policy.Compile(doc)
	}
	f, err := os.Open(c.Allowlist)
	if err != nil {
		return nil, fmt.Errorf("--allowlist: %w", err)
	}
	defer f.Close()
	file, errs := policyfile.Parse(f)
	if len(errs) > 0 {
		return nil, &exitError{ExitUsage, fmt.Errorf("%s:\n%w", c.Allowlist, errors.Join(errs...))}
	}
	return policy.Compile(file.Document(policy.Monitor, true))
}

func (c *checkCmd) print(s *session, rows []policy.CheckRow) error {
	if c.Output == "json" {
		return writeJSON(s.out, rows)
	}
	flagged := 0
	var cells [][]string
	for _, r := range rows {
		if r.Flagged() {
			flagged++
		}
		if r.Flagged() || c.All {
			rule := r.Rule
			if rule == "" {
				rule = "(no rule covers it)"
			}
			cells = append(cells, []string{r.Program, r.Version, r.Source, string(r.Verdict), rule})
		}
	}
	if len(cells) > 0 {
		if err := writeTable(s.out, []string{"PROGRAM", "VERSION", "SOURCE", "VERDICT", "RULE"}, cells); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(s.out, "%d programs, %d not authorized\n", len(rows), flagged)
	return err
}
