package software

import (
	"testing"
	"time"

	"vigia/agent/internal/probe"
)

func TestFilesHere(t *testing.T) {
	got, took := collectHere(t, Files(FilesOptions{}), &probe.Env{Root: "/", Now: time.Now(), CacheDir: t.TempDir()})
	for _, p := range got {
		t.Logf("%s|%s|%s|%s|%s|%s", p.Name, p.Version, p.Path, p.User, p.Arch, p.InstalledAt)
	}
	t.Logf("%d programs, CPU %v", len(got), took)
}
