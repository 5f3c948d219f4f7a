// Package access owns the one table that says what each role may do, and how far: over
// everything, over the areas somebody manages, or over what is their own. It refuses to
// read anything: it takes an actor and answers with values that use-cases and the
// store's filters apply.
package access

import "vigia/collector/internal/actor"

// Right is one thing that can be done. A page, a command of the API and an export ask
// for one each.
type Right string

// Rights that need no role.
const (
	Anybody Right = "anybody"  // also without having signed in
	Oneself Right = "one-self" // whoever has signed in, about themselves: home, own account, own sessions
)

// Rights to read.
const (
	SeeCounts          Right = "see-counts"          // the company's figures
	SeeMachines        Right = "see-machines"        // machines, with what is on them
	SeePrograms        Right = "see-programs"        // the company's programs, on how many machines each is
	SeeFindings        Right = "see-findings"        //
	SeeNonconformities Right = "see-nonconformities" // with the people and programs in them
	SeeAllowlist       Right = "see-allowlist"       // rules, modes, what they cover
	SeePeople          Right = "see-people"          // the directory: sites, areas, people
	SeeAgents          Right = "see-agents"          // tokens, agents and their certificates
	SeeSettings        Right = "see-settings"        // settings, mail, backups, the CA
	SeeAudit           Right = "see-audit"           // who changed what
	SeeRequests        Right = "see-requests"        // requests for authorization; Purchasing those with a cost
)

// Rights to change.
const (
	ReviewFindings  Right = "review-findings"
	DecideRequests  Right = "decide-requests"  // the steps of requests, each at their turn
	TakePart        Right = "take-part"        // in a nonconformity: to take one's step, comment, attach; which step is whose, the record says
	ChangeMachines  Right = "change-machines"  // assign, group, retire, revoke, ask for a report, tokens
	ChangeAllowlist Right = "change-allowlist" // rules and modes
	ChangePeople    Right = "change-people"    // the directory, but for roles
	ChangeRoles     Right = "change-roles"     // who has which role, who may sign in
	ChangeSettings  Right = "change-settings"  // settings, mail, backups (also to download one), rotating the CA
)

// Reach is how far a right goes.
type Reach int

// Reaches, each including the one before.
const (
	Nothing    Reach = iota
	Own              // machines and records of the person
	Managed          // and those of the areas whose manager they are
	Everything       // the company's
)

// grant is one line of the table: who has a right over everything. Managers have
// those of managed over their areas, and whoever has a role, being an employee too,
// those of own over what is theirs.
type grant struct {
	right   Right
	changes bool
	all     []actor.Role
	managed bool
	own     bool
}

var (
	readers  = []actor.Role{actor.Administrator, actor.Technician, actor.Auditor}
	it       = []actor.Role{actor.Administrator, actor.Technician}
	chief    = []actor.Role{actor.Administrator}
	overseer = []actor.Role{actor.Administrator, actor.Auditor}
)

// table is what each role may do. Treasury has, beside what is its own, only its tray,
// which is part of the home page.
var table = [...]grant{
	{right: SeeCounts, all: []actor.Role{actor.Administrator, actor.Technician, actor.Auditor, actor.GeneralManagement}},
	{right: SeeMachines, all: readers, managed: true, own: true},
	{right: SeePrograms, all: []actor.Role{actor.Administrator, actor.Technician, actor.Auditor, actor.Purchasing}},
	{right: SeeFindings, all: readers, managed: true, own: true},
	{right: SeeNonconformities, all: []actor.Role{actor.Administrator, actor.Technician, actor.Auditor, actor.HR, actor.GeneralManagement}, managed: true, own: true},
	{right: SeeAllowlist, all: readers},
	{right: SeePeople, all: readers},
	{right: SeeAgents, all: readers},
	{right: SeeSettings, all: overseer},
	{right: SeeAudit, all: overseer},
	{right: SeeRequests, all: readers, managed: true, own: true},
	{right: DecideRequests, changes: true, all: []actor.Role{actor.Administrator, actor.Technician, actor.Purchasing}, managed: true},
	{right: TakePart, changes: true, all: []actor.Role{actor.Administrator, actor.Technician, actor.HR}, managed: true, own: true},
	{right: ReviewFindings, changes: true, all: it},
	{right: ChangeMachines, changes: true, all: it},
	{right: ChangeAllowlist, changes: true, all: it},
	{right: ChangePeople, changes: true, all: it},
	{right: ChangeRoles, changes: true, all: chief},
	{right: ChangeSettings, changes: true, all: chief},
}

// Rights lists every right that a role can have.
func Rights() []Right {
	list := make([]Right, 0, len(table))
	for _, g := range table {
		list = append(list, g.right)
	}
	return list
}

// Known reports whether what is a right at all.
func Known(what Right) bool {
	return what == Anybody || what == Oneself || lineOf(what) != nil
}

// Changes reports whether the right lets change something that others see too.
func Changes(what Right) bool {
	g := lineOf(what)
	return g != nil && g.changes
}

func lineOf(what Right) *grant {
	for i := range table {
		if table[i].right == what {
			return &table[i]
		}
	}
	return nil
}
