package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"vigia/collector/internal/actor"
	"vigia/internal/buildinfo"
	"vigia/internal/settings"
)

// Process is what a program has from the system that starts it.
type Process struct {
	Args           []string // without the program's name
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Env            func(string) (string, bool)
}

// defaultConfigFile is read where it exists and --config names no other.
const defaultConfigFile = "/etc/vigia/collector.yaml"

// commands is the command line, as kong reads it.
type commands struct {
	Config string `help:"Settings file: flat YAML whose keys are names of flags." placeholder:"FILE" env:"VIGIA_CONFIG"`

	VersionFlag kong.VersionFlag `name:"version" help:"Tell which build this is."`

	Serve         serveCmd          `cmd:"" help:"Run the collector."`
	Token         tokenCmds         `cmd:"" help:"Tokens that let machines enroll."`
	Machine       machineCmds       `cmd:"" help:"Enrolled machines."`
	Agent         agentCmds         `cmd:"" help:"Agents: versions, connections, certificates, what waits."`
	Certificate   certificateCmds   `cmd:"" help:"The CA and the certificates of machines."`
	Group         groupCmds         `cmd:"" help:"Groups of machines, by hand or by a rule."`
	Software      softwareCmds      `cmd:"" help:"Programs found on machines."`
	Finding       findingCmds       `cmd:"" help:"Programs that nothing authorizes."`
	Nonconformity nonconformityCmds `cmd:"" help:"ISO 9001 records that findings opened."`
	Authorization authorizationCmds `cmd:"" help:"Requests for authorization, and what was decided."`
	Allowlist     allowlistCmds     `cmd:"" help:"Rules that say what is authorized."`
	Account       accountCmds       `cmd:"" help:"Passwords, second factors and sessions of people."`
	Org           orgCmds           `cmd:"" help:"Sites, areas and people."`
	SigninLink    signinLinkCmd     `cmd:"" help:"Print a one-time address of the console."`
	Demo          demoCmd           `cmd:"" help:"Fill a fresh folder with a sample company."`
	Setting       settingCmds       `cmd:"" help:"What administrators may adjust."`
	Update        updateCmds        `cmd:"" help:"Releases of the agent: signed away from here, and let out in stages."`
	Mail          mailCmds          `cmd:"" help:"Mail to people: the queue and what became of it."`
	Calendar      calendarCmds      `cmd:"" help:"Which days are worked: the law's days of rest, and the company's."`
	Webhook       webhookCmds       `cmd:"" help:"Other systems that are told of events."`
	Backup        backupCmds        `cmd:"" help:"Copy the database while the collector runs."`
	Audit         auditCmds         `cmd:"" help:"Who changed what, and the proof of it."`
	Restore       restoreCmd        `cmd:"" help:"Put a copy back, into an empty place."`
	Check         checkCmd          `cmd:"" help:"Verify the audit chain, the database and its counts."`
	Ready         readyCmd          `cmd:"" help:"Ask a running collector whether it is ready."`
	Completion    completionCmd     `cmd:"" help:"Print the completion file of a shell."`
	Man           manCmd            `cmd:"" hidden:"" help:"Print the manual page."`
	Version       versionCmd        `cmd:"" help:"Tell which build this is."`
}

// exitCodes is told in the help of every command.
const exitCodes = `Exit codes: 0 done; 1 failed; 2 wrong flags, settings or input; 3 no such object; 4 refused above a cap
(--max-open, --cut-off); 5 the database does not answer; 6 check found damage.`

// streams is what a command reads and writes.
type streams struct {
	ctx    context.Context
	in     io.Reader
	out    io.Writer
	errOut io.Writer
	env    func(string) (string, bool)
}

// stopped is how kong's wish to exit travels up.
type stopped int

