package rootfs

import (
	"os"
	"path/filepath"
)

// openFlags opens for reading.
const openFlags = os.O_RDONLY

// live is where name lies on the running system: /C:/Users is C:\Users, and a name
// without a drive is on the system's own.
func live(name string) string {
	name = clean(name)
	if len(name) >= 3 && name[2] == ':' {
		if name = name[1:]; len(name) == 2 {
			name += "/"
		}
	}
	return filepath.FromSlash(name)
}
