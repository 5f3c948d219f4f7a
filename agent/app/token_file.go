package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/uplink"
	"vigia/internal/buildinfo"
	"vigia/internal/fsatomic"
	"vigia/internal/inventory"
)

// tokenFile is where a token waits for the running agent to enroll with it.
func tokenFile(state string) string { return filepath.Join(state, "token") }

// Pace of looking for a token, and of trying one again while the collector is away.
const (
	tokenEvery = 5 * time.Second
	tokenAgain = 5 * time.Minute // at most
)

// enrollByToken enrolls an agent that has no usable identity with a token that it finds
// (left by a package, an image or enroll --later), removes the token, and lets the uplink
// connect at once. A token that the collector refuses is removed as well.
func (a *agent) enrollByToken(ctx context.Context) error {
	wait, missing := tokenEvery, a.needsIdentity()
	for {
		if now := a.needsIdentity(); missing && !now { // enrolled by hand meanwhile
			a.client.Wake()
			missing = false
		} else {
			missing = now
		}
		tried, err := a.tryTokens(ctx)
		switch {
		case err != nil:
			a.cfg.Log.Warn("enrolling with the token that was left here", "error", err, "again_in", wait)
			wait = min(2*wait, tokenAgain)
		case tried:
			a.client.Wake()
			fallthrough
		default:
			wait = tokenEvery
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (a *agent) needsIdentity() bool {
	id, err := uplink.LoadIdentity(a.cfg.State)
	return errors.Is(err, uplink.ErrNotEnrolled) || err == nil && id.Current.ExpiredAt(a.cfg.Now())
}

// tryTokens uses the first token that is there. It reports whether the machine was
// enrolled; an error means that it is worth trying again.
func (a *agent) tryTokens(ctx context.Context) (bool, error) {
	for _, path := range a.cfg.Tokens {
		token, err := readToken(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		if !a.needsIdentity() {
			a.cfg.Log.Info("a token was left here and is not needed: this machine is enrolled", "file", path)
			return false, os.Remove(path)
		}
		result, err := enroll(ctx, a.cfg.State, token, false, a.cfg.Now)
		if errors.Is(err, uplink.ErrTokenRefused) {
			a.cfg.Log.Error("the token that was left here is not accepted; it is removed", "file", path, "error", err)
			return false, os.Remove(path)
		}
		if err != nil {
			return false, err
		}
		a.cfg.Log.Info("enrolled", "machine", result.MachineID, "collector", result.Address)
		return true, os.Remove(path)
	}
	return false, nil
}

// readToken reads a token that nobody but its owner could have put there: on Unix the
// file must belong to this user and be for it alone.
func readToken(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is no plain file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s can be read by others: chmod 0600 %s", path, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64<<10))
	return strings.TrimSpace(string(text)), err
}

// leaveToken keeps a token for the running agent.
func leaveToken(state, token string) error {
	return fsatomic.WriteFile(tokenFile(state), []byte(token+"\n"), 0o600)
}

// enroll trades a token for an identity in the state folder.
func enroll(ctx context.Context, state, token string, replace bool, now func() time.Time) (*uplink.Enrolled, error) {
	env := &probe.Env{Root: "/", Now: now()}
	snap := probe.NewRunner(probes(), probe.Options{}).Run(ctx, env, probe.Filter{Sections: []inventory.Section{inventory.SectionMachine}})
	return uplink.Enroll(ctx, uplink.EnrollOptions{Token: token, Facts: snap.Machine, OS: runtime.GOOS, StateDir: state,
		Version: buildinfo.Get().Version, Replace: replace, Now: now})
}
