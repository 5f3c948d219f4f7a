package service

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// LowPriority asks the kernel to let everybody else go first: nice 15, idle disk
// class. It is best effort; what could not be had is told.
func LowPriority() error {
	const (
		ioprioWhoProcess = 1
		ioprioClassIdle  = 3 << 13
	)
	var errs []error
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 15); err != nil {
		errs = append(errs, fmt.Errorf("setting nice: %w", err))
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, 0, ioprioClassIdle); errno != 0 {
		errs = append(errs, fmt.Errorf("setting disk priority: %w", errno))
	}
	return errors.Join(errs...)
}
