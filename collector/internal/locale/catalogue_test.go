package locale

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sentences reads one language: key → plural form ("" for none) → text.
func sentences(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	all := map[string]map[string]string{}
	paths, err := filepath.Glob("catalogue/*." + lang + ".json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no catalogue of %s: %v", lang, err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		for key, v := range m {
			forms := map[string]string{}
			switch v := v.(type) {
			case string:
				forms[""] = v
			case map[string]any:
				for form, text := range v {
					forms[form] = text.(string)
				}
			}
			all[key] = forms
		}
	}
	return all
}

func placeholders(s string) []string {
	list := regexp.MustCompile(`\{\{\.(\w+)\}\}`).FindAllString(s, -1)
	slices.Sort(list)
	return slices.Compact(list)
}

func TestLanguagesSayTheSame(t *testing.T) {
	es, en := sentences(t, Spanish), sentences(t, English)
	for key, forms := range es {
		other, ok := en[key]
		if !ok {
			t.Errorf("%s: no English", key)
			continue
		}
		want := []string{"one", "other"} // English; Spanish has many besides, for whole millions
		if _, plain := forms[""]; plain {
			want = []string{""}
		}
		if got := slices.Sorted(maps.Keys(other)); !slices.Equal(got, want) {
			t.Errorf("%s: English forms %q, want %q", key, got, want)
		}
		if want[0] == "one" {
			want = []string{"many", "one", "other"}
		}
		if got := slices.Sorted(maps.Keys(forms)); !slices.Equal(got, want) {
			t.Errorf("%s: Spanish forms %q, want %q", key, got, want)
		}
		first := placeholders(other[slices.Sorted(maps.Keys(other))[0]])
		for _, texts := range []map[string]string{forms, other} {
			for form, text := range texts {
				if strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text {
					t.Errorf("%s %s: empty or with loose spaces", key, form)
				}
				if got := placeholders(text); !slices.Equal(got, first) {
					t.Errorf("%s %s: names %v elsewhere %v", key, form, got, first)
				}
			}
		}
	}
	for key := range en {
		if es[key] == nil {
			t.Errorf("%s: no Spanish", key)
		}
	}
}

// sources returns the text of the collector's and the policy's code and templates.
func sources(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, root := range []string{"../..", "../../../internal/policy"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() && d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			if strings.HasSuffix(path, "_test.go") || (!strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html")) {
				return nil
			}
			b, err := os.ReadFile(path)
			all[path] = string(b)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(all) < 40 {
		t.Fatalf("read %d files: the test would prove nothing", len(all))
	}
	return all
}

func TestKeysInUseExist(t *testing.T) {
	es := sentences(t, Spanish)
	calls := regexp.MustCompile(`(?:\.(?:T|N)[ (]|apperr\.New\([\w.]+, |apperr\.Wrap\([^\n"]*?, apperr\.\w+, )"([a-z0-9.-]+)"`)
	groups := regexp.MustCompile(`\.(?:Word|Name|Tag)[ (]"([a-z0-9.-]+)"`)
	n := 0
	for path, text := range sources(t) {
		if strings.HasPrefix(path, "../../app/") {
			continue // commands have sentences of their own, and fall back to these
		}
		for _, m := range calls.FindAllStringSubmatch(text, -1) {
			n++
			if strings.HasSuffix(m[1], ".") || strings.HasSuffix(m[1], "-") {
				continue // the start of a key, finished at run time
			}
			if es[m[1]] == nil {
				t.Errorf("%s uses %q, which no catalogue has", path, m[1])
			}
		}
		for _, m := range groups.FindAllStringSubmatch(text, -1) {
			n++
			if !slices.ContainsFunc(slices.Collect(maps.Keys(es)), func(k string) bool { return strings.HasPrefix(k, m[1]+".") }) {
				t.Errorf("%s uses the group %q, which has no word", path, m[1])
			}
		}
	}
	if n < 200 {
		t.Errorf("found %d uses: the test would prove nothing", n)
	}
}

func TestKeysAreInUse(t *testing.T) {
	literals := map[string]bool{}
	quoted := regexp.MustCompile(`"([a-z0-9][A-Za-z0-9%.-]*)"`)
	for _, text := range sources(t) {
		for _, m := range quoted.FindAllStringSubmatch(text, -1) {
			literals[m[1]] = true
		}
	}
	for key := range sentences(t, Spanish) {
		used := literals[key]
		for i, c := range key { // a group, or the start of a key that is finished at run time
			if c == '.' || c == '-' {
				used = used || literals[key[:i+1]] || (c == '.' && (literals[key[:i]] || literals[key[:i]+".%s"]))
			}
		}
		if !used {
			t.Errorf("nothing uses %q", key)
		}
	}
}
