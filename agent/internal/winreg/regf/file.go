package regf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// File is an open hive file.
type File struct {
	*Hive
	file *os.File
}

// OpenFile opens the hive called name and, where it was not written out, applies the
// logs beside it. The caller closes it.
func OpenFile(name string) (*File, error) {
	file, size, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	h, err := Open(file, size)
	if err == nil && h.dirty {
		err = applyLogs(h, name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), file.Close())
	}
	return &File{h, file}, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

func openRegular(name string) (*os.File, int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: not a regular file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

func applyLogs(h *Hive, name string) error {
	var logs []Log
	for _, ending := range [...]string{".LOG1", ".LOG2"} {
		file, size, err := openRegular(name + ending)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		defer file.Close()
		logs = append(logs, Log{file, size})
	}
	_, err := h.Apply(logs...)
	return err
}
