package clidoc

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// walkPath is how bash and zsh, which share it, find the command before the cursor: each
// word that goes on with the path found so far.
func walkPath(b *bytes.Buffer, app *kong.Application, words, from, to string) {
	fmt.Fprintf(b, "  path=''\n  for ((i = %s; i < %s; i++)); do\n    case \"${path:+$path }${%s[i]}\" in\n", from, to, words)
	for _, c := range commands(app)[1:] {
		fmt.Fprintf(b, "    %s) path=%s ;;\n", quote(c.path), quote(c.path))
	}
	b.WriteString("    esac\n  done\n")
}

func bash(w io.Writer, app *kong.Application) error {
	var b bytes.Buffer
	name := function(app)
	fmt.Fprintf(&b, "# Completion of %s for bash, made from its commands.\n%s() {\n", app.Name, name)
	b.WriteString("  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path i words=''\n  COMPREPLY=()\n")
	walkPath(&b, app, "COMP_WORDS", "1", "COMP_CWORD")
	b.WriteString("  case \"$path|$prev\" in\n")
	for _, c := range commands(app) {
		for _, f := range c.flags {
			switch {
			case f.Enum != "":
				fmt.Fprintf(&b, "  %s) mapfile -t COMPREPLY < <(compgen -W %s -- \"$cur\"); return ;;\n", quote(c.path+"|--"+f.Name), quote(strings.ReplaceAll(f.Enum, ",", " ")))
			case takesFile(f):
				fmt.Fprintf(&b, "  %s) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n", quote(c.path+"|--"+f.Name))
			case !f.IsBool():
				fmt.Fprintf(&b, "  %s) return ;;\n", quote(c.path+"|--"+f.Name))
			}
		}
	}
	b.WriteString("  esac\n  case \"$path\" in\n")
	for _, c := range commands(app) {
		fmt.Fprintf(&b, "  %s) words=%s ;;\n", quote(c.path), quote(strings.Join(words(c), " ")))
	}
	fmt.Fprintf(&b, "  esac\n  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n  if [ ${#COMPREPLY[@]} -eq 0 ] && [[ $cur != -* ]]; then compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); fi\n}\ncomplete -F %s %s\n", name, app.Name)
	_, err := w.Write(b.Bytes())
	return err
}

func zsh(w io.Writer, app *kong.Application) error {
	var b bytes.Buffer
	name := function(app)
	fmt.Fprintf(&b, "#compdef %s\n# Completion of %s for zsh, made from its commands.\n%s() {\n  local path i\n  local -a choices\n", app.Name, app.Name, name)
	// path is tied to PATH in zsh: another name.
	var walk bytes.Buffer
	walkPath(&walk, app, "words", "2", "CURRENT")
	b.WriteString(zshPath(walk.String()))
	b.WriteString("  case \"$at|${words[CURRENT-1]}\" in\n")
	for _, c := range commands(app) {
		for _, f := range c.flags {
			switch {
			case f.Enum != "":
				fmt.Fprintf(&b, "  %s) compadd -- %s; return ;;\n", quote(c.path+"|--"+f.Name), strings.ReplaceAll(f.Enum, ",", " "))
			case takesFile(f):
				fmt.Fprintf(&b, "  %s) _files; return ;;\n", quote(c.path+"|--"+f.Name))
			case !f.IsBool():
				fmt.Fprintf(&b, "  %s) return ;;\n", quote(c.path+"|--"+f.Name))
			}
		}
	}
	b.WriteString("  esac\n  case \"$at\" in\n")
	for _, c := range commands(app) {
		fmt.Fprintf(&b, "  %s) choices=(", quote(c.path))
		for _, sub := range c.subs {
			b.WriteString(" " + quote(sub.Name+":"+short(sub.Help)))
		}
		for _, f := range c.flags {
			b.WriteString(" " + quote("--"+f.Name+":"+short(f.Help)))
		}
		b.WriteString(" '--help:Show help') ;;\n")
	}
	fmt.Fprintf(&b, "  esac\n  _describe 'command or option' choices || _files\n}\nif [ \"$funcstack[1]\" = %s ]; then %s \"$@\"; else compdef %s %s; fi\n", quote(name), name, name, app.Name)
	_, err := w.Write(bytes.ReplaceAll(b.Bytes(), []byte("local path i"), []byte("local at i")))
	return err
}

func zshPath(walk string) string {
	return strings.ReplaceAll(strings.ReplaceAll(walk, "path=", "at="), "${path:+$path }", "${at:+$at }")
}

func fish(w io.Writer, app *kong.Application) error {
	var b bytes.Buffer
	name := "_" + function(app) + "_at"
	fmt.Fprintf(&b, "# Completion of %s for fish, made from its commands.\nfunction %s\n    set -l at ''\n    for word in (commandline -opc)[2..-1]\n        switch (string trim -- \"$at $word\")\n            case", app.Name, name)
	for _, c := range commands(app)[1:] {
		b.WriteString(" " + fishQuote(c.path))
	}
	b.WriteString("\n                set at (string trim -- \"$at $word\")\n        end\n    end\n    test \"$at\" = \"$argv[1]\"\nend\n")
	fmt.Fprintf(&b, "complete -c %s -f\n", app.Name)
	for _, c := range commands(app) {
		when := fishQuote(name + " " + fishQuote(c.path))
		for _, sub := range c.subs {
			fmt.Fprintf(&b, "complete -c %s -n %s -a %s -d %s\n", app.Name, when, sub.Name, fishQuote(short(sub.Help)))
		}
		for _, f := range c.flags {
			fmt.Fprintf(&b, "complete -c %s -n %s -l %s -d %s", app.Name, when, f.Name, fishQuote(short(f.Help)))
			switch {
			case f.Enum != "":
				fmt.Fprintf(&b, " -x -a %s", fishQuote(strings.ReplaceAll(f.Enum, ",", " ")))
			case takesFile(f):
				b.WriteString(" -r -F")
			case !f.IsBool():
				b.WriteString(" -x")
			}
			b.WriteString("\n")
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func fishQuote(s string) string {
	return "'" + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`) + "'"
}
