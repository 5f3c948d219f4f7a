package app

import (
	"github.com/alecthomas/kong"

	"vigia/internal/buildinfo"
	"vigia/internal/clidoc"
)

type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Help implements kong.HelpProvider.
func (completionCmd) Help() string {
	return examples("completion bash > /etc/bash_completion.d/vigia-collector", "completion fish > ~/.config/fish/completions/vigia-collector.fish") +
		"\n\nPackages bring these files along."
}

// Run implements the command.
func (c *completionCmd) Run(s *streams, k *kong.Kong) error {
	return clidoc.Completion(s.out, k.Model, c.Shell)
}

// manCmd writes the manual page that packages bring along.
type manCmd struct{}

// Help implements kong.HelpProvider.
func (manCmd) Help() string { return examples("man | man -l -") }

// Run implements the command.
func (manCmd) Run(s *streams, k *kong.Kong) error {
	return clidoc.Man(s.out, k.Model, clidoc.Page{Section: "8", Version: buildinfo.Version(), Date: buildinfo.Date(), Files: [][2]string{
		{"/etc/vigia/collector.yaml", "Settings: flat YAML whose keys are names of flags."},
		{"/var/lib/vigia-collector", "The database of records, and with it the keys of the certificates."},
	}})
}
