package addons

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"vigia/internal/inventory"
)

// chromiumFolders are the browsers' folders below a home. Each holds profiles; Opera's
// is one itself.
func chromiumFolders(windows bool) []string {
	if windows {
		const l = "AppData/Local/"
		return []string{l + "Google/Chrome/User Data", l + "Google/Chrome Beta/User Data", l + "Microsoft/Edge/User Data", l + "Chromium/User Data",
			l + "BraveSoftware/Brave-Browser/User Data", l + "Vivaldi/User Data", "AppData/Roaming/Opera Software/Opera Stable"}
	}
	return []string{".config/google-chrome", ".config/google-chrome-beta", ".config/chromium", ".config/microsoft-edge",
		".config/BraveSoftware/Brave-Browser", ".config/vivaldi", ".config/opera", "snap/chromium/common/chromium",
		".var/app/com.google.Chrome/config/google-chrome", ".var/app/org.chromium.Chromium/config/chromium",
		".var/app/com.brave.Browser/config/BraveSoftware/Brave-Browser", ".var/app/com.microsoft.Edge/config/microsoft-edge"}
}

// chromiumWatch names the profiles that a browser makes by itself: a pattern would wake
// for every file that a browser writes while it runs.
func chromiumWatch(p Places) []string {
	var globs []string
	for _, dir := range chromiumFolders(p.Windows) {
		for _, profile := range [...]string{"Default", "Profile 1", "Profile 2"} {
			globs = append(globs, p.below(dir+"/"+profile+"/Extensions/*")...)
		}
	}
	return globs
}

// chromiumManifest is manifest.json of an extension.
type chromiumManifest struct {
	Name      text   `json:"name"`
	Version   text   `json:"version"`
	Author    person `json:"author"`
	UpdateURL text   `json:"update_url"`
	Locale    text   `json:"default_locale"`
}

// ParseChromiumManifest reads a manifest, with messages giving the file of texts in the
// extension's own language where the name refers to one.
func ParseChromiumManifest(b []byte, messages func(locale string) []byte) (inventory.Program, error) {
	var m chromiumManifest
	if err := json.Unmarshal(trimBOM(b), &m); err != nil {
		return inventory.Program{}, fmt.Errorf("reading a manifest: %w", err)
	}
	p := inventory.Program{Name: string(m.Name), Version: string(m.Version), Publisher: string(m.Author), Requested: true}
	if key, ok := strings.CutPrefix(p.Name, "__MSG_"); ok {
		p.Name = ""
		var texts map[string]struct {
			Message text `json:"message"`
		}
		if json.Unmarshal(trimBOM(messages(path.Base("/"+string(m.Locale)))), &texts) == nil {
			for name, t := range texts {
				if strings.EqualFold(name, strings.TrimSuffix(key, "__")) {
					p.Name = string(t.Message)
				}
			}
		}
	}
	switch url := string(m.UpdateURL); {
	case strings.Contains(url, "://clients2.google.com/"):
		p.Origin = "Chrome Web Store"
	case strings.Contains(url, "://edge.microsoft.com/"):
		p.Origin = "Edge Add-ons"
	case strings.Contains(url, "://extension-updates.opera.com/"):
		p.Origin = "Opera addons"
	}
	return p, nil
}

// trimBOM takes a byte order mark away, which editors of Windows leave.
func trimBOM(b []byte) []byte { return []byte(strings.TrimPrefix(string(b), "\ufeff")) }

func (p Places) collectChromium(f *found, h Home) {
	if h.Path == "" {
		return
	}
	for _, dir := range chromiumFolders(p.Windows) {
		top := h.Path + "/" + dir
		if !f.root.Exists(top) {
			continue
		}
		f.present = true
		for _, id := range append(f.glob(escape(top)+"/*/Extensions/*"), f.glob(escape(top)+"/Extensions/*")...) {
			if extensionID(path.Base(id)) {
				f.chromium(h, id)
			}
		}
	}
}

// escape makes a path a pattern that matches itself.
func escape(p string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(p)
}

// extensionID reports names of extensions: 32 letters from a to p.
func extensionID(name string) bool {
	return len(name) == 32 && strings.Trim(name, "abcdefghijklmnop") == ""
}

// chromium adds one extension, by the newest of its versions.
func (f *found) chromium(h Home, dir string) {
	version := newest(f.glob(escape(dir) + "/*"))
	b, ok := f.read(version + "/manifest.json")
	if !ok {
		return
	}
	e, err := ParseChromiumManifest(b, func(locale string) []byte {
		texts, _ := f.read(version + "/_locales/" + locale + "/messages.json")
		return texts
	})
	if err != nil {
		return // half written: the next look finds it whole
	}
	if e.Name == "" {
		e.Name = path.Base(dir)
	}
	f.add(h, e, dir)
}
