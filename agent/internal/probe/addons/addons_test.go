package addons

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

const id = "cjpalhdlnbpafiamejdnhcphjbkeiagm"

// files are what browsers, editors and package managers leave, as they write it.
func files() map[string]string {
	return map[string]string{
		".config/google-chrome/Default/Extensions/" + id + "/1.9.0_0/manifest.json":                 `{"name":"old","version":"1.9.0"}`,
		".config/google-chrome/Default/Extensions/" + id + "/1.10.2_0/manifest.json":                "\ufeff" + `{"name":"__MSG_extName__","version":"1.10.2","default_locale":"en","author":{"email":"x@example.com"},"update_url":"https://clients2.google.com/service/update2/crx"}`,
		".config/google-chrome/Default/Extensions/" + id + "/1.10.2_0/_locales/en/messages.json":    `{"EXTNAME":{"message":"Sample Blocker"}}`,
		".config/google-chrome/Default/Extensions/Temp/x/manifest.json":                             `{"name":"no id"}`,
		".config/chromium/Profile 1/Extensions/" + strings.Repeat("a", 32) + "/2.0_0/manifest.json": `{"name":"Sideloaded","version":"2.0","author":"Somebody"}`,
		".mozilla/firefox/ab12.default/extensions.json": `{"schemaVersion":36,"addons":[
		 {"id":"sample@example.com","version":"3.1","type":"extension","location":"app-profile","defaultLocale":{"name":"Sample Fox","creator":"Ana"},"sourceURI":"https://addons.mozilla.org/x.xpi","path":"/home/ana/.mozilla/firefox/ab12.default/extensions/sample@example.com.xpi","installDate":1767225600000},
		 {"id":"es-MX@dictionaries.addons.mozilla.org","version":"1","type":"dictionary","location":"app-profile","defaultLocale":{"name":"Español"},"sourceURI":null},
		 {"id":"formautofill@mozilla.org","version":"1","type":"extension","location":"app-builtin","defaultLocale":{"name":"Form Autofill"}},
		 {"id":5,"odd":[]}]}`,
		".vscode/extensions/ms-python.python-2024.0.1/package.json":               `{"name":"python","displayName":"%displayName%","version":"2024.0.1","publisher":"ms-python","__metadata":{"publisherDisplayName":"Microsoft","source":"gallery"}}`,
		".vscode/extensions/ms-python.python-2024.0.1/package.nls.json":           `{"displayName":"Python"}`,
		".vscode/extensions/old.ext-1.0.0/package.json":                           `{"name":"ext","version":"1.0.0","publisher":"old"}`,
		".vscode/extensions/.obsolete":                                            `{"old.ext-1.0.0":true}`,
		".cursor/extensions/local.mine-0.1.0/package.json":                        `{"name":"mine","version":"0.1.0","publisher":"local"}`,
		".local/lib/python3.11/site-packages/requests-2.31.0.dist-info/METADATA":  "Metadata-Version: 2.1\nName: requests\nVersion: 2.31.0\nAuthor-email: Kenneth <me@example.com>\n\nName: not this\n",
		".local/lib/python3.11/site-packages/requests-2.31.0.dist-info/REQUESTED": "",
		".local/lib/python3.11/site-packages/idna-3.4.dist-info/METADATA":         "Metadata-Version: 2.1\nName: idna\nVersion: 3.4\n",
		".local/lib/python3.11/site-packages/idna-3.4.dist-info/direct_url.json":  "{}",
		".npm-global/lib/node_modules/@scope/tool/package.json":                   `{"name":"@scope/tool","version":"4.0.0","author":"Maker <a@example.com>"}`,
		".npm-global/lib/node_modules/npm/package.json":                           `{"name":"npm","version":"10.0.0"}`,
	}
}

