// Package web owns the console's pages: what a person at a browser sees and sends. It
// refuses to decide what is authorized, to keep anything, and to speak a language
// itself: it asks its ports, and locale for every sentence.
//
// routes.go lists every route; noun_verb.go holds one page or action each.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"time"
	_ "time/tzdata" // zones of sites, also where the system has no zone files

	"github.com/alexedwards/scs/v2"

	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/locale"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/internal/policy"
)

// Machines is what pages ask about machines; fleet.Store has it.
type Machines interface {
	Machine(ctx context.Context, id string) (fleet.Machine, error)
	Machines(ctx context.Context, f fleet.MachineFilter) ([]fleet.Machine, error)
	MachinePage(ctx context.Context, f fleet.MachineFilter, o paging.Order) (paging.Page[fleet.Machine], error)
	CountMachines(ctx context.Context, f fleet.MachineFilter, most int) (int, error)
	MachineDays(ctx context.Context, f fleet.MachineFilter, by string, start time.Time, days int) ([]int, error)
	Commands(ctx context.Context, machine string, limit int) ([]fleet.Command, error)
	MachineTrail(ctx context.Context, machine string, limit int) ([]audit.Entry, error)
}

// Groups is what pages ask about groups of machines.
type Groups interface {
	GroupRows(ctx context.Context) ([]fleet.GroupRow, error)
	GroupNames(ctx context.Context) ([]fleet.Group, error) // the same, without looking at every machine
	GroupRow(ctx context.Context, name string) (fleet.GroupRow, error)
	RuleMembers(ctx context.Context, r fleet.Rule, most int) ([]fleet.Machine, int, error)
}

// Verdicts tells what the allowlist says of programs on a machine, as it stands now.
type Verdicts interface {
	Verdicts(ctx context.Context, machine string, programs []fleet.Install) ([]policy.Verdict, error)
}

// Fleet is what pages have machines do; fleet.Service has it.
type Fleet interface {
	Assign(ctx context.Context, query string, a fleet.Assignment) (fleet.Machine, error)
	Archive(ctx context.Context, query string) (fleet.Machine, error)
	Restore(ctx context.Context, query string) (fleet.Machine, error)
	CreateGroup(ctx context.Context, g fleet.Group) (fleet.Group, error)
	ChangeGroup(ctx context.Context, g fleet.Group) error
	DeleteGroup(ctx context.Context, name string) error
	Ask(ctx context.Context, query, kind string, args map[string]string) (fleet.Command, error)
}

// Inventory is what pages ask about what machines told, and about all programs.
type Inventory interface {
	fleet.InventoryReader
	fleet.HistoryReader
	TitlePage(ctx context.Context, f fleet.TitleFilter, o paging.Order) (paging.Page[fleet.TitleRow], error)
	CountTitles(ctx context.Context, f fleet.TitleFilter, most int) (int, error)
}

// Findings is what pages ask about findings; authorization.FindingReader has it.
type Findings interface {
	Findings(ctx context.Context, f authorization.FindingFilter) ([]authorization.Finding, error)
	Finding(ctx context.Context, row int64) (authorization.Finding, error)
	FindingCounts(ctx context.Context) (map[authorization.FindingState]int, error)
	FindingPage(ctx context.Context, f authorization.FindingFilter, o paging.Order) (paging.Page[authorization.Finding], error)
	CountFindings(ctx context.Context, f authorization.FindingFilter, most int) (int, error)
	FindingDays(ctx context.Context, f authorization.FindingFilter, start time.Time, days int) ([]int, error)
}

// Nonconformities is what pages ask about records; nonconformity.Store has it.
type Nonconformities interface {
	ByNumber(ctx context.Context, number string) (nonconformity.Nonconformity, error)
	List(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error)
	Whole(ctx context.Context, f nonconformity.Filter) ([]nonconformity.Nonconformity, error)
	Page(ctx context.Context, f nonconformity.Filter, o paging.Order) (paging.Page[nonconformity.Nonconformity], error)
	Count(ctx context.Context, f nonconformity.Filter, most int) (int, error)
	Days(ctx context.Context, f nonconformity.Filter, start time.Time, days int) ([]int, error)
}

