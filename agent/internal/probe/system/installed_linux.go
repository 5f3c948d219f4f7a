package system

import (
	"time"

	"golang.org/x/sys/unix"

	"vigia/agent/internal/rootfs"
)

// firstLinux is before every installation (1995-01-01, in Unix seconds); what claims
// to be older was written without a clock.
const firstLinux = 788_918_400

// installedAt returns the oldest of the traces that an installation leaves: the logs
// of Debian's and Red Hat's installers, when the root file system was made, its
// lost+found, and machine-id, which a cloned image writes at its first boot. For a
// machine made from an image it may be the time of the image. Zero when nothing tells.
func installedAt(fsys *rootfs.FS) time.Time {
	var oldest time.Time
	consider := func(t time.Time) {
		if t.Unix() > firstLinux && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	for _, name := range [...]string{"/var/log/installer", "/var/log/anaconda", "/root/anaconda-ks.cfg", "/lost+found", "/etc/machine-id"} {
		if info, err := fsys.Stat(name); err == nil {
			consider(info.ModTime())
		}
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, fsys.Dir(), unix.AT_NO_AUTOMOUNT, unix.STATX_BTIME, &st); err == nil && st.Mask&unix.STATX_BTIME != 0 {
		consider(time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)))
	}
	if oldest.IsZero() {
		return oldest
	}
	return oldest.UTC().Truncate(time.Second)
}
