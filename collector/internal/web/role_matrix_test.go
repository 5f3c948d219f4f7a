package web_test

// everyone has one person of each role, by the letter that the matrix has for it.
var everyone = []struct{ letter, person string }{
	{"A", "sofia@example.com"}, // administrator
	{"T", "ana@example.com"},   // technician
	{"M", "marta@example.com"}, // area manager, of the laptop's area
	{"H", "rosa@example.com"},  // human resources
	{"P", "carla@example.com"}, // purchasing
	{"Y", "tomas@example.com"}, // treasury
	{"G", "diana@example.com"}, // general management
	{"E", "luis@example.com"},  // employee, who answers for the laptop
	{"U", "ivan@example.com"},  // auditor
}

// Who may do what, in groups of roles that recur.
const (
	open      = "open" // without having signed in
	signedIn  = "ATMHPYGEU"
	machines  = "ATMHPYGEU"
	records   = "ATMHPYGEU"
	programs  = "ATPU"
	directory = "ATU"
	it        = "AT"
	admin     = "A"
	overseers = "AU"
)

// matrix is who may come through each route. A route that is not in it fails the test:
// decide who may, and write it here.
var matrix = map[string]string{
	" /":          open,
	"GET /signin": open, "POST /signin": open, "GET /signin/code": open, "POST /signin/code": open, "GET /signin/link": open, "POST /signin/link": open,
	"GET /signin/reset": open, "POST /signin/reset": open, "GET /signin/{secret}": open, "POST /signin/{secret}": open, "POST /signout": open,

	"GET /account": signedIn, "POST /account/notices": signedIn, "POST /account/preferences": signedIn, "GET /account/password": signedIn, "POST /account/password": signedIn,
	"GET /account/totp": signedIn, "POST /account/totp": signedIn, "POST /account/totp/codes": signedIn, "POST /account/totp/remove": signedIn,
	"POST /account/sessions/{id}/end": signedIn, "POST /account/sessions/end-others": signedIn,
	"GET /{$}": signedIn, "GET /home/counts": signedIn, "GET /search": signedIn, "GET /search/quick": signedIn,
	"GET /help": signedIn, "GET /help/{page}": signedIn,

	"GET /accounts": admin, "GET /accounts/find": admin, "GET /accounts/{email}": admin, "POST /accounts/sessions/{id}/end": admin,
	"POST /accounts/{email}/invite": admin, "POST /accounts/{email}/totp-reset": admin, "POST /accounts/{email}/end-sessions": admin,

	"GET /machines": machines, "GET /machines.csv": machines, "GET /machines.xlsx": machines, "POST /machines/report": it,
	"GET /machines/{id}": machines, "GET /machines/{id}/software": machines, "GET /machines/{id}/history": machines,
	"GET /machines/{id}/findings": machines, "GET /machines/{id}/records": machines, "GET /machines/{id}/compare": machines, "GET /machines/{id}/asked": machines,
	"POST /machines/{id}/report": it, "GET /machines/{id}/assign": it, "POST /machines/{id}/assign": it,
	"GET /machines/{id}/retire": it, "POST /machines/{id}/retire": it, "POST /machines/{id}/restore": it,
	"GET /groups": directory, "GET /groups.csv": directory, "GET /groups.xlsx": directory, "GET /groups/of/{name}": directory,
	"GET /groups/new": it, "POST /groups/preview": it, "POST /groups": it, "GET /groups/of/{name}/edit": it, "POST /groups/of/{name}": it,
	"GET /groups/of/{name}/delete": it, "POST /groups/of/{name}/delete": it,
	"GET /software": programs, "GET /software.csv": programs, "GET /software.xlsx": programs,
	"GET /software/titles": programs, "GET /software/titles.csv": programs, "GET /software/titles.xlsx": programs, "GET /software/titles/{n}": programs,
	"GET /software/rules": programs, "POST /software/rules": it, "POST /software/rules/{n}/remove": it, "POST /software/rules/undo": it,
	"GET /findings": machines, "GET /findings.csv": machines, "GET /findings.xlsx": machines, "GET /findings/{n}": machines,
	"POST /findings/{n}/ask": it, "GET /my": signedIn,
	"GET /authorizations": signedIn, "GET /authorizations.csv": signedIn, "GET /authorizations.xlsx": signedIn, "GET /authorizations/new": signedIn, "POST /authorizations": signedIn,
	"GET /authorizations/{number}": signedIn, "POST /authorizations/{number}/decide": "ATMP", "POST /authorizations/{number}/withdraw": signedIn,
	"GET /authorizations/rules": directory, "GET /authorizations/rules.csv": directory, "GET /authorizations/rules.xlsx": directory, "POST /authorizations/rules/keep": it,
	"GET /authorizations/rules/{id}": directory, "POST /authorizations/rules/{id}/shorten": it, "POST /authorizations/rules/{id}/remove": it,
	"GET /authorizations/brake": directory, "POST /authorizations/brake/resume": it, "POST /authorizations/brake/cap": admin,
	"GET /authorizations/exceptions": directory, "GET /authorizations/exceptions.csv": directory, "GET /authorizations/exceptions.xlsx": directory,
	"GET /answer/{secret}": open, "POST /answer/{secret}/need": open, "POST /answer/{secret}/remove": open,
	"GET /questions/{n}": signedIn, "POST /questions/{n}/need": signedIn, "POST /questions/{n}/remove": signedIn,
	"GET /findings/severities": directory, "POST /findings/severities": it, "POST /findings/severities/rulings": it, "POST /findings/severities/{n}/remove": it, "POST /findings/severities/undo": it,
	"GET /findings/review": it, "GET /findings/review/authorize": it, "POST /findings/review/authorize": it, "POST /findings/review/record": it, "POST /findings/review/later": it, "POST /findings/review/undo": it,
	"GET /allowlist": directory, "GET /allowlist.csv": directory, "GET /allowlist.xlsx": directory, "GET /allowlist/export.yaml": directory,
	"GET /allowlist/rules/new": it, "POST /allowlist/rules": it, "GET /allowlist/rules/{id}": directory, "GET /allowlist/rules/{id}/edit": it, "POST /allowlist/rules/{id}": it,
	"GET /allowlist/remove": it, "POST /allowlist/remove": it, "GET /allowlist/history": directory, "GET /allowlist/history/{n}": directory, "POST /allowlist/history/{n}/undo": it,
	"GET /allowlist/mode": directory, "POST /allowlist/mode": it, "GET /allowlist/proposals": directory, "POST /allowlist/proposals": it, "GET /allowlist/import": it, "POST /allowlist/import": it,
	"GET /nonconformities": records, "GET /nonconformities.csv": records, "GET /nonconformities.xlsx": records, "GET /nonconformities/{number}": records, "GET /nonconformities/{number}/record.pdf": records, "GET /nonconformities/analysis": records, "GET /nonconformities/register.xlsx": records,
	"GET /nonconformities/{number}/steps/{step}": records, "POST /nonconformities/{number}/steps/{step}": records, "POST /nonconformities/{number}/comments": "ATMHPYGE",
	"POST /nonconformities/{number}/files": records, "GET /nonconformities/{number}/files/{hash}": records,

	"GET /administration": directory,
	"GET /people":         directory, "GET /people.csv": directory, "GET /people.xlsx": directory, "GET /people/{n}": directory,
	"GET /people/new": it, "POST /people": it, "GET /people/{n}/edit": it, "POST /people/{n}": it, "POST /people/{n}/deactivate": it, "POST /people/{n}/activate": it,
	"GET /areas": directory, "GET /areas.csv": directory, "GET /areas.xlsx": directory, "GET /areas/{n}": directory,
	"GET /areas/new": it, "POST /areas": it, "GET /areas/{n}/edit": it, "POST /areas/{n}": it, "POST /areas/{n}/deactivate": it, "POST /areas/{n}/activate": it,
	"GET /sites": directory, "GET /sites.csv": directory, "GET /sites.xlsx": directory, "GET /sites/{n}": directory,
	"GET /sites/new": it, "POST /sites": it, "GET /sites/{n}/edit": it, "POST /sites/{n}": it, "POST /sites/{n}/deactivate": it, "POST /sites/{n}/activate": it,
	"GET /settings": overseers, "POST /settings": admin,
	"GET /received": overseers, "GET /received.csv": overseers, "GET /received.xlsx": overseers,
	"GET /calendar": overseers, "POST /calendar": admin, "POST /calendar/remove": admin,
	"GET /mail": overseers, "GET /mail.csv": overseers, "GET /mail.xlsx": overseers, "GET /mail/server": overseers, "GET /mail/{n}": overseers,
	"POST /mail/test": admin, "POST /mail/{n}/retry": admin,
	"GET /updates": overseers, "POST /updates/{n}/pause": admin,
	"GET /webhooks": overseers, "GET /webhooks/{n}": overseers, "GET /webhooks/new": admin, "POST /webhooks": admin, "GET /webhooks/{n}/edit": admin, "POST /webhooks/{n}": admin,
	"POST /webhooks/{n}/test": admin, "POST /webhooks/{n}/secret": admin, "GET /webhooks/{n}/delete": admin, "POST /webhooks/{n}/delete": admin,
	"GET /deliveries": overseers, "GET /deliveries.csv": overseers, "GET /deliveries.xlsx": overseers, "GET /deliveries/{n}": overseers, "POST /deliveries/{n}/replay": admin,
	"GET /backups": overseers, "GET /backups/live": overseers, "POST /backups": admin, "GET /backups/{n}/file": admin,
	"GET /import": it, "POST /import": it, "GET /import/template.csv": it, "GET /import/{id}": it, "POST /import/{id}": it,

	"GET /tokens": directory, "GET /tokens.csv": directory, "GET /tokens.xlsx": directory, "GET /tokens/{id}": directory,
	"GET /tokens/new": it, "POST /tokens": it, "GET /tokens/{id}/revoke": it, "POST /tokens/{id}/revoke": it,
	"GET /agents": directory, "GET /agents.csv": directory, "GET /agents.xlsx": directory, "POST /agents/report": it,
	"GET /machines/{id}/agent": directory, "GET /machines/{id}/revoke": it, "POST /machines/{id}/revoke": it, "POST /machines/{id}/release": it,
	"GET /certificates": overseers, "GET /certificates/live": overseers, "GET /certificates/ca.pem": overseers,
	"GET /certificates/rotate/{step}": admin, "POST /certificates/rotate/{step}": admin,
	"GET /certificates/of/{serial}/revoke": it, "POST /certificates/of/{serial}/revoke": it,
	"GET /audit": overseers, "GET /audit.csv": overseers, "GET /audit.xlsx": overseers, "GET /audit/{n}": overseers,
	"GET /audit/proof": overseers, "GET /audit/proof/live": overseers, "GET /audit/verify": overseers, "GET /audit/export": overseers,
}
