package app

import (
	"strings"
	"testing"
)

// TestCalendarByCommand changes the working days on both engines.
func TestCalendarByCommand(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := start(t, where)
		c.cli("org", "import", orgFile(t, "email,name,area,site,remote,manager_email,primary_machine,role\nana@example.com,Ana,Ventas,Toluca,no,,,employee\n"))
		type row struct {
			Day, Reason, Site string
			Working, Law      bool
		}
		list := func(args ...string) []row {
			t.Helper()
			return rowsOf[row](t, c, append([]string{"calendar", "list", "--year", "2026"}, args...)...)
		}
		if got := list(); len(got) != 7 || got[1].Day != "2026-02-02" || got[5].Day != "2026-11-16" || !got[0].Law {
			t.Errorf("the law's days of 2026: %+v", got)
		}
		c.cli("calendar", "add", "2026-12-24", "Nochebuena")
		c.cli("calendar", "add", "2026-11-21", "Sábado trabajado", "--working", "--site", "Toluca")
		if got := list(); len(got) != 8 || got[6] != (row{Day: "2026-12-24", Reason: "Nochebuena"}) {
			t.Errorf("every site: %+v", got)
		}
		if got := list("--site", "Toluca"); len(got) != 9 || got[6] != (row{Day: "2026-11-21", Reason: "Sábado trabajado", Site: "Toluca", Working: true}) {
			t.Errorf("one site: %+v", got)
		}
		for _, bad := range []struct {
			args []string
			code int
			says string
		}{
			{[]string{"add", "2026-13-01", "x"}, 2, "2026-13-01"},
			{[]string{"add", "2026-12-31", " "}, 2, ""},
			{[]string{"add", "2026-12-31", "x", "--site", "Nowhere"}, 2, "Nowhere"},
			{[]string{"add", "1926-12-31", "x"}, 2, "1926"},
			{[]string{"remove", "2026-12-31"}, 3, "2026-12-31"},
		} {
			if _, errOut, code := c.try(append([]string{"calendar"}, bad.args...)...); code != bad.code || !strings.Contains(errOut, bad.says) || strings.Contains(errOut, "calendar.") {
				t.Errorf("%q: exit %d, %s", bad.args, code, errOut)
			}
		}
		c.cli("calendar", "remove", "2026-12-24")
		if got := list(); len(got) != 7 {
			t.Errorf("after removing: %+v", got)
		}
		c.cli("check")
	})
}
