package software

import (
	"bufio"
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
	for _, p := range pkgs {
		if vendorMade(p, domains) {
			continue
		}
		for _, name := range [...]string{p.Name, p.Name + ":" + p.Arch} {
			f, err := root.Open(path.Join(dpkgInfoDir, name+".list"))
			if err != nil {
				continue
			}
			err = readOwned(f, owned)
			f.Close()
			if err != nil {
				return nil, err
			}
			break
		}
	}
	return owned, nil
}

// readOwned adds the paths below /opt and /usr/local of one package's list of files.
func readOwned(r io.Reader, owned map[string]bool) error {
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		if line := sc.Bytes(); bytes.HasPrefix(line, []byte("/opt/")) || bytes.HasPrefix(line, []byte("/usr/local/")) {
			owned[string(line)] = true
		}
	}
	return sc.Err()
}
