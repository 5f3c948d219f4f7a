// Package settings owns where a program's settings come from: flag, environment,
// strict file, default, in that order, with every error told at once. Flags are
// declared with kong; those that have an environment variable are settings, and the file
// is flat YAML whose keys are their names. It refuses nested keys, unknown keys, flags
// that only say what one call is to do, and values that do not decode.
package settings

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// maxFile bounds the size of a settings file, in bytes.
const maxFile = 1 << 20

// File is one settings file, read but not yet held against a program's flags.
type File struct {
	path   string
	values map[string]entry
	errs   []error
}

type entry struct {
	line int
	text []string
}

// Read reads a settings file. What is wrong inside it is told by Check, together with
// everything else; only a file that cannot be read at all is an error here.
func Read(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("settings file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("settings file %s: %w", path, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("settings file %s: larger than %d bytes", path, maxFile)
	}
	return parse(path, data), nil
}

func parse(path string, data []byte) *File {
	f := &File{path: path, values: map[string]entry{}}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		f.errs = append(f.errs, fmt.Errorf("%s: %w", path, err))
		return f
	}
	if len(doc.Content) == 0 {
		return f
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		f.fail(top.Line, "expected lines of the form \"name: value\"")
		return f
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		f.add(top.Content[i], top.Content[i+1])
	}
	return f
}

func (f *File) fail(line int, format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf("%s:%d: %s", f.path, line, fmt.Sprintf(format, args...)))
}

func (f *File) add(key, value *yaml.Node) {
	if was, dup := f.values[key.Value]; dup {
		f.fail(key.Line, "%s: given twice, first on line %d", key.Value, was.line)
		return
	}
	e := entry{line: key.Line}
	switch value.Kind {
	case yaml.ScalarNode:
		e.text = []string{value.Value}
	case yaml.SequenceNode:
		for _, item := range value.Content {
			if item.Kind != yaml.ScalarNode {
				f.fail(item.Line, "%s: a list holds plain values only", key.Value)
				return
			}
			e.text = append(e.text, item.Value)
		}
	default:
		f.fail(key.Line, "%s: a plain value or a list is expected", key.Value)
		return
	}
	f.values[key.Value] = e
}

// Rules tell of some settings, by name, what is wrong with a value that decodes: one
// value at a time where a setting takes several.
type Rules map[string]func(value string) error

// Check holds the file and the environment against every setting of app and returns all
// that is wrong, joined; nil when nothing is. A nil File checks the environment alone.
func (f *File) Check(app *kong.Application, lookupEnv func(string) (string, bool), rules Rules) error {
	flags := map[string]*kong.Flag{}
	collect(app.Node, flags)
	var errs []error
	if f != nil {
		errs = append(errs, f.errs...)
		for _, name := range sorted(f.values) {
			e := f.values[name]
			flag, known := flags[name]
			if !known {
				errs = append(errs, fmt.Errorf("%s:%d: %s: no such setting; known are: %s", f.path, e.line, name, strings.Join(sorted(flags), ", ")))
				continue
			}
			if err := try(flag, e.text, rules[name]); err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: %s: %w", f.path, e.line, name, err))
			}
		}
	}
	for _, name := range sorted(flags) {
		for _, env := range flags[name].Envs {
			if v, ok := lookupEnv(env); ok {
				if err := try(flags[name], split(flags[name], v), rules[name]); err != nil {
					errs = append(errs, fmt.Errorf("environment variable %s: %w", env, err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// collect gathers the settings of node and everything below it. Those that several
// commands share by name share their meaning too.
func collect(node *kong.Node, into map[string]*kong.Flag) {
	for _, flag := range node.Flags {
		if len(flag.Envs) > 0 && flag.Name != "config" {
			into[flag.Name] = flag
		}
	}
	for _, child := range node.Children {
		collect(child, into)
	}
}

// try decodes text as flag would, into a value that is thrown away, and asks rule, which
// may be nil.
func try(flag *kong.Flag, text []string, rule func(string) error) error {
	for _, t := range text {
		tokens := []kong.Token{{Value: t, Type: kong.FlagValueToken}}
		target := reflect.New(flag.Target.Type()).Elem()
		if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.ScanFromTokens(tokens...)}, target); err != nil {
			return fmt.Errorf("%q: %w", t, err)
		}
		if flag.Enum != "" && !flag.EnumMap()[t] {
			return fmt.Errorf("%q: must be one of %s", t, flag.Enum)
		}
		if rule == nil || t == "" {
			continue // what may not be empty is the program's to say
		}
		if err := rule(t); err != nil {
			return err
		}
	}
	return nil
}

// split parts the text of an environment variable as kong does.
func split(flag *kong.Flag, text string) []string {
	if flag.IsSlice() {
		return kong.SplitEscaped(text, flag.Tag.Sep)
	}
	return []string{text}
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Resolver gives kong the file's values for flags that neither the command line nor
// the environment has set.
func (f *File) Resolver(lookupEnv func(string) (string, bool)) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if f == nil || len(flag.Envs) == 0 {
			return nil, nil
		}
		for _, env := range flag.Envs {
			if _, ok := lookupEnv(env); ok {
				return nil, nil
			}
		}
		e, ok := f.values[flag.Name]
		if !ok {
			return nil, nil
		}
		return strings.Join(e.text, ","), nil
	})
}

// Path finds the settings file: --config FILE on the command line, else the
// environment variable, else def where that file exists, else "".
func Path(args []string, env, def string, lookupEnv func(string) (string, bool)) string {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--config="); ok {
			return v
		}
		if a == "--config" && i+1 < len(args) {
			return args[i+1]
		}
	}
	if v, ok := lookupEnv(env); ok && v != "" {
		return v
	}
	if _, err := os.Stat(def); def != "" && err == nil {
		return def
	}
	return ""
}
