// Package archtest owns the walls of the house as a test: which room may import
// which, and what no room may do. It refuses exceptions that are not written here.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
}

// load lists packages by `go list` for one system.
func load(t *testing.T, goos string, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-e", "-tags", "grpcnotrace", "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports"}, args...)...)
	cmd.Dir = root(t)
	cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list %v named %d packages: the walls would hold for nothing", args, len(all))
	}
	return all
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// floor numbers the rooms of the collector from the ground up; an import must go to a
// lower floor, or stay inside its own room.
func floor(path string) (int, string) {
	rest, ok := strings.CutPrefix(path, "vigia/collector/internal/")
	if !ok {
		switch {
		case path == "vigia/collector":
			return 8, path
		case strings.HasPrefix(path, "vigia/collector/app"):
			return 7, "vigia/collector/app"
		}
		return -1, ""
	}
	room, _, _ := strings.Cut(rest, "/")
	for n, rooms := range [][]string{
		{"apperr", "actor", "audit"},
		{"access", "paging"}, // what every domain speaks of: who may see what, pages of lists
		{"calendar"},         // working days, which domains count by
		{"fleet", "org", "authorization", "nonconformity", "title", "account", "setting", "license", "maintenance", "helpdesk", "procurement", "stock", "rollout"},
		{"allowlist", "view", "ledger", "locale"}, // sentences: what reports, mail and pages all speak
		{"ingest", "review", "report", "sheet", "jobs", "notify", "backup", "scan", "authorize"},
		{"rpcapi", "web", "restapi", "store"},
	} {
		if slices.Contains(rooms, room) {
			return n, room
		}
	}
	return -2, room
}

func TestCollectorArrowsPointDown(t *testing.T) {
	for _, p := range load(t, "linux", "./collector/...") {
		from, room := floor(p.ImportPath)
		if from == -2 {
			t.Errorf("%s: room %q has no floor; give it one here and in the README", p.ImportPath, room)
		}
		for _, imp := range p.Imports {
			to, other := floor(imp)
			if to < 0 || other == room {
				continue
			}
			if to >= from {
				t.Errorf("%s imports %s: arrows point down, and rooms of one floor do not know one another", p.ImportPath, imp)
			}
		}
	}
}

// domains is the floor of the domains.
const domains = 3

// domainMayImport lists what a domain may import besides the standard library and the
// floors below.
var domainMayImport = []string{"vigia/internal/inventory", "vigia/internal/policy", "vigia/internal/pki", "vigia/internal/version",
	"golang.org/x/crypto/argon2", "golang.org/x/text/unicode/norm", "github.com/pquerna/otp", "github.com/pquerna/otp/hotp"} // reckoning only: no I/O

func TestDomainsArePure(t *testing.T) {
	for _, p := range load(t, "linux", "./collector/...") {
		if n, _ := floor(p.ImportPath); n > domains || n < 0 {
			continue
		}
		for _, imp := range p.Imports {
			n, other := floor(imp)
			_, room := floor(p.ImportPath)
			std := !strings.Contains(strings.Split(imp, "/")[0], ".") && !strings.HasPrefix(imp, "vigia/")
			switch {
			case imp == "database/sql" || strings.HasPrefix(imp, "net/http") || imp == "html/template" || imp == "os/exec":
				t.Errorf("%s imports %s: a domain holds values and rules only", p.ImportPath, imp)
			case std, n >= 0 && n < domains, n == domains && other == room, slices.Contains(domainMayImport, imp):
			default:
				t.Errorf("%s imports %s: a domain imports the floors below and %v only", p.ImportPath, imp, domainMayImport)
			}
		}
	}
}

func TestSharedPackagesKnowNoProgram(t *testing.T) {
	for _, p := range load(t, "linux", "./internal/...") {
		if strings.HasSuffix(p.ImportPath, "/e2e") || strings.Contains(p.ImportPath, "/fleetsim") {
			continue // they exist to run both programs against each other
		}
		for _, imp := range p.Imports {
			if strings.HasPrefix(imp, "vigia/agent") || strings.HasPrefix(imp, "vigia/collector") {
				t.Errorf("%s imports %s: internal/ imports neither program", p.ImportPath, imp)
			}
		}
		if p.ImportPath == "vigia/internal/inventory" {
			for _, imp := range p.Imports {
				if strings.Contains(imp, ".") || strings.HasPrefix(imp, "vigia/") {
					t.Errorf("inventory imports %s: the standard library only", imp)
				}
			}
		}
	}
}

func TestAgentLinksNoCgoNoSQLNoWeb(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		for _, p := range load(t, goos, "-deps", "./agent") {
			switch {
			case p.ImportPath == "database/sql", p.ImportPath == "html/template", p.ImportPath == "text/template",
				strings.HasPrefix(p.ImportPath, "github.com/mattn/"), strings.HasPrefix(p.ImportPath, "vigia/collector"):
				t.Errorf("%s: the agent links %s", goos, p.ImportPath)
			case len(p.CgoFiles) > 0 && p.ImportPath != "runtime/cgo":
				t.Errorf("%s: the agent links cgo through %s", goos, p.ImportPath)
			}
		}
	}
}

func TestOnlyCommandRunsPrograms(t *testing.T) {
	for _, goos := range []string{"linux", "windows"} {
		for _, p := range load(t, goos, "./agent/...") {
			if slices.Contains(p.Imports, "os/exec") && p.ImportPath != "vigia/agent/internal/command" {
				t.Errorf("%s: %s imports os/exec; only agent/internal/command runs programs", goos, p.ImportPath)
			}
		}
	}
}

func TestOnlyDialectsImportDrivers(t *testing.T) {
	drivers := []string{"github.com/mattn/go-sqlite3", "github.com/jackc/pgx"}
	for _, p := range load(t, "linux", "./collector/...") {
		for _, imp := range p.Imports {
			for _, d := range drivers {
				if strings.HasPrefix(imp, d) && p.ImportPath != "vigia/collector/internal/store" {
					t.Errorf("%s imports %s: only the dialect files of the store do", p.ImportPath, imp)
				}
			}
		}
	}
}
