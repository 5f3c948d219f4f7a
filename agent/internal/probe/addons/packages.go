package addons

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"

	"vigia/internal/inventory"
)

// pipFolders are where packages of Python lie: below a home, and on the machine. What
// the distribution installs lies elsewhere and is told by its package manager.
func pipFolders(windows bool) (user, machine []string) {
	if windows {
		return []string{"AppData/Roaming/Python/Python*/site-packages", "AppData/Local/Programs/Python/Python*/Lib/site-packages",
				"AppData/Local/Packages/PythonSoftwareFoundation.*/LocalCache/local-packages/Python*/site-packages",
				"pipx/venvs/*/Lib/site-packages", "miniconda3/Lib/site-packages", "anaconda3/Lib/site-packages"},
			[]string{"/C:/Python*/Lib/site-packages", "/C:/Program Files/Python*/Lib/site-packages"}
	}
	return []string{".local/lib/python*/site-packages", ".local/share/pipx/venvs/*/lib/python*/site-packages", ".local/pipx/venvs/*/lib/python*/site-packages",
			"miniconda3/lib/python*/site-packages", "anaconda3/lib/python*/site-packages"},
		[]string{"/usr/local/lib/python*/dist-packages", "/usr/local/lib/python*/site-packages", "/opt/pipx/venvs/*/lib/python*/site-packages"}
}

func pipWatch(p Places) []string {
	user, machine := pipFolders(p.Windows)
	var globs []string
	for _, dir := range user[:1] { // where `pip install --user` writes; the rest is found by the next whole inventory
		globs = append(globs, p.below(dir+"/*.dist-info")...)
	}
	for _, dir := range machine[:1] {
		globs = append(globs, dir+"/*.dist-info")
	}
	return globs
}

// ParseMetadata reads METADATA of an installed Python package (PEP 566): headers as in
// mail, up to the first empty line.
func ParseMetadata(r io.Reader) (inventory.Program, error) {
	var p inventory.Program
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), 64<<10)
	for lines.Scan() && lines.Text() != "" {
		key, value, ok := strings.Cut(lines.Text(), ":")
		if !ok || strings.HasPrefix(key, " ") {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.ToLower(key) {
		case "name":
			p.Name = value
		case "version":
			p.Version = value
		case "author":
			p.Publisher = value
		case "author-email":
			if p.Publisher == "" {
				p.Publisher = strings.TrimSpace(strings.Trim(strings.SplitN(value, "<", 2)[0], `" `))
			}
		}
	}
	if err := lines.Err(); err != nil {
		return p, fmt.Errorf("reading METADATA: %w", err)
	}
	if strings.Contains(p.Publisher, "@") {
		p.Publisher = ""
	}
	return p, nil
}

func (p Places) collectPip(f *found, h Home) {
	user, machine := pipFolders(p.Windows)
	dirs := machine
	if h.Path != "" {
		dirs = dirs[:0:0]
		for _, d := range user {
			dirs = append(dirs, escape(h.Path)+"/"+d)
		}
	}
	for _, dir := range dirs {
		for _, file := range f.glob(dir + "/*.dist-info/METADATA") {
			b, ok := f.read(file)
			if !ok {
				continue
			}
			e, err := ParseMetadata(bytes.NewReader(b))
			if err != nil {
				continue
			}
			at := path.Dir(file)
			e.Requested = f.root.Exists(at + "/REQUESTED") // PEP 376: a person asked for it
			if !f.root.Exists(at + "/direct_url.json") {
				e.Origin = "PyPI"
			}
			f.add(h, e, at)
		}
	}
}

// npmFolders hold packages that are installed for use everywhere, not for one project.
func npmFolders(windows bool) (user, machine []string) {
	if windows {
		return []string{"AppData/Roaming/npm/node_modules"}, nil
	}
	return []string{".npm-global/lib/node_modules", ".local/lib/node_modules", ".nvm/versions/node/*/lib/node_modules"}, []string{"/usr/local/lib/node_modules"}
}

func npmWatch(p Places) []string {
	user, machine := npmFolders(p.Windows)
	globs := p.below(user[0] + "/*")
	for _, dir := range machine {
		globs = append(globs, dir+"/*")
	}
	return globs
}

// ParseNode reads package.json of a package.
func ParseNode(b []byte) (inventory.Program, error) {
	var m struct {
		Name, Version text
		Author        person
	}
	if err := json.Unmarshal(trimBOM(b), &m); err != nil {
		return inventory.Program{}, fmt.Errorf("reading package.json: %w", err)
	}
	return inventory.Program{Name: string(m.Name), Version: string(m.Version), Publisher: string(m.Author), Requested: true}, nil
}

func (p Places) collectNpm(f *found, h Home) {
	user, machine := npmFolders(p.Windows)
	dirs := machine
	if h.Path != "" {
		dirs = dirs[:0:0]
		for _, d := range user {
			dirs = append(dirs, escape(h.Path)+"/"+d)
		}
	}
	for _, dir := range dirs {
		for _, file := range append(f.glob(dir+"/*/package.json"), f.glob(dir+"/@*/*/package.json")...) {
			b, ok := f.read(file)
			if !ok {
				continue
			}
			e, err := ParseNode(b)
			if err != nil {
				continue
			}
			e.Origin = "npm"
			e.Hidden = e.Name == "npm" || e.Name == "corepack" // Node.js brings them
			e.Requested = !e.Hidden
			f.add(h, e, path.Dir(file))
		}
	}
}

// ParseNuspec reads the description of a Chocolatey package.
func ParseNuspec(b []byte) (inventory.Program, error) {
	var m struct {
		Metadata struct {
			ID      string `xml:"id"`
			Title   string `xml:"title"`
			Version string `xml:"version"`
			Authors string `xml:"authors"`
		} `xml:"metadata"`
	}
	if err := xml.Unmarshal(trimBOM(b), &m); err != nil {
		return inventory.Program{}, fmt.Errorf("reading a nuspec: %w", err)
	}
	p := inventory.Program{Name: m.Metadata.Title, Version: m.Metadata.Version, Publisher: m.Metadata.Authors, Requested: true, Origin: "Chocolatey"}
	if p.Name == "" {
		p.Name = m.Metadata.ID
	}
	return p, nil
}

func (p Places) collectChocolatey(f *found, h Home) {
	if h.Path != "" {
		return
	}
	for _, file := range f.glob("/C:/ProgramData/chocolatey/lib/*/*.nuspec") {
		if b, ok := f.read(file); ok {
			if e, err := ParseNuspec(b); err == nil {
				f.add(h, e, path.Dir(file))
			}
		}
	}
}

func (p Places) collectScoop(f *found, h Home) {
	top := h.Path + "/scoop/apps"
	if h.Path == "" {
		top = "/C:/ProgramData/scoop/apps"
	}
	for _, file := range f.glob(escape(top) + "/*/current/manifest.json") {
		var m struct{ Version text }
		var from struct{ Bucket text }
		b, ok := f.read(file)
		if !ok || json.Unmarshal(trimBOM(b), &m) != nil {
			continue
		}
		at := path.Dir(path.Dir(file))
		if b, ok := f.read(path.Dir(file) + "/install.json"); ok {
			_ = json.Unmarshal(trimBOM(b), &from) // where it came from is told where it is known
		}
		e := inventory.Program{Name: path.Base(at), Version: string(m.Version), Requested: true, Origin: "Scoop"}
		if from.Bucket != "" {
			e.Origin = "Scoop " + string(from.Bucket)
		}
		f.add(h, e, at)
	}
}
