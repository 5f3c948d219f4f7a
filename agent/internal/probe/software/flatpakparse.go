package software

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

// ParseKeyFile reads a GLib key file (flatpak's metadata, an OSTree repo's config) and
// calls entry for each key with its group. What is no entry is passed over.
func ParseKeyFile(r io.Reader, entry func(group, key, value string)) error {
	sc := bufio.NewScanner(r)
	group := ""
	for sc.Scan() {
		line := strings.TrimSpace(sc.Text())
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") {
			group = line[1 : len(line)-1]
			continue
		}
		if key, value, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			entry(group, strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
	return sc.Err()
}

// flatpakDeploy is what a deploy file tells.
type flatpakDeploy struct {
	Remote, Commit string
	Name, Version  string // from the application's AppStream data
}

var errDeploy = errors.New("not a flatpak deploy file")

// ParseDeploy reads a flatpak deploy file: a GVariant of type (ssasta{sv}), that is
// remote, commit, subpaths, size, details. The two strings stand at the front; details
// are found by their key, for a string value stands 8-byte aligned behind it.
func ParseDeploy(b []byte) (flatpakDeploy, error) {
	remote, rest, ok := bytes.Cut(b, []byte{0})
	commit, _, ok2 := bytes.Cut(rest, []byte{0})
	if !ok || !ok2 || len(remote) == 0 || len(remote) > maxStringLen || !isHex(commit) {
		return flatpakDeploy{}, errDeploy
	}
	return flatpakDeploy{
		Remote: string(remote), Commit: string(commit),
		Name: deployDetail(b, "appdata-name"), Version: deployDetail(b, "appdata-version"),
	}, nil
}

func deployDetail(b []byte, key string) string {
	i := bytes.Index(b, []byte("\x00"+key+"\x00"))
	if i < 0 {
		return ""
	}
	i = (i + 1 + len(key) + 1 + 7) &^ 7
	if i >= len(b) {
		return ""
	}
	value, rest, ok := bytes.Cut(b[i:], []byte{0})
	if !ok || len(rest) < 2 || rest[0] != 0 || rest[1] != 's' || len(value) > maxStringLen {
		return ""
	}
	return string(value)
}

func isHex(b []byte) bool {
	return len(b) == 64 && len(bytes.Trim(b, "0123456789abcdef")) == 0
}

// appstream is what a metainfo file tells.
type appstream struct{ Name, Developer, Version string }

// ParseMetainfo reads the first component of an AppStream metainfo file: its name
// without a language, its developer, its first (that is newest) release. It looks for
// these elements only and takes any text, so that an odd file costs details, no more.
func ParseMetainfo(b []byte) appstream {
	var a appstream
	developer := element(b, "developer")
	a.Developer = unescape(element(developer, "name"))
	if a.Developer == "" {
		a.Developer = unescape(element(b, "developer_name"))
	}
	if i := bytes.Index(b, []byte("<developer")); i >= 0 && len(element(b[:i], "name")) == 0 && len(developer) > 0 {
		b = b[i+len("<developer"):]
		if _, after, ok := bytes.Cut(b, []byte("</developer>")); ok {
			b = after
		}
	}
	a.Name = unescape(element(b, "name"))
	if i := bytes.Index(b, []byte("<release ")); i >= 0 {
		tag, _, _ := bytes.Cut(b[i:], []byte(">"))
		a.Version = unescape(attribute(tag, "version"))
	}
	return a
}

// element returns the content of the first element called name that has no xml:lang.
func element(b []byte, name string) []byte {
	for {
		i := bytes.Index(b, []byte("<"+name))
		if i < 0 {
			return nil
		}
		b = b[i+1+len(name):]
		tag, body, ok := bytes.Cut(b, []byte(">"))
		if !ok {
			return nil
		}
		whole := len(tag) == 0 || tag[0] == ' ' || tag[0] == '\n' || tag[0] == '\t'
		if !whole || bytes.Contains(tag, []byte("xml:lang")) || bytes.HasSuffix(tag, []byte("/")) {
			continue
		}
		content, _, ok := bytes.Cut(body, []byte("</"+name+">"))
		if !ok {
			return nil
		}
		return content
	}
}

func attribute(tag []byte, name string) []byte {
	for _, quote := range [...]string{`"`, `'`} {
		if _, after, ok := bytes.Cut(tag, []byte(" "+name+"="+quote)); ok {
			value, _, _ := bytes.Cut(after, []byte(quote))
			return value
		}
	}
	return nil
}

func unescape(b []byte) string {
	s := strings.TrimSpace(string(b[:min(len(b), maxStringLen)]))
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&").Replace(s)
}
