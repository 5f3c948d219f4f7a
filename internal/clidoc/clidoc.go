// Package clidoc writes what a command line is from its kong model: a manual page (roff)
// and completions for bash, zsh and fish. What is written depends on the model and the
// arguments only, so that packages are the same each time they are made. It refuses to
// know any command by name.
package clidoc

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// command is one command with everything that may stand after it.
type command struct {
	path  string // "service install"; empty for the program itself
	node  *kong.Node
	flags []*kong.Flag // its own and those of the commands above, help left out
	subs  []*kong.Node
}

// commands lists the program and every command that is not hidden, as they are declared.
func commands(app *kong.Application) []command {
	var list []command
	var walk func(path string, n *kong.Node, inherited []*kong.Flag)
	walk = func(path string, n *kong.Node, inherited []*kong.Flag) {
		c := command{path: path, node: n, flags: slices.Clone(inherited)}
		for _, f := range n.Flags {
			if !f.Hidden && f.Name != "help" {
				c.flags = append(c.flags, f)
			}
		}
		for _, sub := range n.Children {
			if sub.Type == kong.CommandNode && !sub.Hidden {
				c.subs = append(c.subs, sub)
			}
		}
		list = append(list, c)
		for _, sub := range c.subs {
			walk(strings.TrimSpace(path+" "+sub.Name), sub, c.flags)
		}
	}
	walk("", app.Node, nil)
	return list
}

// Shells are those that Completion knows.
var shells = map[string]func(io.Writer, *kong.Application) error{"bash": bash, "zsh": zsh, "fish": fish}

// Completion writes the completion file of one shell: bash, zsh or fish.
func Completion(w io.Writer, app *kong.Application, shell string) error {
	write, ok := shells[shell]
	if !ok {
		return fmt.Errorf("no completion for the shell %q: it is bash, zsh or fish", shell)
	}
	return write(w, app)
}

// function makes a name that a shell takes for a function.
func function(app *kong.Application) string { return "_" + strings.ReplaceAll(app.Name, "-", "_") }

// takesFile reports whether a flag's value is a file or a folder.
func takesFile(f *kong.Flag) bool {
	return slices.Contains([]string{"path", "existingfile", "existingdir"}, f.Tag.Type) || slices.Contains([]string{"FILE", "DIR"}, f.PlaceHolder)
}

// short is the first sentence of a help text.
func short(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if i := strings.Index(text, ". "); i > 0 {
		text = text[:i+1]
	}
	return strings.TrimSuffix(text, ".")
}

// words are what may stand after a command: its commands and flags.
func words(c command) []string {
	var list []string
	for _, sub := range c.subs {
		list = append(list, sub.Name)
	}
	for _, f := range c.flags {
		list = append(list, "--"+f.Name)
	}
	return append(list, "--help")
}

// quote makes s one word of a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
