package service

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	lowNice          = 15
	ioprioWhoProcess = 1
	ioprioClassIdle  = 3 << 13
	priorityRounds   = 5
)

// LowPriority asks the kernel to let everybody else go first: nice 15, idle disk
// class. It is best effort; what could not be had is told.
//
// Linux keeps both for each thread, and a new thread has those of the one that made it:
// all threads are asked, again until there is none that was made meanwhile.
func LowPriority() error {
	done := map[int]bool{}
	for range priorityRounds {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("listing threads: %w", err)
		}
		fresh := false
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil || done[tid] {
				continue
			}
			done[tid], fresh = true, true
			if err := lowThread(tid); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
		if !fresh {
			return nil
		}
	}
	return nil
}

func lowThread(tid int) error {
	var errs []error
	if err := unix.Setpriority(unix.PRIO_PROCESS, tid, lowNice); err != nil {
		errs = append(errs, fmt.Errorf("setting nice: %w", err))
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(tid), ioprioClassIdle); errno != 0 {
		errs = append(errs, fmt.Errorf("setting disk priority: %w", errno))
	}
	return errors.Join(errs...)
}
