package clidoc

import (
	"bytes"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type sample struct {
	Config string `help:"Settings file." placeholder:"FILE"`
	Add    struct {
		Name  string `arg:"" help:"It's name."`
		Level string `help:"How loud: a\\b or c." enum:"low,high" default:"low" env:"SAMPLE_LEVEL"`
	} `cmd:"" help:"Adds one. Then more."`
	Group struct {
		Show struct{} `cmd:"" help:"Shows."`
	} `cmd:"" help:"Groups."`
	Secret struct{} `cmd:"" hidden:"" help:"Not told."`
}

func model(t *testing.T) *kong.Application {
	t.Helper()
	k, err := kong.New(&sample{}, kong.Name("sample-tool"), kong.Description("Does a thing with ñ.\n\nExit codes: 0 done\n\n  sample-tool add x"))
	if err != nil {
		t.Fatal(err)
	}
	return k.Model
}

func TestManualPage(t *testing.T) {
	var b bytes.Buffer
	if err := Man(&b, model(t), Page{Section: "8", Version: "1.2.3", Date: "2026-11-28T10:00:00-06:00", Files: [][2]string{{"/etc/sample.yaml", "Settings."}}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`.TH SAMPLE-TOOL 8 "2026\-11\-28"`, `with \[u00F1]`, ".SS add NAME\nAdds one.", `a\eb or c.`, `\fB\-\-level\fR \fIlow|high\fR`,
		"Default: low.", "Environment: SAMPLE_LEVEL.", ".SS group show", ".nf\nsample\\-tool add x\n.fi", ".I /etc/sample.yaml"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "secret") || strings.Contains(b.String(), "Not told") {
		t.Error("a hidden command is told of")
	}
}

func TestCompletionsNameCommandsFlagsAndValues(t *testing.T) {
	for shell, wants := range map[string][]string{
		"bash": {"'add|--level') ", "'low high'", "'group') words='show --config --help'", "complete -F _sample_tool sample-tool"},
		"zsh":  {"#compdef sample-tool", "compadd -- low high", "'add:Adds one'", "'--config:Settings file'"},
		"fish": {"complete -c sample-tool", "-l level", "-x -a 'low high'", "-a show -d 'Shows'", `a\\b or c`},
	} {
		var b bytes.Buffer
		if err := Completion(&b, model(t), shell); err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s lacks %q in\n%s", shell, want, b.String())
			}
		}
		if strings.Contains(b.String(), "secret") {
			t.Errorf("%s tells of a hidden command", shell)
		}
	}
	if err := Completion(&bytes.Buffer{}, model(t), "csh"); err == nil || !strings.Contains(err.Error(), "bash, zsh or fish") {
		t.Errorf("a shell that has none: %v", err)
	}
}
