package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"vigia/internal/update/updatesign"
)

type updateCmds struct {
	InitKeys updateInitKeysCmd `cmd:"" help:"Make the keys that sign releases of the agent; keep them away from the collector."`
	Sign     updateSignCmd     `cmd:"" help:"Sign a release of the agent, or renew the date of what is signed; needs the keys, no collector."`
	Publish  updatePublishCmd  `cmd:"" help:"Hand the folder of signed releases to the collector."`
	Stage    updateStageCmd    `cmd:"" help:"Let a share of the machines have a version."`
	Pause    updatePauseCmd    `cmd:"" help:"Stop a stage; machines that have its version keep it."`
	Resume   updateResumeCmd   `cmd:"" help:"Let a stage go on."`
	List     updateListCmd     `cmd:"" help:"Tell stages, versions in use, and machines whose update failed."`
}

// keyFlags name the keys.
type keyFlags struct {
	Keys           string `help:"Folder of the keys: a USB stick, not the collector." required:"" type:"path" placeholder:"DIR"`
	PassphraseFile string `help:"File with the keys' passphrase; - reads it from standard input." default:"-" placeholder:"FILE"`
}

func (f keyFlags) passphrase(s *streams) (string, error) {
	var from io.Reader = s.in
	if f.PassphraseFile != "-" {
		file, err := os.Open(f.PassphraseFile)
		if err != nil {
			return "", fmt.Errorf("--passphrase-file: %w", err)
		}
		defer file.Close()
		from = file
	}
	text, err := io.ReadAll(io.LimitReader(from, 4<<10))
	if err != nil {
		return "", fmt.Errorf("--passphrase-file: %w", err)
	}
	phrase := strings.TrimRight(string(text), "\r\n")
	if len(phrase) < 8 {
		return "", usageError{errors.New("--passphrase-file: a passphrase of at least 8 characters is needed")}
	}
	return phrase, nil
}

type updateInitKeysCmd struct {
	keyFlags `embed:""`
}

// Help implements kong.HelpProvider.
func (updateInitKeysCmd) Help() string {
	return examples("update init-keys --keys /media/usb/vigia-keys --passphrase-file passphrase.txt") +
		"\n\nWhoever has these keys decides what runs on every machine. Keep two copies, none of them on the collector. An agent believes the first root of trust that its collector shows; to give it beforehand, put 1.root.json on machines as /etc/vigia/update-root.json."
}

// Run implements the command.
func (c *updateInitKeysCmd) Run(s *streams) error {
	phrase, err := c.passphrase(s)
	if err != nil {
		return err
	}
	if err := updatesign.InitKeys(c.Keys, phrase, time.Now()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "keys made in %s: keep them, and the passphrase, in two safe places\n", c.Keys)
	return err
}

type updateSignCmd struct {
	keyFlags `embed:""`
	Releases string        `help:"Folder of the signed releases; made when absent." required:"" type:"path" placeholder:"DIR"`
	Valid    time.Duration `help:"For how long: agents take no update from a list that is older." default:"2160h"`
	Programs []string      `arg:"" optional:"" help:"Programs of make packages: vigia-agent_VERSION_OS-ARCH. None: only the date is renewed." type:"path"`
}

// Help implements kong.HelpProvider.
func (updateSignCmd) Help() string {
	return examples("update sign --keys /media/usb/vigia-keys --releases releases dist/vigia-agent_1.4.0_*-*", "update sign --keys /media/usb/vigia-keys --releases releases") +
		"\n\nRun the second form every two months or so: a list that nobody renews ends, so that no collector can show agents an old one for ever."
}

var programName = regexp.MustCompile(`^vigia-agent_([0-9]+\.[0-9]+\.[0-9]+)_(linux|windows)-(amd64|arm64)(\.exe)?$`)

// Run implements the command.
func (c *updateSignCmd) Run(s *streams) error {
	r := updatesign.Release{Valid: c.Valid}
	for _, path := range c.Programs {
		m := programName.FindStringSubmatch(filepath.Base(path))
		if m == nil || r.Version != "" && m[1] != r.Version {
			return usageError{fmt.Errorf("%s: want programs of one version, named vigia-agent_VERSION_OS-ARCH as make packages does", path)}
		}
		r.Version = m[1]
		r.Programs = append(r.Programs, updatesign.Program{OS: m[2], Arch: m[3], Path: path})
	}
	phrase, err := c.passphrase(s)
	if err != nil {
		return err
	}
	now := time.Now()
	if err := updatesign.Sign(c.Releases, c.Keys, phrase, r, now); err != nil {
		return err
	}
	what := "nothing new"
	if r.Version != "" {
		what = fmt.Sprintf("version %s for %s", r.Version, count(len(r.Programs), "system"))
	}
	_, err = fmt.Fprintf(s.out, "signed %s; good until %s. Publish it: vigia-collector update publish %s\n", what, now.Add(c.Valid).Format(time.DateOnly), c.Releases)
	return err
}

type updatePublishCmd struct {
	dataFlags `embed:""`
	Releases  string `arg:"" help:"Folder of the signed releases." type:"path"`
}

// Help implements kong.HelpProvider.
func (updatePublishCmd) Help() string {
	return examples("update publish releases") + "\n\nNothing changes on machines before a stage says so: update stage."
}

// Run implements the command.
func (c *updatePublishCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		versions, err := d.publish(ctx, c.Releases)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "published: %s. Stage one: vigia-collector update stage VERSION --share 5\n", strings.Join(versions, ", "))
		return err
	})
}
