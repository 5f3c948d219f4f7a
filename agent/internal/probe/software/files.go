package software

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// FilesOptions bound the search for executables. Zero values take the defaults.
type FilesOptions struct {
	Wall    time.Duration // for the whole search; default 10 s
	Folders int           // folders listed in one home, and in /opt and /usr/local each; default 20,000
	Files   int           // files looked at in each of them; default 200,000
	Depth   int           // folders below a home or /usr/local; default 12. Deeper ones are not searched

	// readDir stands in for the listing of a folder in tests.
	readDir func(root *rootfs.FS, name string) ([]fs.DirEntry, error)
}

func (o FilesOptions) withDefaults() FilesOptions {
	if o.Wall <= 0 {
		o.Wall = 10 * time.Second
	}
	if o.Folders <= 0 {
		o.Folders = 20_000
	}
	if o.Files <= 0 {
		o.Files = 200_000
	}
	if o.Depth <= 0 {
		o.Depth = 12
	}
	if o.readDir == nil {
		o.readDir = (*rootfs.FS).ReadDir
	}
	return o
}

// Files finds executables that no package owns: in /opt, in /usr/local and in people's
// homes. ELF programs and AppImages count anywhere there, scripts in folders for
// programs only (bin, sbin, games); all must have an execute bit.
//
// A product's tree is one entry: a folder with bin beside lib, share or the like, a
// folder of /opt, a folder with several programs side by side below the top two
// levels; Path is then the folder. In bin, Downloads, Desktop and the like each file is
// an entry of its own. Links count where what they lead to does not. Python
// environments, caches, profiles, trash, version control, package managers' stores and
// network file systems are not searched (skipFolder, networkType).
//
// Version is that of Go's build information, else of a VERSION file or of the name,
// else empty. InstalledAt is the file's time of change (ctime): when it came here or
// was last written, made executable or renamed.
//
// Where the time or the number of folders runs out, or a folder hangs, the answer is an
// error that says where, so that nothing reads as removed.
func Files(o FilesOptions) probe.Probe {
	o = o.withDefaults()
	return probe.Probe{
		Source: "file", Section: inventory.SectionSoftware, Timeout: o.Wall + 5*time.Second,
		Watch: filesWatch(),
		Collect: func(ctx context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			return collectFiles(ctx, env, o, part)
		},
	}
}

// filesWatch names the folders where programs land. Whole homes are not watched: what
// lands elsewhere is found by the next whole inventory.
func filesWatch() []string {
	globs := []string{"/opt", "/opt/*", "/usr/local", "/usr/local/bin/*", "/usr/local/sbin/*", "/usr/local/games/*"}
	for _, home := range [...]string{"/home/*", "/root"} {
		for _, dir := range [...]string{"bin", ".local/bin", ".cargo/bin", "go/bin", "Downloads", "Descargas", "Desktop", "Escritorio", "Applications", "Aplicaciones", "AppImages", "opt"} {
			globs = append(globs, home+"/"+dir+"/*")
		}
	}
	return globs
}

// tree is one place to search.
type fileTree struct {
	top, user string
}

// treeResult is what came of it.
type treeResult struct {
	programs []inventory.Program
	err      error
}

func collectFiles(ctx context.Context, env *probe.Env, o FilesOptions, part *inventory.Snapshot) (int, error) {
	root, err := rootfs.Open(env.Root)
	if err != nil {
		return 0, err
	}
	mounts, err := networkMounts(env)
	var people []home
	if err == nil {
		people, err = homes(root, mounts)
	}
	if err != nil {
		root.Close()
		return 0, err
	}
	trees := []fileTree{{top: "/opt"}, {top: "/usr/local"}}
	for _, h := range people {
		trees = append(trees, fileTree{h.path, h.user})
	}
	ctx, cancel := context.WithTimeout(ctx, o.Wall)
	details := openDetails(cacheFile(env, fileDetailsFile), env.Hash)
	owned := sync.OnceValues(func() (map[string]bool, error) { return ownedPaths(root) })
	results := make([]chan treeResult, len(trees))
	turn := make(chan struct{}, 2) // two trees at a time: one that hangs does not hold up the others
	var busy sync.WaitGroup
	for i, t := range trees {
		results[i] = make(chan treeResult, 1)
		busy.Add(1)
		go func() {
			defer busy.Done()
			searchTree(ctx, root, t, o, mounts, trees, owned, details, turn, results[i])
		}()
	}
	go func() { // a tree that hangs keeps the root open until it comes back
		busy.Wait()
		cancel()
		root.Close()
	}()
	return gather(ctx, trees, results, details, part)
}

