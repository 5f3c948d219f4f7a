// Package updater owns which version of the agent runs on this machine: the one that a
// package installed, or a newer one that came from the collector, was verified, and stays
// only when it reports within its grace. Versions that came stand in a folder of their
// own; what the package installed is never touched. It refuses an older version than the
// one that runs, whoever offers it.
package updater

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"vigia/internal/fsatomic"
	"vigia/internal/version"
)

// maxStarts is how often a version on trial may be started: one that keeps ending by
// itself does not get to its grace.
const maxStarts = 3

// Versions is the folder of versions that came by themselves, and what is known of them.
type Versions struct {
	Dir string
	Now func() time.Time
}

// record is what the folder's state.json holds.
type record struct {
	Current string `json:"current"` // proven; empty: what the package installed
	Trial   *trial `json:"trial,omitempty"`
	Failed  *Fail  `json:"failed,omitempty"` // the last that failed
}

type trial struct {
	Version string        `json:"version"`
	Attempt int64         `json:"attempt"`
	Grace   time.Duration `json:"grace_ns"`
	Until   time.Time     `json:"until,omitzero"` // set at the first start
	Starts  int           `json:"starts"`
}

// Fail is a version that was given up.
type Fail struct {
	Version string `json:"version"`
	Attempt int64  `json:"attempt"`
	Problem string `json:"problem"`
}

func (v *Versions) load() (record, error) {
	var r record
	data, err := os.ReadFile(filepath.Join(v.Dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return record{}, fmt.Errorf("versions that came by themselves: %w", err)
	}
	return r, nil
}

func (v *Versions) save(r record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return fsatomic.WriteFile(filepath.Join(v.Dir, "state.json"), data, 0o600)
}

// Program is where a version stands.
func (v *Versions) Program(name string) string {
	file := "vigia-agent"
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	return filepath.Join(v.Dir, name, file)
}

// Choose returns the program to run in place of the installed one, whose version is
// given; empty: the installed one. Each call counts as a start of a version on trial; one
// that had its starts or its time is given up.
func (v *Versions) Choose(installed string) (string, error) {
	r, err := v.load()
	if err != nil {
		return "", err
	}
	if t := r.Trial; t != nil && version.Newer(t.Version, installed) {
		switch {
		case t.Starts >= maxStarts:
			err = v.giveUp(&r, fmt.Sprintf("it was started %d times and did not report", t.Starts))
		case !t.Until.IsZero() && v.Now().After(t.Until):
			err = v.giveUp(&r, fmt.Sprintf("it did not report within %s", t.Grace))
		default:
			if t.Until.IsZero() {
				t.Until = v.Now().Add(t.Grace)
			}
			t.Starts++
			return v.Program(t.Version), v.save(r)
		}
		if err != nil {
			return "", err
		}
	}
	if r.Current != "" && version.Newer(r.Current, installed) {
		if _, err := os.Stat(v.Program(r.Current)); err == nil {
			return v.Program(r.Current), nil
		}
	}
	return "", nil
}

// GiveUp ends the trial that is under way.
func (v *Versions) GiveUp(problem string) error {
	r, err := v.load()
	if err != nil || r.Trial == nil {
		return err
	}
	return v.giveUp(&r, problem)
}

func (v *Versions) giveUp(r *record, problem string) error {
	r.Failed, r.Trial = &Fail{r.Trial.Version, r.Trial.Attempt, problem}, nil
	return errors.Join(v.save(*r), v.clean(*r))
}

// Try puts a verified program in place, to be started next.
func (v *Versions) Try(name string, attempt int64, grace time.Duration, program []byte) error {
	if err := os.MkdirAll(filepath.Dir(v.Program(name)), 0o700); err != nil {
		return err
	}
	if err := fsatomic.WriteFile(v.Program(name), program, 0o700); err != nil {
		return err
	}
	r, err := v.load()
	if err != nil {
		return err
	}
	r.Trial = &trial{Version: name, Attempt: attempt, Grace: grace}
	return v.save(r)
}

// Prove ends a trial well: name has reported.
func (v *Versions) Prove(name string) error {
	r, err := v.load()
	if err != nil || r.Trial == nil || r.Trial.Version != name {
		return err
	}
	r.Current, r.Trial, r.Failed = name, nil, nil
	return errors.Join(v.save(r), v.clean(r))
}

// OnTrial returns until when a version has to report; zero where it is not on trial.
func (v *Versions) OnTrial(name string) (time.Time, error) {
	r, err := v.load()
	if err != nil || r.Trial == nil || r.Trial.Version != name {
		return time.Time{}, err
	}
	return r.Trial.Until, nil
}

// Failed returns what was given up last; nil for nothing.
func (v *Versions) Failed() (*Fail, error) {
	r, err := v.load()
	return r.Failed, err
}

// clean removes programs that are neither current nor on trial. One that still runs
// cannot be removed on Windows; it goes the next time.
func (v *Versions) clean(r record) error {
	entries, err := os.ReadDir(v.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != r.Current && (r.Trial == nil || e.Name() != r.Trial.Version) && version.Valid(e.Name()) {
			if err := os.RemoveAll(filepath.Join(v.Dir, e.Name())); err != nil && runtime.GOOS != "windows" {
				return err
			}
		}
	}
	return nil
}