func collect(t *testing.T, source string) ([]string, error) {
	t.Helper()
	root := t.TempDir()
	for name, content := range files() {
		file := filepath.Join(root, "home/ana", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	places := Places{Show: func(p string) string { return p }, Top: []string{"/home/*"},
		Homes: func(*probe.Env, *rootfs.FS) ([]Home, error) { return []Home{{"/home/ana", "ana"}}, nil }}
	for _, p := range Probes(places) {
		if p.Source != source {
			continue
		}
		var part inventory.Snapshot
		_, err := p.Collect(context.Background(), &probe.Env{Root: root}, &part)
		var got []string
		for _, s := range part.Software {
			flags := ""
			if s.Requested {
				flags = " asked"
			}
			if s.Hidden {
				flags += " hidden"
			}
			got = append(got, strings.Join([]string{s.Name, s.Version, s.Publisher, s.Origin, s.Scope, s.User, strings.TrimPrefix(s.Path, "/home/ana/")}, "|")+flags)
		}
		slices.Sort(got)
		return got, err
	}
	t.Fatalf("no source %s", source)
	return nil, nil
}

func TestAddons(t *testing.T) {
	for source, want := range map[string][]string{
		"chromium": {
			"Sample Blocker|1.10.2||Chrome Web Store|user|ana|.config/google-chrome/Default/Extensions/" + id + " asked",
			"Sideloaded|2.0|Somebody||user|ana|.config/chromium/Profile 1/Extensions/" + strings.Repeat("a", 32) + " asked",
		},
		"firefox": {
			"Español|1|||user|ana|.mozilla/firefox/ab12.default hidden",
			"Sample Fox|3.1|Ana|Firefox Add-ons|user|ana|.mozilla/firefox/ab12.default/extensions/sample@example.com.xpi asked",
		},
		"vscode": {
			"Python|2024.0.1|Microsoft|VS Code gallery|user|ana|.vscode/extensions/ms-python.python-2024.0.1 asked",
			"mine|0.1.0|local||user|ana|.cursor/extensions/local.mine-0.1.0 asked",
		},
		"pip": {
			"idna|3.4|||user|ana|.local/lib/python3.11/site-packages/idna-3.4.dist-info",
			"requests|2.31.0|Kenneth|PyPI|user|ana|.local/lib/python3.11/site-packages/requests-2.31.0.dist-info asked",
		},
		"npm": {
			"@scope/tool|4.0.0|Maker|npm|user|ana|.npm-global/lib/node_modules/@scope/tool asked",
			"npm|10.0.0||npm|user|ana|.npm-global/lib/node_modules/npm hidden",
		},
	} {
		got, err := collect(t, source)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\ngot\n%s\nwant\n%s", source, err, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestAbsentAndDamaged(t *testing.T) {
	places := Places{Show: func(p string) string { return p }, Homes: func(*probe.Env, *rootfs.FS) ([]Home, error) { return []Home{{"/home/ana", "ana"}}, nil }}
	root := t.TempDir()
	run := func(source string) error {
		for _, p := range Probes(places) {
			if p.Source == source {
				var part inventory.Snapshot
				_, err := p.Collect(context.Background(), &probe.Env{Root: root}, &part)
				return err
			}
		}
		return nil
	}
	for _, p := range Probes(places) {
		if err := run(p.Source); !errors.Is(err, probe.ErrAbsent) {
			t.Errorf("%s on an empty machine: %v", p.Source, err)
		}
	}
	file := filepath.Join(root, "home/ana/.mozilla/firefox/x/extensions.json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("{half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run("firefox"); !errors.Is(err, probe.ErrPartial) || !strings.Contains(err.Error(), "extensions.json") {
		t.Errorf("damaged list of add-ons: %v", err)
	}
}

func TestNuspec(t *testing.T) {
	p, err := ParseNuspec([]byte(`<?xml version="1.0"?><package xmlns="http://schemas.microsoft.com/packaging/2015/06/nuspec.xsd"><metadata><id>7zip</id><version>24.8.0</version><title>7-Zip</title><authors>Igor Pavlov</authors></metadata></package>`))
	if err != nil || p.Name != "7-Zip" || p.Version != "24.8.0" || p.Publisher != "Igor Pavlov" {
		t.Errorf("%+v %v", p, err)
	}
}

func TestNewest(t *testing.T) {
	if got := newest([]string{"/x/1.9.0_0", "/x/1.10.0_0", "/x/1.2"}); got != "/x/1.10.0_0" {
		t.Error(got)
	}
}

func FuzzAddons(f *testing.F) {
	for _, s := range files() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseChromiumManifest(b, func(string) []byte { return b })
		_, _ = ParseFirefox(b)
		_, _ = ParseVSCode(b, b)
		_, _ = ParseMetadata(bytes.NewReader(b))
		_, _ = ParseNode(b)
		_, _ = ParseNuspec(b)
	})
}