// Directory is what pages ask about people and places; org.Store has it.
type Directory interface {
	Person(ctx context.Context, email string) (org.Person, error) // NotFound where there is none
	Sites(ctx context.Context) ([]org.Site, error)
	Areas(ctx context.Context) ([]org.Area, error)
}

// Allowlist tells the mode; authorization.Store has it.
type Allowlist interface {
	CurrentAllowlist(ctx context.Context) (authorization.Allowlist, error)
}

// Explainer tells which rules were tried for a finding's program on its machine, as
// they stand now, and what each said.
type Explainer interface {
	ExplainFinding(ctx context.Context, f authorization.Finding) (policy.Explanation, error)
}

// Counts is what the home page counts; -1 is not counted for this reader.
type Counts struct {
	Machines            int // all but archived
	Silent              int // active ones that nothing was heard of since the time asked for
	Quarantined         int
	FailingMachines     int // in service, with a source that failed or is stale
	OpenFindings        int
	OpenNonconformities int
}

// Deps is what the pages stand on. All fields are required but Sample, Proxies and ZoneNow.
type Deps struct {
	Agents          Agents
	Audit           Audit
	Machines        Machines
	Groups          Groups
	Verdicts        Verdicts
	Fleet           Fleet
	Inventory       Inventory
	Titles          Titles
	Findings        Findings
	Severities      Severities
	Requests        Requests
	RuleReviews     RuleReviews
	Brakes          Brakes
	Nonconformities Nonconformities
	RecordSteps     RecordSteps
	Directory       Directory
	People          People
	Imports         Imports
	Settings        Settings
	Mail            Mail
	Inbox           Inbox
	Backups         Backups
	Webhooks        Webhooks
	Calendar        Calendar
	Updates         Updates
	Allowlist       Allowlist
	Explainer       Explainer
	Rules           Rules
	Reviews         Reviews
	Accounts        Accounts
	Wishes          Wishes
	Sessions        scs.Store // forgets nothing before its time, tells nothing after
	Texts           *locale.Catalogue
	Zone            *time.Location // in which times are shown
	Now             func() time.Time
	NewID           func() string // text that tells one failure from another; 8 or more characters
	Log             *slog.Logger

	// Sample says that the database holds sample data: every page tells it.
	Sample bool

	// ZoneNow is the zone as settings tell it, nil where they cannot be read; Zone holds
	// then, and where ZoneNow is missing.
	ZoneNow func(ctx context.Context) *time.Location

	// Proxies are the peers whose X-Forwarded-For is believed.
	Proxies []netip.Prefix

	// Counts counts the whole company for the home page, cheaply: it is asked every few
	// seconds.
	Counts func(ctx context.Context, silentSince time.Time) (Counts, error)
}

// check names the fields that are missing.
func (d *Deps) check() error {
	var missing []error
	v := reflect.ValueOf(d).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() && name != "Sample" && name != "Proxies" && name != "ZoneNow" {
			missing = append(missing, fmt.Errorf("web: Deps.%s is missing", name))
		}
	}
	return errors.Join(missing...)
}

// console is the pages with what they stand on.
type console struct {
	Deps
	pages    pages
	static   assets
	sessions *scs.SessionManager
	home     homeCache
	manual   manual
}

// New returns the console. An error tells that Deps is incomplete or that the bundle of
// CSS and JS was not built into this program.
func New(d Deps) (http.Handler, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	c := &console{Deps: d}
	var err error
	if c.static, err = loadAssets(staticFiles); err != nil {
		return nil, err
	}
	if c.pages, err = loadPages(c.static.icons); err != nil {
		return nil, err
	}
	if c.manual, err = loadManual(manualFiles); err != nil {
		return nil, err
	}
	c.sessions = newSessions(d.Sessions)
	c.sessions.ErrorFunc = c.sessionFailed
	routed, err := c.mux(c.routes())
	if err != nil {
		return nil, err
	}
	return c.guard(routed), nil
}
