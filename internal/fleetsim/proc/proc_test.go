package proc

import (
	"os"
	"testing"
)

func TestProcessTellsOfItself(t *testing.T) {
	cpu, rss, err := Of(os.Getpid())
	if err != nil || rss < 1<<20 || cpu < 0 {
		t.Errorf("%s, %d bytes, %v", cpu, rss, err)
	}
	if cpu, rss, err := Of(0); cpu != 0 || rss != 0 || err != nil {
		t.Errorf("pid 0: %s, %d, %v", cpu, rss, err)
	}
	if _, _, err := Of(1 << 30); err == nil {
		t.Error("a process that is not there was read")
	}
	all, err := Family(os.Getppid())
	if own, _, err2 := Of(os.Getppid()); err != nil || err2 != nil || all < own {
		t.Errorf("family %s, %v; alone %s, %v", all, err, own, err2)
	}
}
