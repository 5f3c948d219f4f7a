package service

import (
	"bytes"
	"log/slog"
	"testing"
)

func TestWhoMayWrite(t *testing.T) {
	const system, admins, users, everyone = "S-1-5-18", "S-1-5-32-544", "S-1-5-32-545", "S-1-1-0"
	const all, readRun, modify = 0x1f01ff, 0x1200a9, 0x1301bf
	for name, c := range map[string]struct {
		owner   string
		entries []accessEntry
		want    string
	}{
		"Program Files":          {system, []accessEntry{{system, true, false, all}, {admins, true, false, all}, {users, true, false, readRun}, {"S-1-3-0", true, true, all}}, ""},
		"a user may modify":      {admins, []accessEntry{{admins, true, false, all}, {users, true, false, modify}}, users},
		"everyone may add files": {admins, []accessEntry{{everyone, true, false, 0x100116}}, everyone},
		"for what is made below": {admins, []accessEntry{{users, true, true, modify}}, ""},
		"a denial gives nothing": {admins, []accessEntry{{users, false, false, all}}, ""},
		"a user owns it":         {"S-1-5-21-1-2-3-1001", nil, "S-1-5-21-1-2-3-1001"},
		"generic rights":         {system, []accessEntry{{everyone, true, false, 0x40000000}}, everyone},
	} {
		got, found := whoMayWrite(c.owner, c.entries, trustedSIDs())
		if got != c.want || found != (c.want != "") {
			t.Errorf("%s: %q %v, want %q", name, got, found, c.want)
		}
	}
}

func TestSinkDivertsToEvents(t *testing.T) {
	var b bytes.Buffer
	sink := NewSink(&b)
	text, json := slog.New(slog.NewTextHandler(sink, nil)), slog.New(slog.NewJSONHandler(sink, nil))
	text.Info("before")
	var kinds []EventKind
	sink.divert(func(k EventKind, _ string) error { kinds = append(kinds, k); return nil })
	text.Info("i")
	text.Warn("w")
	json.Error("e")
	if !bytes.Contains(b.Bytes(), []byte("before")) || bytes.Contains(b.Bytes(), []byte("msg=i")) {
		t.Errorf("written: %s", b.String())
	}
	if len(kinds) != 3 || kinds[0] != EventInfo || kinds[1] != EventWarning || kinds[2] != EventError {
		t.Errorf("events %v", kinds)
	}
}
