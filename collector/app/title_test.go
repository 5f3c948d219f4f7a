package app

import (
	"strings"
	"testing"
)

func TestTitlesByCommand(t *testing.T) {
	eachEngine(t, func(t *testing.T, where string) {
		c := enforced(t, where)
		if out := c.cli("software", "titles", "--output", "json"); !strings.Contains(out, `"quake"`) {
			t.Fatal(out)
		}
		rule := []string{"--name", "QUA*", "--to-name", "Quake", "--reason", "one name"}
		if out := c.cli(append([]string{"software", "rule", "preview"}, rule...)...); !strings.HasPrefix(out, "1 reported names") {
			t.Fatal(out)
		}
		if out := c.cli(append([]string{"software", "rule", "add"}, rule...)...); !strings.Contains(out, "QUA*") {
			t.Fatal(out)
		}
		if out := c.cli("software", "titles", "quake"); !strings.Contains(out, "Quake") || strings.Contains(out, "quake") {
			t.Fatal(out)
		}
		if out := c.cli("software", "list", "quake"); !strings.Contains(out, "quake") {
			t.Fatalf("a rule changed what was reported: %s", out)
		}
		if out := c.cli("software", "rule", "remove", "1", "--output", "json"); strings.TrimSpace(out) != "[]" {
			t.Fatal(out)
		}
		c.cli("software", "rule", "undo")
		if out := c.cli("software", "rule", "list"); !strings.Contains(out, "QUA*") {
			t.Fatal(out)
		}
		if out := c.cli("check"); !strings.Contains(out, "nothing is wrong") {
			t.Fatal(out)
		}
	})
}
