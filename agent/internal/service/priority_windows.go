package service

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// LowPriority puts the process into background mode: low CPU, disk and memory
// priority.
func LowPriority() error {
	const processModeBackgroundBegin = 0x00100000
	if err := windows.SetPriorityClass(windows.CurrentProcess(), processModeBackgroundBegin); err != nil {
		return fmt.Errorf("setting background mode: %w", err)
	}
	return nil
}
