//go:build linux

package packagetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const root = "../.."

// Versions that the tests make.
const (
	older = "0.8.1"
	newer = "0.8.2"
)

var scratch string // removed by TestMain

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "vigia-packages-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// run runs a program in the checkout's folder and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := try(name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func try(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = root
	// Into a file: a daemon that a program leaves behind holds a pipe open.
	out, err := os.CreateTemp(scratch, "output-")
	if err != nil {
		return "", err
	}
	defer func() { _, _ = out.Close(), os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	text, readErr := os.ReadFile(out.Name())
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text), errors.Join(err, readErr)
}

var (
	making sync.Mutex
	made   = map[string]string{}
)

// packages makes the packages that words name in one version, once, and returns the
// folder they are in.
func packages(t *testing.T, version string, words ...string) string {
	t.Helper()
	making.Lock()
	defer making.Unlock()
	key := version + " " + strings.Join(words, " ")
	if dir := made[key]; dir != "" {
		return dir
	}
	dir := filepath.Join(scratch, strings.ReplaceAll(key, " ", "-"))
	makePackages(t, dir, version, words...)
	made[key] = dir
	return dir
}

func makePackages(t *testing.T, dir, version string, words ...string) {
	t.Helper()
	run(t, "env", append([]string{"OUT=" + dir, "VERSION=" + version, "ARCHS=amd64", "UPDATES=linux-amd64", "internal/tools/packages.sh"}, words...)...)
}
