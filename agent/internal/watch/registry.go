package watch

import "strings"

// keyNotifier tells the sources whose registry keys changed. What it needs is watched
// when it is made; keys and users that come later are watched as they come.
type keyNotifier interface {
	Events() <-chan string // sources
	Close() error
}

// noKeys stands in where there is nothing to watch.
type noKeys struct{}

func (noKeys) Events() <-chan string { return nil }
func (noKeys) Close() error          { return nil }

// keyPattern is a key to watch: below one root, for every user where user is not empty.
type keyPattern struct {
	users  bool   // below HKEY_USERS
	suffix string // of the user's key: "" or "_Classes"
	path   string
}

// parseKeyPattern reads HKLM\path, HKU\*\path and HKU\*_Classes\path.
func parseKeyPattern(text string) (keyPattern, bool) {
	root, rest, ok := strings.Cut(text, `\`)
	if !ok || rest == "" {
		return keyPattern{}, false
	}
	switch root {
	case "HKLM":
		return keyPattern{path: rest}, true
	case "HKU":
		user, path, ok := strings.Cut(rest, `\`)
		suffix, star := strings.CutPrefix(user, "*")
		return keyPattern{users: true, suffix: suffix, path: path}, ok && star && (suffix == "" || suffix == "_Classes")
	}
	return keyPattern{}, false
}

// expand returns the keys of p for those whose keys are below HKEY_USERS.
func (p keyPattern) expand(users []string) []string {
	if !p.users {
		return []string{p.path}
	}
	var paths []string
	for _, u := range users {
		isClasses := strings.HasSuffix(strings.ToLower(u), "_classes")
		if strings.HasPrefix(strings.ToUpper(u), "S-1-") && isClasses == (p.suffix != "") {
			paths = append(paths, u+`\`+p.path)
		}
	}
	return paths
}
