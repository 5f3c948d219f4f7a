package addons

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"
	"time"

	"vigia/internal/inventory"
)

// firefoxFolders hold profiles of Firefox and Thunderbird.
func firefoxFolders(windows bool) []string {
	if windows {
		return []string{"AppData/Roaming/Mozilla/Firefox/Profiles", "AppData/Roaming/Thunderbird/Profiles", "AppData/Roaming/LibreWolf/Profiles"}
	}
	return []string{".mozilla/firefox", "snap/firefox/common/.mozilla/firefox", ".var/app/org.mozilla.firefox/.mozilla/firefox", ".thunderbird", ".librewolf"}
}

func firefoxWatch(p Places) []string {
	var globs []string
	for _, dir := range firefoxFolders(p.Windows) {
		globs = append(globs, p.below(dir+"/*/extensions/*.xpi")...)
	}
	return globs
}

// firefoxAddon is an entry of extensions.json (XPIDatabase of Firefox).
type firefoxAddon struct {
	ID       text `json:"id"`
	Version  text `json:"version"`
	Type     text `json:"type"`
	Location text `json:"location"`
	Source   text `json:"sourceURI"`
	Path     text `json:"path"`
	Locale   struct {
		Name    text `json:"name"`
		Creator text `json:"creator"`
	} `json:"defaultLocale"`
	Installed float64 `json:"installDate"` // ms since 1970
}

// ParseFirefox reads extensions.json. What Firefox brings itself is left out; languages,
// dictionaries and themes are Hidden. Path is the file of the add-on.
func ParseFirefox(b []byte) ([]inventory.Program, error) {
	var doc struct {
		Addons []json.RawMessage `json:"addons"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("reading extensions.json: %w", err)
	}
	var list []inventory.Program
	for _, raw := range doc.Addons {
		var a firefoxAddon
		if json.Unmarshal(raw, &a) != nil || a.ID == "" || strings.HasPrefix(string(a.Location), "app-builtin") || strings.HasPrefix(string(a.Location), "app-system") {
			continue
		}
		p := inventory.Program{Name: string(a.Locale.Name), Version: string(a.Version), Publisher: string(a.Locale.Creator), Path: string(a.Path),
			Hidden: a.Type != "extension"}
		if p.Name == "" {
			p.Name = string(a.ID)
		}
		p.Requested = !p.Hidden
		if strings.HasPrefix(string(a.Source), "https://addons.mozilla.org/") {
			p.Origin = "Firefox Add-ons"
		} else if strings.HasPrefix(string(a.Source), "https://addons.thunderbird.net/") {
			p.Origin = "Thunderbird Add-ons"
		}
		if ms := a.Installed; ms > 0 && ms < 4e12 {
			p.InstalledAt = time.UnixMilli(int64(ms)).UTC().Truncate(time.Second)
		}
		list = append(list, p)
	}
	return list, nil
}

func (p Places) collectFirefox(f *found, h Home) {
	if h.Path == "" {
		return
	}
	for _, dir := range firefoxFolders(p.Windows) {
		for _, file := range f.glob(escape(h.Path+"/"+dir) + "/*/extensions.json") {
			f.present = true
			b, ok := f.read(file)
			if !ok {
				continue
			}
			list, err := ParseFirefox(b)
			if err != nil {
				f.errs = append(f.errs, fmt.Errorf("%s: %w", file, err))
				continue
			}
			for _, e := range list {
				at := path.Dir(file)
				if base := path.Base(strings.ReplaceAll(e.Path, `\`, "/")); e.Path != "" {
					at += "/extensions/" + base
				}
				f.add(h, e, at)
			}
		}
	}
}

// vscodeFolders hold extensions of editors of the VS Code family.
func vscodeFolders() []string {
	return []string{".vscode/extensions", ".vscode-insiders/extensions", ".vscode-oss/extensions", ".vscode-server/extensions", ".cursor/extensions", ".windsurf/extensions"}
}

func vscodeWatch(p Places) []string {
	var globs []string
	for _, dir := range vscodeFolders() {
		globs = append(globs, p.below(dir+"/*")...)
	}
	return globs
}

// ParseVSCode reads package.json of an extension; nls is package.nls.json, for a name
// such as %displayName%.
func ParseVSCode(b, nls []byte) (inventory.Program, error) {
	var m struct {
		Name, DisplayName, Version, Publisher text
		Metadata                              struct {
			Publisher text `json:"publisherDisplayName"`
			Source    text `json:"source"`
			ID        text `json:"id"`
		} `json:"__metadata"`
	}
	if err := json.Unmarshal(trimBOM(b), &m); err != nil {
		return inventory.Program{}, fmt.Errorf("reading package.json: %w", err)
	}
	p := inventory.Program{Name: string(m.DisplayName), Version: string(m.Version), Publisher: string(m.Metadata.Publisher), Requested: true}
	if key := strings.Trim(p.Name, "%"); len(key)+2 == len(p.Name) {
		var texts map[string]text
		p.Name = ""
		if json.Unmarshal(trimBOM(nls), &texts) == nil {
			p.Name = string(texts[key])
		}
	}
	if p.Name == "" {
		p.Name = string(m.Name)
	}
	if p.Publisher == "" {
		p.Publisher = string(m.Publisher)
	}
	if m.Metadata.Source == "gallery" || m.Metadata.ID != "" {
		p.Origin = "VS Code gallery"
	}
	return p, nil
}

func (p Places) collectVSCode(f *found, h Home) {
	if h.Path == "" {
		return
	}
	for _, dir := range vscodeFolders() {
		top := h.Path + "/" + dir
		if !f.root.Exists(top) {
			continue
		}
		f.present = true
		gone := map[string]bool{} // versions to be removed when the editor starts next
		if b, ok := f.read(top + "/.obsolete"); ok {
			_ = json.Unmarshal(b, &gone)
		}
		for _, file := range f.glob(escape(top) + "/*/package.json") {
			at := path.Dir(file)
			b, ok := f.read(file)
			if !ok || gone[path.Base(at)] {
				continue
			}
			nls, _ := f.read(at + "/package.nls.json")
			if e, err := ParseVSCode(b, nls); err == nil { // half written: the next look finds it whole
				f.add(h, e, at)
			}
		}
	}
}
