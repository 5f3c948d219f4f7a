// Package proc reads what processes take of this computer, for measurements. It refuses
// anything but Linux, and to start or end a process.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Own is the processor time of this process so far.
func Own() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// clockTick is the unit of /proc/PID/stat, USER_HZ, which Linux fixes at 100.
const clockTick = 10 * time.Millisecond

// Of reads the processor time and resident memory, in bytes, of a process; zeros
// for pid 0.
func Of(pid int) (cpu time.Duration, rss int64, err error) {
	if pid == 0 {
		return 0, 0, nil
	}
	p, err := readStat(pid)
	if err != nil {
		return 0, 0, fmt.Errorf("--pid: %w", err)
	}
	return p.cpu, p.rss, nil
}

// Family is the processor time of a process, of those it started and of those that they
// waited for; zero for pid 0.
func Family(pid int) (cpu time.Duration, err error) {
	if pid == 0 {
		return 0, nil
	}
	p, err := readStat(pid)
	if err != nil {
		return 0, fmt.Errorf("--database-pid: %w", err)
	}
	cpu = p.cpu + p.ended
	all, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if child, err := readStat(n); err == nil && child.parent == pid { // it may have ended meanwhile
			cpu += child.cpu + child.ended
		}
	}
	return cpu, nil
}

// stat is what /proc/PID/stat tells.
type stat struct {
	parent     int
	cpu, ended time.Duration // its own, and that of children it waited for
	rss        int64         // bytes
}

func readStat(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	at := bytes.LastIndex(text, []byte(") ")) // the name before may hold anything
	f := strings.Fields(string(text[at+1:]))
	if at < 0 || len(f) < 22 {
		return stat{}, fmt.Errorf("/proc/%d/stat has %d fields behind the name", pid, len(f))
	}
	var n [6]int64
	for i, field := range [6]int{1, 11, 12, 13, 14, 21} {
		if n[i], err = strconv.ParseInt(f[field], 10, 64); err != nil {
			return stat{}, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
	}
	return stat{parent: int(n[0]), cpu: time.Duration(n[1]+n[2]) * clockTick, ended: time.Duration(n[3]+n[4]) * clockTick,
		rss: n[5] * int64(os.Getpagesize())}, nil
}
