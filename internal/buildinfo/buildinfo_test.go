package buildinfo

import (
	"runtime/debug"
	"testing"
)

func TestFillTakesOnlyWhatTheLinkerDidNotSay(t *testing.T) {
	recorded := &debug.BuildInfo{Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-11-23T10:00:00Z"}, {Key: "vcs.modified", Value: "true"}}}
	i := Info{Version: "1.2.3", Go: "go1.26.8", OS: "linux", Arch: "amd64"}
	i.fill(recorded)
	if want := "1.2.3 (commit 0123456789ab-dirty, 2026-11-23T10:00:00Z, go1.26.8 linux/amd64)"; i.String() != want {
		t.Errorf("got  %s\nwant %s", i, want)
	}
	told := Info{Commit: "feed", Date: "2026-01-01T00:00:00Z"}
	told.fill(recorded)
	if told.Commit != "feed" || told.Date != "2026-01-01T00:00:00Z" {
		t.Errorf("the linker's word was replaced: %+v", told)
	}
}

func TestGetIsNeverEmpty(t *testing.T) {
	if i := Get(); i.Version == "" || i.Go == "" || i.OS == "" || i.Arch == "" || String() == "" {
		t.Errorf("got %+v", i)
	}
}
