package winsoft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/winreg"
	"vigia/agent/internal/winreg/regf"
	"vigia/internal/fsatomic"
	"vigia/internal/inventory"
)

const profileList = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`

// profile is one user's place on this machine.
type profile struct {
	sid    string
	user   string // the folder's name: what the account was called at its first sign-in
	dir    string
	loaded bool // its hives are in HKEY_USERS
}

// profiles lists those in ProfileList and those whose hive is loaded, whatever their
// kind of SID: of a domain or the machine (S-1-5-21), of Entra ID (S-1-12-1), of the
// system's own accounts. No name is looked up: that may ask a domain controller.
func (m Machine) profiles() ([]profile, error) {
	byID := map[string]profile{}
	err := winreg.Each(m.Local, profileList, func(sid string, k winreg.Key) error {
		dir := m.Expand(winreg.Text(k, "ProfileImagePath"))
		if _, twice := strings.CutSuffix(sid, ".bak"); !twice && dir != "" {
			byID[strings.ToUpper(sid)] = profile{sid: sid, dir: dir, user: userName(sid, dir)}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing profiles: %w", err)
	}
	loaded, err := m.Users.Keys()
	if err != nil {
		return nil, fmt.Errorf("listing who is signed in: %w", err)
	}
	for _, sid := range loaded {
		if !strings.HasPrefix(strings.ToUpper(sid), "S-1-") || strings.HasSuffix(strings.ToLower(sid), "_classes") {
			continue
		}
		p, ok := byID[strings.ToUpper(sid)]
		if !ok {
			p = profile{sid: sid, user: userName(sid, "")}
		}
		p.loaded = true
		byID[strings.ToUpper(sid)] = p
	}
	list := make([]profile, 0, len(byID))
	for _, p := range byID {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b profile) int { return strings.Compare(a.sid, b.sid) })
	return list, nil
}

// userName names the system's own accounts, and everybody else by the profile's folder.
func userName(sid, dir string) string {
	switch sid {
	case "S-1-5-18":
		return "SYSTEM"
	case "S-1-5-19":
		return "LOCAL SERVICE"
	case "S-1-5-20":
		return "NETWORK SERVICE"
	}
	if i := strings.LastIndexAny(dir, `\/`); i >= 0 && i+1 < len(dir) {
		return dir[i+1:]
	}
	return sid
}

// Person is somebody with a folder on this machine.
type Person struct{ User, Dir string }

// People lists those with a profile, but for the system's own accounts.
func (m Machine) People() ([]Person, error) {
	list, err := m.profiles()
	if err != nil {
		return nil, err
	}
	var people []Person
	for _, p := range list {
		if p.dir != "" && p.user != "" && !strings.HasPrefix(p.sid, "S-1-5-18") && !strings.HasPrefix(p.sid, "S-1-5-19") && !strings.HasPrefix(p.sid, "S-1-5-20") {
			people = append(people, Person{p.user, p.dir})
		}
	}
	return people, nil
}

// Installed lists the folders of programs that the source registry tells.
func (m Machine) Installed(ctx context.Context, env *probe.Env) ([]string, error) {
	m.Signer = nil
	list, err := m.registry(ctx, &probe.Env{Root: env.Root, Now: env.Now})
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, p := range list {
		dir := p.Path
		if strings.HasSuffix(strings.ToLower(dir), ".exe") {
			dir = dir[:strings.LastIndexByte(dir, '\\')]
		}
		if len(dir) > 3 && !slices.Contains(dirs, dir) { // not a whole drive
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// Files of a profile, and where their content stands in HKEY_USERS.
const (
	hiveUser    = "NTUSER.DAT"
	hiveClasses = `AppData/Local/Microsoft/Windows/UsrClass.dat`
)

// open returns the root of a user's hive: hiveUser or hiveClasses. fs.ErrNotExist says
// that there is none. dirty tells that it may be older than what the user last did.
func (m Machine) open(p profile, hive string) (root winreg.Key, dirty bool, done func(), err error) {
	if p.loaded {
		sid := p.sid
		if hive == hiveClasses {
			sid += "_Classes"
		}
		root, err = m.Users.Open(sid)
		if err != nil {
			return nil, false, nil, err
		}
		return root, false, func() { root.Close() }, nil
	}
	if p.dir == "" {
		return nil, false, nil, fs.ErrNotExist
	}
	f, err := regf.OpenFile(filepath.Join(p.dir, filepath.FromSlash(hive)))
	if err != nil {
		return nil, false, nil, err
	}
	if root, err = f.Root(); err != nil {
		return nil, false, nil, errors.Join(err, f.Close())
	}
	return root, f.Dirty(), func() { f.Close() }, nil
}

// checkProfiles opens every hive of those who are not signed in.
func (m Machine) checkProfiles() (int, error) {
	list, err := m.profiles()
	if err != nil {
		return 0, err
	}
	var errs []error
	read := 0
	for _, p := range list {
		for _, hive := range [...]string{hiveUser, hiveClasses} {
			_, dirty, done, err := m.open(p, hive)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				continue
			case err != nil:
				errs = append(errs, fmt.Errorf("%s of %s: %w", filepath.Base(hive), p.user, err))
				continue
			case dirty:
				errs = append(errs, fmt.Errorf("%s of %s was not written out when the machine went down; what it tells may be old until %s signs in",
					filepath.Base(hive), p.user, p.user))
			}
			done()
			read++
		}
	}
	return read, errors.Join(errs...)
}

// perUser gathers what each finds in each user's hive. Of a user whose hive cannot be
// read, what was known stays (kept in a file of the cache, by SID): the probe Profiles
// tells of it.
func (m Machine) perUser(env *probe.Env, source, hive string, each func(p profile, root winreg.Key) ([]inventory.Program, error)) ([]inventory.Program, error) {
	list, err := m.profiles()
	if err != nil {
		return nil, err
	}
	file := ""
	if env.CacheDir != "" {
		file = filepath.Join(env.CacheDir, "users-"+source+".json")
	}
	known, next := loadKnown(file), map[string][]inventory.Program{}
	var found []inventory.Program
	for _, p := range list {
		root, _, done, err := m.open(p, hive)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var mine []inventory.Program
		if err == nil {
			mine, err = each(p, root)
			done()
		}
		if err != nil {
			mine = known[p.sid]
		}
		if len(mine) > 0 {
			next[p.sid] = mine
		}
		found = append(found, mine...)
	}
	return found, saveKnown(file, known, next)
}

func loadKnown(file string) map[string][]inventory.Program {
	var known map[string][]inventory.Program
	b, err := os.ReadFile(file)
	if file == "" || err != nil || json.Unmarshal(b, &known) != nil {
		return nil // it is written anew
	}
	return known
}

func saveKnown(file string, was, is map[string][]inventory.Program) error {
	if file == "" || (len(was) == 0 && len(is) == 0) {
		return nil
	}
	before, err := json.Marshal(was)
	if err != nil {
		return err
	}
	after, err := json.Marshal(is)
	if err != nil || string(before) == string(after) {
		return err
	}
	if err := fsatomic.WriteFile(file, after, 0o600); err != nil {
		return fmt.Errorf("keeping what is known of users: %w", err)
	}
	return nil
}
