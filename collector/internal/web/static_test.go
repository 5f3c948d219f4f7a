package web

import (
	"errors"
	"testing"
	"testing/fstest"
)

func TestAMissingBundleSaysWhatToRun(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"nothing built": {"static/favicon.svg": {Data: []byte("<svg/>")}},
		"half built":    {"static/favicon.svg": {}, "static/dist/console.css": {}, "static/dist/console.js": {}},
	} {
		if _, err := loadAssets(files); !errors.Is(err, errNoBundle) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, err := loadAssets(staticFiles)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.icons) == 0 || a.urls["console.css"] == "" || len(a.files) != 3 {
		t.Errorf("assets %v", a.urls)
	}
}
