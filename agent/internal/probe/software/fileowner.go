package software

import (
	"bytes"
	"errors"
	"io"
	"path"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
)

// ownedPaths returns the files below /opt and /usr/local that dpkg's packages own.
// Lists of the system vendor's packages are not read: its policy keeps them out of
// both folders (Debian Policy 9.1.2), and they are nearly all there are.
func ownedPaths(root *rootfs.FS) (map[string]bool, error) {
	pkgs, err := readDpkg(root)
	if errors.Is(err, probe.ErrAbsent) {
		return nil, nil
	}
	if err != nil && len(pkgs) == 0 {
		return nil, err
	}
	owned := make(map[string]bool)
	_, domains := systemVendor(root)
	buf := make([]byte, 64<<10)
	for _, p := range pkgs {
		if vendorMade(p, domains) {
			continue
		}
		for _, name := range [...]string{p.Name, p.Name + ":" + p.Arch} {
			f, err := root.Open(path.Join(dpkgInfoDir, name+".list"))
			if missing(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			err = readOwned(f, buf, owned)
			f.Close()
			if err != nil {
				return nil, err
			}
			break
		}
	}
	return owned, nil
}

// readOwned adds the paths below /opt and /usr/local of one package's list of files,
// which it reads piece by piece: most pieces hold none, and are not taken apart.
func readOwned(r io.Reader, buf []byte, owned map[string]bool) error {
	for held := 0; ; {
		n, err := io.ReadFull(r, buf[held:])
		text := buf[:held+n]
		end := bytes.LastIndexByte(text, '\n') + 1
		if bytes.Contains(text[:end], []byte("/opt/")) || bytes.Contains(text[:end], []byte("/usr/local/")) {
			addOwned(text[:end], owned)
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		case end == 0: // no path is that long
			held = 0
		default:
			held = copy(buf, text[end:])
		}
	}
}

func addOwned(lines []byte, owned map[string]bool) {
	for line := range bytes.Lines(lines) {
		if bytes.HasPrefix(line, []byte("/opt/")) || bytes.HasPrefix(line, []byte("/usr/local/")) {
			owned[string(bytes.TrimSuffix(line, []byte("\n")))] = true
		}
	}
}
