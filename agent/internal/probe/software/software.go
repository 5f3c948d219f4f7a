// Package software owns the sources that tell which programs a Linux machine has:
// the package databases of dpkg, snapd and flatpak, and executables that no package
// owns. It refuses to judge a program, to run one, and to ask the network; it only
// reads files below the root it is given, and says of each entry who distributes it
// and whether somebody asked for it.
//
// Each source is a pure parser on an io.Reader, and a small probe around it.
package software

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"vigia/agent/internal/probe"
)

// Limits on what is read; a file beyond them is a failure of its source, told as such.
const (
	maxSmallFile = 1 << 20  // passwd, os-release, unit and metadata files
	maxDatabase  = 64 << 20 // dpkg status, snapd state
	maxStringLen = 512      // bytes of one text kept in memory: inventory.MaxText
)

// absent returns probe.ErrAbsent with what was looked for.
func absent(what string) error { return fmt.Errorf("%s: %w", what, probe.ErrAbsent) }

// missing reports whether err says that a file or folder does not exist.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// cacheFile returns the file that the probe called name may use, or "".
func cacheFile(env *probe.Env, name string) string {
	if env.CacheDir == "" {
		return ""
	}
	return filepath.Join(env.CacheDir, name)
}