// gather takes the results in the order of trees, until ctx ends.
func gather(ctx context.Context, trees []fileTree, results []chan treeResult, details *fileDetails, part *inventory.Snapshot) (int, error) {
	before := len(part.Software)
	var errs error
	for i, t := range trees {
		var r treeResult
		select {
		case r = <-results[i]:
		case <-ctx.Done():
			select {
			case r = <-results[i]:
			default:
				r.err = fmt.Errorf("%s did not answer in time: %w", t.top, ctx.Err())
			}
		}
		part.Software = append(part.Software, r.programs...)
		errs = errors.Join(errs, r.err)
	}
	if errs != nil {
		return len(part.Software) - before, fmt.Errorf("%w: %w", probe.ErrPartial, errs)
	}
	return len(part.Software) - before, details.save()
}

// searchTree searches one tree when it is its turn.
func searchTree(ctx context.Context, root *rootfs.FS, t fileTree, o FilesOptions, mounts map[string]bool, trees []fileTree,
	owned func() (map[string]bool, error), details *fileDetails, turn chan struct{}, result chan<- treeResult) {
	select {
	case turn <- struct{}{}:
	case <-ctx.Done():
		result <- treeResult{err: fmt.Errorf("%s was not searched: %w", t.top, ctx.Err())}
		return
	}
	defer func() { <-turn }()
	w := &fileWalk{
		ctx: ctx, root: root, top: t.top, mounts: mounts, dirs: o.Folders, looks: o.Files, depth: o.Depth,
		readDir: func(name string) ([]fs.DirEntry, error) { return o.readDir(root, name) },
		owned:   func(string) bool { return false },
	}
	if onMount(t.top, mounts) {
		result <- treeResult{}
		return
	}
	for _, other := range trees { // a home inside another tree is searched as itself
		if other.top != t.top {
			w.mounts = with(w.mounts, other.top)
		}
	}
	var ownErr error
	if t.user == "" {
		w.owned = func(name string) bool {
			paths, err := owned()
			ownErr = errors.Join(ownErr, err)
			return paths[name]
		}
	}
	var err error
	if t.top == "/opt" {
		err = w.opt()
	} else {
		err = w.tree()
	}
	if err == nil && w.looks < 0 {
		err = fmt.Errorf("%s: %w", t.top, errBudget)
	}
	if err = errors.Join(err, ownErr); err != nil {
		result <- treeResult{err: err}
		return
	}
	w.follow()
	programs := make([]inventory.Program, 0, len(w.found))
	for _, f := range distinctFiles(w.found) {
		if ctx.Err() != nil {
			result <- treeResult{err: fmt.Errorf("%s: %w", t.top, ctx.Err())}
			return
		}
		programs = append(programs, fileProgram(ctx, root, f, t.user, details))
	}
	result <- treeResult{programs: programs}
}

// opt treats each folder of /opt as one product, whatever its layout.
func (w *fileWalk) opt() error {
	entries, err := w.list(w.top)
	if err != nil {
		return err
	}
	w.found = append(w.found, w.files(w.top, entries)...)
	for _, e := range entries {
		if sub := w.top + "/" + e.Name(); e.IsDir() && !w.mounts[sub] {
			if _, err := w.product(sub); err != nil {
				return err
			}
		}
	}
	return nil
}

func with(set map[string]bool, key string) map[string]bool {
	next := map[string]bool{key: true}
	for k := range set {
		next[k] = true
	}
	return next
}

// distinctFiles leaves out further names (hard links) of a file, the first name stays.
func distinctFiles(list []foundExec) []foundExec {
	type inode struct{ dev, ino uint64 }
	seen := make(map[inode]bool, len(list))
	kept := list[:0]
	for _, f := range list {
		at := inode{f.id.dev, f.id.ino}
		if at.ino != 0 && f.product == "" && seen[at] {
			continue
		}
		seen[at] = true
		kept = append(kept, f)
	}
	return kept
}