// Main runs the program and returns its exit code.
func Main(p Process) (code int) {
	defer func() {
		if s, ok := recover().(stopped); ok {
			code = int(s)
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, p)
}

func run(ctx context.Context, p Process) int {
	var c commands
	parser, err := newParser(&c, p)
	if err != nil {
		return complain(p.Stderr, err)
	}
	file, err := settingsFile(p)
	if err != nil {
		return complain(p.Stderr, usageError{err})
	}
	if err := file.Check(parser.Model, p.Env, rules()); err != nil {
		return complain(p.Stderr, usageError{err})
	}
	if err := kong.Resolvers(file.Resolver(p.Env)).Apply(parser); err != nil {
		return complain(p.Stderr, err)
	}
	k, err := parser.Parse(p.Args)
	if err != nil {
		return complain(p.Stderr, usageError{err})
	}
	ctx = actor.With(ctx, operator())
	if err := k.Run(&streams{ctx: ctx, in: p.Stdin, out: p.Stdout, errOut: p.Stderr, env: p.Env}); err != nil {
		return complain(p.Stderr, err)
	}
	return 0
}

func newParser(c *commands, p Process) (*kong.Kong, error) {
	return kong.New(c, kong.Name("vigia-collector"),
		kong.Description("The server of Vigía: agents report to it, people look at its console.\n\n"+exitCodes),
		kong.Vars{"version": "vigia-collector " + buildinfo.String()}, kong.Writers(p.Stdout, p.Stderr), kong.Exit(func(n int) { panic(stopped(n)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}), kong.UsageOnError())
}

func settingsFile(p Process) (*settings.File, error) {
	path := settings.Path(p.Args, "VIGIA_CONFIG", defaultConfigFile, p.Env)
	if path == "" {
		return nil, nil
	}
	return settings.Read(path)
}

// operator is who runs a command: whoever may run this program on the server.
func operator() actor.Actor {
	name := "unknown"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return actor.Actor{Kind: actor.CLI, ID: name, Role: actor.Administrator}
}

// dataFlags say where everything is kept. Every command has them.
type dataFlags struct {
	Data        string `help:"Folder of the collector's data; /var/lib/vigia-collector unless given." default:"/var/lib/vigia-collector" env:"VIGIA_DATA" placeholder:"DIR"`
	DatabaseURL string `help:"PostgreSQL instead of the folder: postgres://user@host/database." env:"VIGIA_DATABASE_URL" placeholder:"URL"`
	SMTPURL     string `name:"smtp-url" help:"Where mail is handed over: smtp://host:port; as the settings say unless given." env:"VIGIA_SMTP_URL" placeholder:"URL"`
	IMAPURL     string `name:"imap-url" help:"Where replies and bounces are fetched: imaps://user:password@host[:port][/mailbox]." env:"VIGIA_IMAP_URL" placeholder:"URL"`
}

func (f dataFlags) config() Config {
	return Config{Data: f.Data, DatabaseURL: f.DatabaseURL, SMTPURL: f.SMTPURL, IMAPURL: f.IMAPURL}
}

// withDesk opens the database of a collector that was started before, and does the work.
func (f dataFlags) withDesk(s *streams, do func(ctx context.Context, d *desk) error) error {
	cfg := f.config()
	if err := needDatabase(cfg); err != nil {
		return err
	}
	cfg.Log = slog.New(slog.NewTextHandler(s.errOut, &slog.HandlerOptions{Level: slog.LevelError}))
	d, err := openDesk(s.ctx, cfg, nil)
	if err != nil {
		return err
	}
	return errors.Join(do(s.ctx, d), d.close())
}

// outputFlag says how a list is printed.
type outputFlag struct {
	Output string `help:"table or json." enum:"table,json" default:"table" short:"o" env:"VIGIA_OUTPUT"`
}

// examples joins a command's examples to what its help says.
func examples(lines ...string) string {
	text := "Examples:\n"
	for _, l := range lines {
		text += "\n  vigia-collector " + l + "\n"
	}
	return text + "\n" + exitCodes
}

// logFlags say what is logged, to standard error.
type logFlags struct {
	LogLevel  string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"VIGIA_LOG_LEVEL"`
	LogFormat string `help:"text or json." enum:"text,json" default:"text" env:"VIGIA_LOG_FORMAT"`
}

func (f logFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}

// zone reads --time-zone.
func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}
