// Package app owns the agent as a program: its commands, its settings, its exit codes,
// and the wiring of probes, watcher, spool and uplink. It refuses to look at the
// machine or speak to the collector itself.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"vigia/agent/internal/service"
	"vigia/internal/buildinfo"
	"vigia/internal/settings"
)

// Exit codes.
const (
	ExitOK           = 0
	ExitFailure      = 1 // the command could not do what it was asked
	ExitUsage        = 2 // wrong flags, settings file or environment
	ExitUnauthorized = 3 // check: a program is not authorized
	ExitProblems     = 4 // doctor: something needs attention
	ExitNotEnrolled  = 5 // the machine has no identity yet
	ExitNotReported  = 6 // run --once, status --reported-since: no report was acknowledged
)

const exitCodesHelp = `Exit codes: 0 done · 1 failed · 2 wrong flags or settings · 3 check found something unauthorized ·
4 doctor found a problem · 5 not enrolled · 6 no report was acknowledged`

// cli declares every command. Flags on top are shared by all of them.
type cli struct {
	Config    string `help:"Settings file (flat YAML; keys are names of flags)." type:"path" placeholder:"FILE" env:"VIGIA_CONFIG"`
	LogLevel  string `help:"What is logged: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"VIGIA_LOG_LEVEL"`
	LogFormat string `help:"Form of log lines: text or json." enum:"text,json" default:"text" env:"VIGIA_LOG_FORMAT"`

	ShowVersion kong.VersionFlag `name:"version" help:"Print version, commit and date."`

	Inventory  inventoryCmd  `cmd:"" help:"Take an inventory of this machine, or of a mounted image, and print it."`
	Check      checkCmd      `cmd:"" help:"Print each program, its verdict and the deciding rule; works offline."`
	Enroll     enrollCmd     `cmd:"" help:"Give this machine an identity with a token from the collector."`
	Forget     forgetCmd     `cmd:"" help:"Remove identity, spool and all else that the agent keeps on this machine."`
	Run        runCmd        `cmd:"" help:"Watch this machine and report to the collector."`
	Status     statusCmd     `cmd:"" help:"Tell how the running agent is doing."`
	Doctor     doctorCmd     `cmd:"" help:"Look for problems and tell the remedy of each."`
	Service    serviceCmd    `cmd:"" help:"Install, remove, start, stop or ask the system service."`
	Completion completionCmd `cmd:"" help:"Print the completion file of a shell."`
	Man        manCmd        `cmd:"" hidden:"" help:"Print the manual page."`
	Version    versionCmd    `cmd:"" help:"Print version, commit and date."`
}

// session is what a command gets beside its own flags.
type session struct {
	ctx    context.Context
	out    io.Writer
	errOut io.Writer
	log    *slog.Logger
	sink   *service.Sink // behind log
	now    func() time.Time
}

// exitError carries an exit code other than ExitFailure.
type exitError struct {
	code int
	err  error // nil: everything was said already
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// Main runs one command and returns the program's exit code. SIGINT and SIGTERM end it
// cleanly.
func Main(args []string, stdout, stderr io.Writer) int {
	runtime.GOMAXPROCS(1) // at most one core, and no idle threads
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return Execute(ctx, args, stdout, stderr)
}

// Execute is Main without signals, for tests.
func Execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	kctx, code, err := parse(&c, args, stdout, stderr)
	if kctx == nil {
		if err != nil {
			fmt.Fprintf(stderr, "vigia-agent: %v\n", err)
		}
		return code
	}
	sink := service.NewSink(stderr)
	s := &session{ctx: ctx, out: stdout, errOut: stderr, now: time.Now, sink: sink, log: newLogger(sink, c.LogLevel, c.LogFormat)}
	err = kctx.Run(s)
	var exit *exitError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &exit):
		if exit.err != nil {
			fmt.Fprintf(stderr, "vigia-agent: %v\n", exit.err)
		}
		return exit.code
	}
	fmt.Fprintf(stderr, "vigia-agent: %v\n", err)
	return ExitFailure
}

// parse reads settings file, environment and flags into c. A nil Context means that
// the program is to end with code.
func parse(c *cli, args []string, stdout, stderr io.Writer) (kctx *kong.Context, code int, err error) {
	var file *settings.File
	if path := settings.Path(args, "VIGIA_CONFIG", defaultConfig(), os.LookupEnv); path != "" {
		if file, err = settings.Read(path); err != nil {
			return nil, ExitUsage, err
		}
	}
	ended := -1
	k, err := kong.New(c,
		kong.Name("vigia-agent"),
		kong.Description("Inventories this computer, notices new programs within seconds and reports to the company's Vigía collector.\n\n"+exitCodesHelp),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { ended = code; panic(endParse{}) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Vars{"state": defaultState(), "cache": defaultCache(), "version": "vigia-agent " + buildinfo.Get().String()},
		kong.Resolvers(file.Resolver(os.LookupEnv)),
	)
	if err != nil {
		return nil, ExitUsage, err
	}
	defer func() { // --help ends parsing by kong.Exit
		if r := recover(); r != nil {
			if _, ok := r.(endParse); !ok {
				panic(r)
			}
			kctx, code, err = nil, ended, nil
		}
	}()
	if err := file.Check(k.Model, os.LookupEnv, settings.Rules{"interval": checkInterval}); err != nil {
		return nil, ExitUsage, err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err = k.Parse(args)
	if err != nil {
		return nil, ExitUsage, fmt.Errorf("%w (vigia-agent --help shows what is possible)", err)
	}
	return kctx, ExitOK, nil
}

type endParse struct{}

func newLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		l = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: l}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

type versionCmd struct {
	Output string `help:"Form of the answer: table or json." enum:"table,json" default:"table"`
}

func (*versionCmd) Help() string {
	return "Examples:\n  vigia-agent version\n  vigia-agent version --output json"
}

func (c *versionCmd) Run(s *session) error {
	info := buildinfo.Get()
	if c.Output == "json" {
		return writeJSON(s.out, info)
	}
	_, err := fmt.Fprintf(s.out, "vigia-agent %s\ncommit %s\ndate %s\n%s %s/%s\n", info.Version, info.Commit, info.Date, info.Go, info.OS, info.Arch)
	return err
}
