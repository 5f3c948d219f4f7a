package system

import (
	"bufio"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"vigia/internal/inventory"
)

// uidRange are the user ids of people, UID_MIN to UID_MAX of login.defs(5).
type uidRange struct{ Min, Max int }

// parseLoginDefs reads the range; what the file does not tell is 1000 to 60000.
func parseLoginDefs(r io.Reader) (uidRange, error) {
	uids := uidRange{Min: 1000, Max: 60000}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) < 2 {
			continue
		}
		n, err := strconv.Atoi(f[1])
		if err != nil || n < 0 {
			continue
		}
		switch f[0] {
		case "UID_MIN":
			uids.Min = n
		case "UID_MAX":
			uids.Max = n
		}
	}
	return uids, lines.Err()
}

// admins are the members of the groups that may become root.
type admins struct {
	Names []string // logins
	GIDs  []string // ids of the groups, for those whose first group it is
}

// parseGroup reads group(5): members of sudo, wheel and admin.
func parseGroup(r io.Reader) (admins, error) {
	var a admins
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), 1<<20)
	for lines.Scan() {
		f := strings.Split(lines.Text(), ":")
		if len(f) < 4 {
			continue
		}
		switch f[0] {
		case "sudo", "wheel", "admin":
			a.GIDs = append(a.GIDs, f[2])
			a.Names = append(a.Names, strings.Split(strings.TrimSpace(f[3]), ",")...)
		}
	}
	return a, lines.Err()
}

// parsePasswd reads passwd(5): accounts with a person's user id and a shell to work
// in. The field with the person's name is not looked at.
func parsePasswd(r io.Reader, uids uidRange, a admins) ([]inventory.Account, error) {
	var list []inventory.Account
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), 1<<20)
	for lines.Scan() {
		f := strings.Split(lines.Text(), ":")
		if len(f) < 7 || f[0] == "" {
			continue
		}
		uid, err := strconv.Atoi(f[2])
		if err != nil || uid < uids.Min || uid > uids.Max || !isShell(f[6]) {
			continue
		}
		list = append(list, inventory.Account{Name: f[0], Admin: slices.Contains(a.Names, f[0]) || slices.Contains(a.GIDs, f[3])})
	}
	return list, lines.Err()
}

// isShell reports whether one can sign in with it; an empty field is /bin/sh.
func isShell(shell string) bool {
	switch path.Base(strings.TrimSpace(shell)) {
	case "nologin", "false", "true", "sync", "shutdown", "halt", "poweroff", "git-shell":
		return false
	}
	return true
}
