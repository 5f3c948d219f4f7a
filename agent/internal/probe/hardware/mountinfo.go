package hardware

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strings"
)

// mount is one line of /proc/self/mountinfo.
type mount struct {
	Device string // "major:minor"
	Root   string // the part of the file system that is mounted
	Point  string
	Type   string
	Source string
}

// parseMountInfo reads /proc/self/mountinfo (proc(5)). A line that it cannot read is left out.
func parseMountInfo(r io.Reader) ([]mount, error) {
	var list []mount
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), 256<<10)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 2 {
			continue
		}
		list = append(list, mount{
			Device: left[2], Root: unescape(left[3]), Point: unescape(left[4]),
			Type: right[0], Source: unescape(right[1]),
		})
	}
	return list, lines.Err()
}

// unescape undoes the octal escapes of white space and backslash.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`, `\043`, "#").Replace(s)
}

// localVolumes chooses the mounts that are local file systems of a drive, one for each
// file system, whose mount point can be looked at without going through a file system
// of the network or of a daemon. Bind mounts, images and memory are left out.
func localVolumes(list []mount) []mount {
	top := map[string]int{} // what was mounted last on a point hides the rest
	for i, m := range list {
		top[m.Point] = i
	}
	best := map[string]mount{}
	for i, m := range list {
		if top[m.Point] != i || !isLocal(m.Type) || strings.HasPrefix(m.Source, "/dev/loop") || behindRemote(list, m.Point) {
			continue
		}
		key := m.Device
		if m.Type == "btrfs" { // every subvolume has a device number of its own
			key = m.Source
		} else if m.Root != "/" {
			continue
		}
		was, seen := best[key]
		if !seen || cmp.Or(cmp.Compare(len(m.Point), len(was.Point)), cmp.Compare(m.Point, was.Point)) < 0 {
			best[key] = m
		}
	}
	chosen := make([]mount, 0, len(best))
	for _, m := range best {
		chosen = append(chosen, m)
	}
	slices.SortFunc(chosen, func(a, b mount) int { return cmp.Compare(a.Point, b.Point) })
	return chosen
}

func isLocal(kind string) bool {
	switch kind {
	case "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "nilfs2",
		"vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk", "hfs", "hfsplus", "ufs":
		return true
	}
	return false
}

// behindRemote reports whether looking at point goes through a file system whose
// server may not answer.
func behindRemote(list []mount, point string) bool {
	for _, m := range list {
		if m.Point != "/" && isRemote(m.Type) && strings.HasPrefix(point, m.Point+"/") {
			return true
		}
	}
	return false
}

func isRemote(kind string) bool {
	switch kind {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "9p", "ncpfs", "coda", "lustre", "gpfs", "autofs", "fuse", "virtiofs":
		return true
	}
	return strings.HasPrefix(kind, "fuse.")
}
