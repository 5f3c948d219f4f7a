package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

type cli struct {
	Config   string        `help:"file"`
	Level    string        `enum:"debug,info" default:"info" env:"T_LEVEL"`
	Interval time.Duration `default:"4h" env:"T_INTERVAL"`
	Paths    []string      `env:"T_PATHS"`
	Serve    struct {
		Port int  `default:"1" env:"T_PORT"`
		Yes  bool // what one call is to do: no setting
	} `cmd:""`
}

func absolute(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("%q: want an absolute path", path)
	}
	return nil
}

func load(t *testing.T, text string, env map[string]string, args ...string) (*cli, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	for k, v := range env {
		t.Setenv(k, v)
	}
	var c cli
	k, err := kong.New(&c, kong.Resolvers(f.Resolver(lookup)))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Check(k.Model, lookup, Rules{"paths": absolute}); err != nil {
		return nil, err
	}
	_, err = k.Parse(args)
	return &c, err
}

func TestOrderIsFlagEnvironmentFileDefault(t *testing.T) {
	c, err := load(t, "port: 2\ninterval: 1h\npaths: [/a, /b]\n", nil, "serve")
	if err != nil || c.Serve.Port != 2 || c.Interval != time.Hour || len(c.Paths) != 2 || c.Level != "info" {
		t.Fatalf("file over default: %+v, %v", c, err)
	}
	if c, err = load(t, "port: 2\n", map[string]string{"T_PORT": "3"}, "serve"); err != nil || c.Serve.Port != 3 {
		t.Fatalf("environment over file: %+v, %v", c, err)
	}
	if c, err = load(t, "port: 2\n", map[string]string{"T_PORT": "3"}, "serve", "--port=4"); err != nil || c.Serve.Port != 4 {
		t.Fatalf("flag over all: %+v, %v", c, err)
	}
}

func TestEveryErrorIsToldAtOnce(t *testing.T) {
	_, err := load(t, "level: loud\nprot: 1\ninterval: soon\npaths: {a: b}\nlevel: info\n",
		map[string]string{"T_PORT": "many"}, "serve")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{":1: level: \"loud\": must be one of debug,info", ":2: prot: no such setting", ":3: interval", ":4: paths", ":5: level: given twice", "T_PORT"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
}

func TestBrokenFiles(t *testing.T) {
	for _, text := range []string{"- a\n", "a: [", "\x00", "a: [[b]]\n"} {
		if _, err := load(t, text, nil, "serve"); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
	if _, err := load(t, "", nil, "serve"); err != nil {
		t.Errorf("an empty file: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file: no error")
	}
}

func TestPath(t *testing.T) {
	none := func(string) (string, bool) { return "", false }
	env := func(string) (string, bool) { return "/env", true }
	for _, c := range []struct {
		args []string
		look func(string) (string, bool)
		want string
	}{
		{[]string{"run", "--config", "/a"}, env, "/a"},
		{[]string{"run", "--config=/a"}, env, "/a"},
		{[]string{"run", "--", "--config=/a"}, none, ""},
		{[]string{"run"}, env, "/env"},
		{[]string{"run"}, none, ""},
	} {
		if got := Path(c.args, "X", "/does/not/exist", c.look); got != c.want {
			t.Errorf("Path(%v) = %q, want %q", c.args, got, c.want)
		}
	}
}

// TestRulesHoldForFileAndEnvironment: values that decode and are wrong all the same are
// told with the others; flags without an environment variable are no settings.
func TestRulesHoldForFileAndEnvironment(t *testing.T) {
	_, err := load(t, "paths: [/a, b]\nyes: true\nprot: 1\n", nil, "serve")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`:1: paths: "b": want an absolute path`, ":2: yes: no such setting; known are: interval, level, paths, port", ":3: prot"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in:\n%v", want, err)
		}
	}
	if _, err = load(t, "", map[string]string{"T_PATHS": "/a,c"}, "serve"); err == nil || !strings.Contains(err.Error(), `T_PATHS: "c": want`) {
		t.Errorf("environment: %v", err)
	}
	if c, err := load(t, "", map[string]string{"T_PATHS": "/a,/c"}, "serve"); err != nil || len(c.Paths) != 2 {
		t.Errorf("a list in the environment: %+v, %v", c, err)
	}
}
