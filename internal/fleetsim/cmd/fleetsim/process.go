package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownCPU is the processor time of this process so far.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// clockTick is the unit of /proc/PID/stat, USER_HZ, which Linux fixes at 100.
const clockTick = 10 * time.Millisecond

// process reads the processor time and resident memory, in bytes, of a process; zeros
// for pid 0.
func process(pid int) (cpu time.Duration, rss int64, err error) {
	if pid == 0 {
		return 0, 0, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("--pid: %w", err)
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name may hold spaces
	f := strings.Fields(string(rest))
	if len(f) < 22 {
		return 0, 0, fmt.Errorf("--pid: /proc/%d/stat has %d fields", pid, len(f))
	}
	user, err1 := strconv.ParseInt(f[11], 10, 64)
	system, err2 := strconv.ParseInt(f[12], 10, 64)
	pages, err3 := strconv.ParseInt(f[21], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil {
		return 0, 0, fmt.Errorf("--pid: /proc/%d/stat does not hold numbers", pid)
	}
	return time.Duration(user+system) * clockTick, pages * int64(os.Getpagesize()), nil
}
