package software

import (
	"context"
	"path"
	"strings"
	"time"

	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// fileProgram turns what a walk found into an entry.
func fileProgram(ctx context.Context, root *rootfs.FS, f foundExec, user string, details *fileDetails) inventory.Program {
	p := inventory.Program{
		Source: "file", Scope: inventory.ScopeMachine, User: user, Path: f.path, Arch: f.arch, Requested: true,
		InstalledAt: time.Unix(0, f.id.changed()).UTC(),
	}
	if user != "" {
		p.Scope = inventory.ScopeUser
	}
	if f.product != "" {
		p.Path = f.product
		p.Name, p.Version = productName(f.product)
		if v := productVersion(root, f.product); v != "" {
			p.Version = v
		}
		return p
	}
	p.Name, p.Version = SplitName(path.Base(f.path))
	d := details.of(ctx, root, f)
	if d.version != "" {
		p.Version = d.version
	}
	p.SHA256 = d.sha256
	return p
}

// changed is when the content or the name last changed, where the system tells, else
// when the content did; nanoseconds since 1970.
func (id fileID) changed() int64 {
	if id.ctime != 0 {
		return id.ctime
	}
	return id.mtime
}

// productName names a product by its folder. A folder that is only a version takes the
// name of the one it is kept for: ~/.nvm/versions/node/v20.1.0 is node 20.1.0,
// ~/.pyenv/versions/3.11.4 is pyenv 3.11.4, and ~/.rustup/toolchains/stable is rustup stable.
func productName(dir string) (name, version string) {
	base := path.Base(dir)
	if !versionWord(base) && path.Base(path.Dir(dir)) != "toolchains" {
		return SplitName(strings.TrimPrefix(base, "."))
	}
	version = strings.TrimLeft(base, "vV")
	for dir = path.Dir(dir); keepsVersions(dir) || versionWord(path.Base(dir)); {
		dir = path.Dir(dir)
	}
	return strings.TrimPrefix(path.Base(dir), "."), version
}

// productVersion reads the files in which products tell their version.
func productVersion(root *rootfs.FS, dir string) string {
	for _, name := range [...]string{"VERSION", "VERSION.txt", "version.txt"} {
		if b, err := root.ReadFile(path.Join(dir, name), 64<<10); err == nil {
			if v := firstVersion(string(b)); v != "" {
				return v
			}
		}
	}
	b, err := root.ReadFile(path.Join(dir, "release"), 64<<10) // JDKs
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "JAVA_VERSION="); ok {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}
