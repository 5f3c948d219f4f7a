package software

import (
	"path"
	"strings"
)

// skipFolder reports folders that are not searched below a home or /usr/local: caches,
// what package managers and version control keep for themselves, browser profiles,
// trash, keys, and what other sources tell (snap, flatpak, Python and Node packages).
func skipFolder(dir string) bool {
	switch path.Base(dir) {
	case ".cache", ".ccache", "Cache", "CachedData", "node_modules", ".npm", ".yarn", ".pnpm-store", ".bun",
		".git", ".svn", ".hg", ".bzr", "__pycache__", "site-packages", "dist-packages", ".venv", ".tox",
		".gradle", ".m2", ".ivy2", ".nuget", "registry", ".Trash", "Trash", "lost+found", ".snapshots",
		".mozilla", ".thunderbird", "google-chrome", "google-chrome-for-testing", "chromium", "microsoft-edge",
		"BraveSoftware", "vivaldi", "opera", ".ssh", ".gnupg", ".pki", ".dbus", ".gvfs", ".local-share-trash",
		"snap", ".var", "flatpak", "containers", "docker", ".docker", ".kube", ".vagrant.d", "shims", ".wine", ".steam":
		return true
	}
	return strings.HasSuffix(dir, "/go/pkg") || strings.HasPrefix(path.Base(dir), ".Trash-")
}

// dropFolder reports folders in which each executable is a program of its own: those
// meant for them, and those where downloads and shortcuts land.
func dropFolder(dir string) bool {
	if binFolder(dir) {
		return true
	}
	switch path.Base(dir) {
	case "Downloads", "Descargas", "Desktop", "Escritorio", "Applications", "Aplicaciones", "AppImages":
		return true
	}
	return false
}

// binFolder reports folders in which a script counts as a program.
func binFolder(dir string) bool {
	switch path.Base(dir) {
	case "bin", "sbin", "games":
		return true
	}
	return false
}

// keepsVersions reports folders in which version managers keep one product each.
func keepsVersions(dir string) bool {
	switch path.Base(dir) {
	case "versions", "toolchains", "installs", "candidates", "runtimes":
		return true
	}
	return false
}

// dataFile reports names that are documents, code or data by their ending, so that
// outside of folders for programs they need not even be looked at.
func dataFile(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	if len(ext) < 2 || len(ext) > 12 || digit(ext[1]) {
		return false
	}
	switch ext {
	case ".appimage", ".run", ".bin", ".elf", ".out", ".exe", ".x86", ".x86_64", ".amd64", ".arm64", ".linux", ".x64":
		return false
	}
	return strings.Trim(ext[1:], "abcdefghijklmnopqrstuvwxyz0123456789_+~") == ""
}

// networkType reports file systems that are reached over a network or through a
// program, and so may block or belong to another machine.
func networkType(fsType string) bool {
	switch fsType {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "gfs2", "ocfs2", "davfs", "autofs", "ncpfs", "coda":
		return true
	}
	return fsType == "fuse" || strings.HasPrefix(fsType, "fuse.")
}

// ParseMountInfo returns the places in /proc/self/mountinfo (proc_pid_mountinfo(5))
// where a network or FUSE file system is mounted.
func ParseMountInfo(text string) map[string]bool {
	places := make(map[string]bool)
	for line := range strings.Lines(text) {
		front, back, ok := strings.Cut(line, " - ")
		f, b := strings.Fields(front), strings.Fields(back)
		if ok && len(f) > 4 && len(b) > 0 && networkType(b[0]) {
			places[strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(f[4])] = true
		}
	}
	return places
}
