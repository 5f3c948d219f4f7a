package service

import (
	"slices"
)

// accessEntry is one entry of a list of rights, as far as it matters here.
type accessEntry struct {
	sid         string
	allow       bool
	inheritOnly bool // for what is made below, not for this
	mask        uint32
}

// Rights that let somebody change a file, a folder's content, or who may (winnt.h).
const (
	writeRights = 0x00000002 | 0x00000004 | 0x00000040 | // FILE_WRITE_DATA, FILE_APPEND_DATA, FILE_DELETE_CHILD
		0x00010000 | 0x00040000 | 0x00080000 | // DELETE, WRITE_DAC, WRITE_OWNER
		0x10000000 | 0x40000000 // GENERIC_ALL, GENERIC_WRITE
)

// trustedSIDs may change the agent's file: the system, administrators, Windows' own
// installer, and who owns what they make.
func trustedSIDs() []string {
	return []string{
		"S-1-5-18", "S-1-5-32-544",
		"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", // TrustedInstaller
		"S-1-3-0", // CREATOR OWNER
	}
}

// whoMayWrite returns the first who may change something and is not trusted.
func whoMayWrite(owner string, entries []accessEntry, trusted []string) (sid string, found bool) {
	if !slices.Contains(trusted, owner) { // an owner may give himself any right
		return owner, true
	}
	for _, e := range entries {
		if e.allow && !e.inheritOnly && e.mask&writeRights != 0 && !slices.Contains(trusted, e.sid) {
			return e.sid, true
		}
	}
	return "", false
}
