package store

import (
	"strings"

	"vigia/collector/internal/access"
)

// nobodys lets nothing through.
const nobodys = "1 = 0"

// visibleMachines keeps the machines in the scope: those of the areas that somebody
// manages now, and their own. areaID and personID are the machine's columns.
func visibleMachines(w *where, s *access.Scope, areaID, personID string) {
	narrowTo(w, s, areaID+" IN (SELECT id FROM area WHERE manager = ?)", personID+" = (SELECT id FROM person WHERE email = ?)")
}

// visibleRecords keeps the nonconformities n in the scope: those that were opened in an
// area that somebody manages now, and those opened to them. A record keeps the area
// that it was opened in, so the person must be found there and not by the machine.
func visibleRecords(w *where, s *access.Scope) {
	narrowTo(w, s, "fold(n.area) IN (SELECT name_fold FROM area WHERE manager = ?)", "n.person = ?")
}

// narrowTo adds the scope's condition: managed takes the manager's e-mail, own the
// person's.
func narrowTo(w *where, s *access.Scope, managed, own string) {
	if s == nil || s.All {
		return
	}
	var conds []string
	var args []any
	if s.Manager != "" {
		conds, args = append(conds, managed), append(args, strings.ToLower(s.Manager))
	}
	if s.Person != "" {
		conds, args = append(conds, own), append(args, strings.ToLower(s.Person))
	}
	if len(conds) == 0 {
		w.add(nobodys)
		return
	}
	w.add("("+strings.Join(conds, " OR ")+")", args...)
}
