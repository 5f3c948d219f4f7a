package winfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/internal/inventory"
)

// Tree is one place to search: a profile, ProgramData, or the root of a drive, of which
// only what is not Windows' own is looked at.
type Tree struct {
	Dir, User string
	Root      bool // of a drive
}

// Places is where to look.
type Places struct {
	Trees func(env *probe.Env) ([]Tree, error)
	// Installed are folders that other sources answer for.
	Installed func(env *probe.Env) ([]string, error)
	// ArrivedAt is when a file came here.
	ArrivedAt func(fs.FileInfo) time.Time
	Watch     []string
	Details   *Details
}

// Bounds of a search.
const (
	searchWall = time.Minute     // of all trees
	readWall   = 4 * time.Minute // the first time each program is read; later runs know them
	maxFolders = 30_000          // of one tree
	maxDepth   = 8
	rootDepth  = 3
)

// Portable finds programs that nobody installed. A folder with several programs, or
// with one beside its libraries, is one product, told by its main program; elsewhere
// each is one.
//
// Where the time or the number of folders runs out, the answer is an error that says
// where, so that nothing reads as removed.
func Portable(p Places) probe.Probe {
	return probe.Probe{
		Source: "file", Section: inventory.SectionSoftware, Timeout: searchWall + readWall, LiveOnly: true, Watch: p.Watch,
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			return p.collect(ctx, env, part)
		},
	}
}

func (p Places) collect(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
	trees, err := p.Trees(env)
	if err != nil {
		return 0, err
	}
	installed, err := p.Installed(env)
	if err != nil {
		return 0, err
	}
	for i := range installed {
		installed[i] = strings.ToLower(installed[i])
	}
	var errs []error
	until := time.Now().Add(searchWall)
	for _, t := range trees {
		w := &search{ctx: ctx, tree: t, installed: installed, folders: maxFolders, until: until}
		if err := w.dir(t.Dir, 0); err != nil {
			errs = append(errs, err)
		}
		until = until.Add(p.reading(ctx, w.found, env.Hash)) // reading is not searching
		for _, f := range w.found {
			if err := ctx.Err(); err != nil {
				return 0, fmt.Errorf("reading programs: %w", err)
			}
			if s, ok := p.program(ctx, f, t, env.Hash); ok {
				part.Software = append(part.Software, s)
			}
		}
	}
	if err := p.Details.Save(); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return len(part.Software), fmt.Errorf("%w: %w", probe.ErrPartial, errors.Join(errs...))
	}
	return len(part.Software), nil
}

// reading reads what was found, and returns how long that took.
func (p Places) reading(ctx context.Context, list []find, hash bool) time.Duration {
	began := time.Now()
	for _, f := range list {
		if ctx.Err() != nil {
			break
		}
		p.Details.Of(ctx, f.path, hash)
	}
	return time.Since(began)
}

// program describes one find.
func (p Places) program(ctx context.Context, f find, t Tree, hash bool) (inventory.Program, bool) {
	d := p.Details.Of(ctx, f.path, hash)
	if !d.PE {
		return inventory.Program{}, false
	}
	s := inventory.Program{
		Name: d.Version.Product, Version: d.Version.ProductVersion, Publisher: d.Version.Company, Source: "file", Scope: inventory.ScopeMachine,
		User: t.User, Path: f.path, Arch: d.Arch, Requested: true, SHA256: d.SHA256, Signer: d.Signer,
	}
	if info, err := os.Stat(f.path); err == nil {
		s.InstalledAt = p.ArrivedAt(info)
	}
	if t.User != "" {
		s.Scope = inventory.ScopeUser
	}
	if s.Name == "" {
		s.Name = d.Version.Description
	}
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(f.path), filepath.Ext(f.path))
	}
	if s.Version == "" {
		s.Version = d.Version.FileVersion
	}
	return s, true
}

// find is a program that a search came upon.
type find struct{ path string }

// search walks one tree, in the order of names.
type search struct {
	ctx       context.Context
	tree      Tree
	installed []string
	folders   int
	until     time.Time
	found     []find
}

