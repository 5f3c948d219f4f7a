package spool

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// InUse reports whether a process has the spool in dir open, and its process id as
// text ("unknown" where it is not told). It changes nothing.
func InUse(dir string) (used bool, pid string, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	defer f.Close() // gives the lock back where it was free
	free, err := tryLock(f)
	if err != nil || free {
		return false, "", err
	}
	return true, ownerOf(f), nil
}
