package app

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/probe/addons"
	"vigia/agent/internal/probe/winfile"
	"vigia/agent/internal/rootfs"
)

// profilesTop is the folder of people's profiles.
func profilesTop() string {
	if dir, err := windows.KnownFolderPath(windows.FOLDERID_UserProfiles, windows.KF_FLAG_DEFAULT); err == nil {
		return dir
	}
	return `C:\Users`
}

// addonPlaces is where people add to programs.
func (w windowsPC) addonPlaces() addons.Places {
	return addons.Places{
		Windows: true,
		Top:     []string{slashed(profilesTop()) + "/*"},
		Show:    func(path string) string { return filepath.FromSlash(strings.TrimPrefix(path, "/")) },
		Homes: func(env *probe.Env, _ *rootfs.FS) ([]addons.Home, error) {
			people, err := w.machine(env).People()
			homes := make([]addons.Home, 0, len(people))
			for _, p := range people {
				homes = append(homes, addons.Home{Path: slashed(p.Dir), User: p.User})
			}
			return homes, err
		},
	}
}

// filePlaces is where programs may lie that nobody installed.
func (w windowsPC) filePlaces() winfile.Places {
	top := slashed(profilesTop()) + "/*/"
	watch := []string{slashed(programData()) + "/*", "/C:/*"}
	for _, dir := range [...]string{"Downloads", "Descargas", "Desktop", "Escritorio", "Documents"} {
		watch = append(watch, top+dir+"/*.[eE][xX][eE]", top+dir+"/*")
	}
	watch = append(watch, top+"AppData/Local/Programs/*", top+"AppData/Local/*", top+"AppData/Roaming/*")
	return winfile.Places{
		Details: w.details, Watch: watch, ArrivedAt: arrivedAt,
		Trees: func(env *probe.Env) ([]winfile.Tree, error) {
			people, err := w.machine(env).People()
			if err != nil {
				return nil, err
			}
			var trees []winfile.Tree
			for _, p := range people {
				trees = append(trees, winfile.Tree{Dir: p.Dir, User: p.User})
			}
			trees = append(trees, winfile.Tree{Dir: filepath.Join(profilesTop(), "Public")}, winfile.Tree{Dir: programData()})
			drives, err := fixedDrives()
			for _, root := range drives {
				trees = append(trees, winfile.Tree{Dir: root, Root: true})
			}
			return trees, err
		},
		Installed: func(env *probe.Env) ([]string, error) {
			return w.machine(env).Installed(context.Background(), env)
		},
	}
}

// arrivedAt is when a file was made here: copying keeps the time of its content.
func arrivedAt(info fs.FileInfo) time.Time {
	if d, ok := info.Sys().(*syscall.Win32FileAttributeData); ok {
		return time.Unix(0, d.CreationTime.Nanoseconds()).UTC().Truncate(time.Second)
	}
	return info.ModTime().UTC().Truncate(time.Second)
}
