package clidoc

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Page says what a manual page holds beside the commands.
type Page struct {
	Section string // "8"
	Version string
	Date    string // RFC 3339, of the commit; another text is shown as it is
	Files   [][2]string
}

// Man writes the manual page of a program.
func Man(w io.Writer, app *kong.Application, p Page) error {
	var b bytes.Buffer
	date := p.Date
	if t, err := time.Parse(time.RFC3339, date); err == nil {
		date = t.UTC().Format(time.DateOnly)
	}
	about, rest, _ := strings.Cut(app.Help, "\n")
	fmt.Fprintf(&b, ".\\\" Made from the program's commands.\n.TH %s %s \"%s\" \"Vig\\[u00ED]a %s\"\n", strings.ToUpper(app.Name), p.Section, roff(date), roff(p.Version))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.B %s\n.I COMMAND\n.RI [ OPTION ...]\n.SH DESCRIPTION\n%s\n", roff(app.Name), roff(short(about)), roff(app.Name), roff(about))
	paragraphs(&b, rest)
	list := commands(app)
	b.WriteString(".SH OPTIONS OF EVERY COMMAND\n")
	for _, f := range list[0].flags {
		flag(&b, f)
	}
	b.WriteString(".SH COMMANDS\n")
	for _, c := range list[1:] {
		if len(c.subs) > 0 {
			continue // its commands follow, each by itself
		}
		fmt.Fprintf(&b, ".SS %s\n%s\n", roff(usage(c)), roff(c.node.Help))
		for _, a := range c.node.Positional {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(strings.ToUpper(a.Name)), roff(a.Help))
		}
		for _, f := range c.node.Flags {
			if !f.Hidden && f.Name != "help" {
				flag(&b, f)
			}
		}
		b.WriteString(".PP\n")
		paragraphs(&b, c.node.Detail)
	}
	if len(p.Files) > 0 {
		b.WriteString(".SH FILES\n")
		for _, f := range p.Files {
			fmt.Fprintf(&b, ".TP\n.I %s\n%s\n", roff(f[0]), roff(f[1]))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func usage(c command) string {
	text := c.path
	for _, a := range c.node.Positional {
		word := strings.ToUpper(a.Name)
		if !a.Required {
			word = "[" + word + "]"
		}
		text += " " + word
	}
	return text
}

func flag(b *bytes.Buffer, f *kong.Flag) {
	name := "--" + f.Name
	if f.Short != 0 {
		name = "-" + string(f.Short) + ", " + name
	}
	fmt.Fprintf(b, ".TP\n\\fB%s\\fR", roff(name))
	if !f.IsBool() {
		value := f.PlaceHolder
		switch {
		case f.Enum != "":
			value = strings.ReplaceAll(f.Enum, ",", "|")
		case value == "":
			value = strings.ToUpper(f.Name)
		}
		fmt.Fprintf(b, " \\fI%s\\fR", roff(value))
	}
	fmt.Fprintf(b, "\n%s\n", roff(f.Help))
	if f.HasDefault && f.Default != "" && f.Default != "false" {
		fmt.Fprintf(b, "Default: %s.\n", roff(f.Default))
	}
	if len(f.Envs) > 0 {
		fmt.Fprintf(b, "Environment: %s.\n", roff(strings.Join(f.Envs, ", ")))
	}
}

// paragraphs writes free text: lines that are indented stay as they are.
func paragraphs(b *bytes.Buffer, text string) {
	literal := false
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimRight(line, "\n")
		indented := strings.HasPrefix(line, "  ")
		if indented != literal && line != "" {
			b.WriteString(map[bool]string{true: ".RS\n.nf\n", false: ".fi\n.RE\n"}[indented])
			literal = indented
		}
		switch {
		case line == "" && literal:
		case line == "":
			b.WriteString(".PP\n")
		default:
			b.WriteString(roff(strings.TrimSpace(line)) + "\n")
		}
	}
	if literal {
		b.WriteString(".fi\n.RE\n")
	}
}

// roff escapes text: backslashes, hyphens, a control character at the beginning, and what is not ASCII.
func roff(s string) string {
	var b strings.Builder
	for i, r := range strings.ReplaceAll(s, "\n", " ") {
		switch {
		case i == 0 && (r == '.' || r == '\''):
			b.WriteString(`\&` + string(r))
		case r == '\\':
			b.WriteString(`\e`)
		case r == '-':
			b.WriteString(`\-`)
		case r == '"':
			b.WriteString(`\(dq`)
		case r > 126:
			fmt.Fprintf(&b, `\[u%04X]`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
