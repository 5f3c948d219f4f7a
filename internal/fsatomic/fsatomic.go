// Package fsatomic replaces files so that a reader, or a machine that lost power,
// finds the old content or the new, never a part. It refuses to do anything else
// with files.
package fsatomic

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile puts data into path with exactly the permissions mode (umask does not
// apply; on Windows only the write bit counts). It writes a temporary file in the same
// folder, syncs it, renames it over path and syncs the folder. After an error the old
// content of path is still there, unless only the sync of the folder failed: then it
// is the old or the new.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	tmp, err := writeTemp(dir, filepath.Base(path), data, mode)
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(tmp, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, dropTemp(tmp, err))
	}
	if err := SyncDir(dir); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// writeTemp makes a synced temporary file next to the target and returns its path.
func writeTemp(dir, base string, data []byte, mode fs.FileMode) (string, error) {
	f, err := os.CreateTemp(dir, "."+base+".tmp-*")
	if err != nil {
		return "", err
	}
	err = fill(f, data, mode)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", dropTemp(f.Name(), err)
	}
	return f.Name(), nil
}

func fill(f *os.File, data []byte, mode fs.FileMode) error {
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

// dropTemp removes the temporary file and returns cause, with what went wrong in
// removing it.
func dropTemp(tmp string, cause error) error {
	if err := os.Remove(tmp); err != nil {
		return fmt.Errorf("%w (and %s stays: %v)", cause, tmp, err)
	}
	return cause
}

// SyncDir makes created, renamed and removed names in dir durable. On Windows NTFS
// journals names itself and a folder cannot be synced: nothing is done.
func SyncDir(dir string) error { return syncDir(dir) }
