package fleetsim

import (
	_ "embed" // the catalogue is part of the program
	"fmt"
	"strings"
)

// packagesTSV was captured from a Debian 12 machine and its archive: the packages of
// one real inventory as "common", what the office suites, editors and servers named by
// each class bring with them (apt-get install -s), and leaf packages of every archive
// section as "tail". Names, versions, publishers and architectures are facts; people
// who maintain packages alone are numbered instead of named.
//
//go:embed testdata/packages.tsv
var packagesTSV string

// Groups of the catalogue that are not classes of machines.
const (
	groupCommon = "common"
	groupTail   = "tail"
)

// pkg is one package of the catalogue.
type pkg struct {
	name, version, publisher, arch string
	base, requested                bool
	older                          []string // versions before version, the newest first
}

// catalogue is the packages by group, each in the order of names.
type catalogue map[string][]pkg

// parseCatalogue reads the form of packagesTSV: group, name, version, publisher,
// architecture and flags (b: base, r: requested), with tabs between.
func parseCatalogue(text string) (catalogue, error) {
	c := catalogue{}
	for n, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 6 {
			return nil, fmt.Errorf("catalogue line %d: %d fields, want 6", n+1, len(f))
		}
		c[f[0]] = append(c[f[0]], pkg{name: f[1], version: f[2], publisher: f[3], arch: f[4],
			base: strings.Contains(f[5], "b"), requested: strings.Contains(f[5], "r"), older: olderVersions(f[2])})
	}
	for _, cl := range classes() {
		if len(c[cl.name]) == 0 || len(c[cl.more]) == 0 {
			return nil, fmt.Errorf("catalogue: no packages for class %s", cl.name)
		}
	}
	if len(c[groupCommon]) == 0 || len(c[groupTail]) == 0 {
		return nil, fmt.Errorf("catalogue: needs the groups %s and %s", groupCommon, groupTail)
	}
	return c, nil
}

// olderVersions derives from a version that was updated within its release, such as
// 252.39-1+deb12u3, those that machines behind on updates still have.
func olderVersions(v string) []string {
	stem, n := revision(v)
	var older []string
	for n--; n > 0; n-- {
		older = append(older, fmt.Sprintf("%s%d", stem, n))
	}
	return older
}

// nextVersion is the version that an update of the same release brings.
func nextVersion(v string) string {
	stem, n := revision(v)
	return fmt.Sprintf("%s%d", stem, n+1)
}

// revision splits a Debian version into all before the number of its update within the
// release, and that number; 0 where there was none.
func revision(v string) (stem string, n int) {
	const mark = "+deb12u"
	at := strings.LastIndex(v, mark)
	if at < 0 {
		return v + mark, 0
	}
	at += len(mark)
	for _, c := range v[at:] {
		if c < '0' || c > '9' || n > 99 {
			return v + mark, 0
		}
		n = n*10 + int(c-'0')
	}
	return v[:at], n
}
