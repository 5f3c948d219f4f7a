package app

import (
	"github.com/alecthomas/kong"

	"vigia/internal/buildinfo"
	"vigia/internal/clidoc"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

func (*completionCmd) Help() string {
	return `Packages bring these files along.

Examples:
  vigia-agent completion bash > /etc/bash_completion.d/vigia-agent
  vigia-agent completion fish > ~/.config/fish/completions/vigia-agent.fish`
}

func (c *completionCmd) Run(s *session, k *kong.Kong) error {
	return clidoc.Completion(s.out, k.Model, c.Shell)
}

// manCmd writes the manual page that packages bring along.
type manCmd struct{}

func (*manCmd) Help() string { return "Example:\n  vigia-agent man | man -l -" }

func (*manCmd) Run(s *session, k *kong.Kong) error {
	return clidoc.Man(s.out, k.Model, clidoc.Page{Section: "8", Version: buildinfo.Version(), Date: buildinfo.Date(), Files: [][2]string{
		{"/etc/vigia/agent.yaml", "Settings: flat YAML whose keys are names of flags."},
		{"/etc/vigia/token", "A token to enroll with, where there is one: used once and removed."},
		{"/var/lib/vigia-agent", "Identity, reports that wait, versions that came by themselves."},
	}})
}
