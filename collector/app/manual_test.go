package app

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// The console's manual names every command, in both languages.
func TestManualNamesEveryCommand(t *testing.T) {
	var c commands
	var out bytes.Buffer
	parser, err := newParser(&c, Process{Stdout: &out, Stderr: &out, Env: func(string) (string, bool) { return "", false }})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"es", "en"} {
		text, err := os.ReadFile("../internal/web/help/" + lang + "/70-commands.md")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, leaf := range parser.Model.Leaves(true) {
			var names []string
			for node := leaf; node != nil && node.Type == kong.CommandNode; node = node.Parent {
				names = append([]string{node.Name}, names...)
			}
			n++
			if command := strings.Join(names, " "); !strings.Contains(string(text), "`"+command+"`") {
				t.Errorf("%s: the manual's page of commands lacks `%s`", lang, command)
			}
		}
		if n < 40 {
			t.Errorf("%d commands: this proves nothing", n)
		}
	}
}
