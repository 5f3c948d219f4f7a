package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// ErrInUse says that another process has the spool open.
var ErrInUse = errors.New("in use by another process")

// takeLock makes this process the owner of the folder. The lock ends when the file is
// closed or the process ends.
func takeLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	taken, err := tryLock(f)
	if err == nil && !taken {
		err = fmt.Errorf("%w (pid %s): stop it first, or use its service", ErrInUse, ownerOf(f))
	}
	if err == nil {
		err = writeOwner(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func ownerOf(f *os.File) string {
	b := make([]byte, 20)
	n, err := f.ReadAt(b, 0)
	pid := strings.TrimSpace(string(b[:n]))
	if _, perr := strconv.Atoi(pid); perr != nil || (err != nil && !errors.Is(err, io.EOF)) {
		return "unknown"
	}
	return pid
}

// writeOwner notes the process id, for the error of the next one. On a full disk the
// note is left out: the lock is what counts.
func writeOwner(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil && !isDiskFull(err) {
		return err
	}
	return nil
}
