package command

import (
	"os"
	"slices"
	"strings"
	"syscall"
)

// Replace lets another program take this one's place: same process, same environment
// with what is added. It returns only where that failed. Elsewhere than on Linux there is
// Supervise instead.
func Replace(path string, args, env []string) error {
	kept := slices.DeleteFunc(os.Environ(), func(old string) bool { // of two with one name the first would count
		name, _, _ := strings.Cut(old, "=")
		return slices.ContainsFunc(env, func(new string) bool { return strings.HasPrefix(new, name+"=") })
	})
	return syscall.Exec(path, append([]string{path}, args...), append(kept, env...))
}