// dir looks at one folder. One that is forbidden or vanished holds nothing to tell.
func (w *search) dir(dir string, depth int) error {
	if err := w.ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", w.tree.Dir, err)
	}
	if w.folders--; w.folders < 0 || time.Now().After(w.until) {
		return fmt.Errorf("%s: more folders than are searched, or too slow to search", w.tree.Dir)
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	if err != nil {
		return err
	}
	programs, libraries := programsOf(dir, entries)
	if len(programs) > 0 && depth > 0 && !dropFolder(dir) && (len(programs) > 1 || libraries) {
		w.found = append(w.found, find{mainProgram(dir, programs)})
		return nil
	}
	for _, p := range programs {
		w.found = append(w.found, find{p})
	}
	limit := maxDepth
	if w.tree.Root {
		limit = rootDepth
	}
	for _, e := range entries {
		sub := filepath.Join(dir, e.Name())
		if !e.IsDir() || depth >= limit || skipFolder(strings.ToLower(e.Name())) || w.isInstalled(sub) || (w.tree.Root && depth == 0 && systemFolder(strings.ToLower(e.Name()))) {
			continue
		}
		if err := w.dir(sub, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *search) isInstalled(dir string) bool {
	dir = strings.ToLower(dir)
	return slices.ContainsFunc(w.installed, func(top string) bool {
		return top != "" && (dir == top || strings.HasPrefix(dir, top+string(filepath.Separator)))
	})
}

// programsOf lists files that look like programs by name, and whether libraries lie beside.
func programsOf(dir string, entries []fs.DirEntry) (programs []string, libraries bool) {
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		switch strings.ToLower(filepath.Ext(e.Name())) {
		case ".exe", ".com", ".scr":
			programs = append(programs, filepath.Join(dir, e.Name()))
		case ".dll":
			libraries = true
		}
	}
	return programs, libraries
}

// mainProgram chooses the program that gives a product its name: one called like the
// folder, else the largest that is no helper.
func mainProgram(dir string, programs []string) string {
	folder := letters(filepath.Base(dir))
	best, bestSize := programs[0], int64(-1)
	for _, p := range programs {
		name := letters(strings.TrimSuffix(filepath.Base(p), filepath.Ext(p)))
		if len(name) > 2 && (strings.HasPrefix(folder, name) || strings.HasPrefix(name, folder)) {
			return p
		}
		info, err := os.Stat(p)
		if err == nil && info.Size() > bestSize && !helper(name) {
			best, bestSize = p, info.Size()
		}
	}
	return best
}

func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, strings.ToLower(s))
}

func helper(name string) bool {
	for _, word := range [...]string{"unins", "setup", "update", "crash", "helper", "install", "report", "elevat"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// dropFolder reports folders in which downloads land: each program is one of its own.
func dropFolder(dir string) bool {
	switch strings.ToLower(filepath.Base(dir)) {
	case "downloads", "descargas", "desktop", "escritorio", "documents", "documentos", "bin":
		return true
	}
	return false
}

// skipFolder reports folders, in lower case, that hold what others answer for, or
// copies: caches, packages, version control, browsers' and editors' own.
func skipFolder(name string) bool {
	switch name {
	case "temp", "tmp", "cache", "caches", "inetcache", "package cache", "packages", "windowsapps", "node_modules", "site-packages", "__pycache__",
		".git", ".svn", ".hg", ".vscode", ".vscode-insiders", ".cursor", ".nuget", ".gradle", ".m2", ".cargo", ".rustup", ".dotnet", "go",
		"user data", "mozilla", "thunderbird", "chocolatey", "scoop", "winget", "python", "npm", "npm-cache", "microsoft", "packagestaging",
		"$recycle.bin", "system volume information", "venv", ".venv", "pipx", "crashpad", "uninstall", "installer cache", "regid.1991-06.com.microsoft":
		return true
	}
	return strings.HasPrefix(name, "$")
}

// systemFolder reports folders in the root of a drive that are searched as themselves,
// or hold what is installed.
func systemFolder(name string) bool {
	switch name {
	case "windows", "windows.old", "program files", "program files (x86)", "program files (arm)", "programdata", "users", "documents and settings",
		"perflogs", "recovery", "msocache", "config.msi", "boot", "efi", "inetpub", "onedrivetemp", "esd", "drivers", "swsetup", "dell", "intel", "amd", "nvidia":
		return true
	}
	return false
}
