package software

import (
	"bytes"
	"context"
	"strings"

	"vigia/agent/internal/rootfs"
)

// How sure an origin is. A surer answer replaces one that is less so.
const (
	originNone   = iota // nobody is known to distribute it
	originVendor        // no list of the system's vendor is there, but the package says it is the vendor's
	originFamily        // an older relative of a listed package (libssl1.1 beside libssl3), same maintainer
	originOlder         // an older version of a listed package, same maintainer
	originExact         // a list holds this very version
)

// debOrigin is who distributes one installed version, and how that is known.
type debOrigin struct {
	name string
	sure int
}

// originWant is an installed version whose origin is looked for.
type originWant struct {
	pkg *DebPackage
	debOrigin
}

// originFinder looks installed versions up in lists of any size in one pass: all but
// the few entries with a wanted name cost one search for their end and one look-up.
type originFinder struct {
	vendor   string
	list     string // origin of the list being read
	byName   map[string][]*originWant
	byPrefix map[string]bool          // names up to their first digit
	byFamily map[string][]*originWant // names with each run of digits and dots folded to "#"
}

func newOriginFinder(vendor string, wants []*originWant) *originFinder {
	f := &originFinder{
		vendor: vendor, byName: make(map[string][]*originWant, len(wants)),
		byPrefix: make(map[string]bool), byFamily: make(map[string][]*originWant),
	}
	for _, w := range wants {
		f.byName[w.pkg.Name] = append(f.byName[w.pkg.Name], w)
		if i := firstDigit([]byte(w.pkg.Name)); i > 0 {
			f.byPrefix[w.pkg.Name[:i]] = true
			family := string(foldDigits(nil, []byte(w.pkg.Name)))
			f.byFamily[family] = append(f.byFamily[family], w)
		}
	}
	return f
}

// read looks through every list. It reports whether all could be read to their end: a
// list that is damaged or being replaced tells what it can and costs no other list's
// answers, and the caller looks again next time. The error is that of ctx only.
func (f *originFinder) read(ctx context.Context, root *rootfs.FS, lists []aptList) (all bool, err error) {
	all = true
	for _, l := range lists {
		f.list = l.origin
		if err := scanList(ctx, root, l, f.stanza); err != nil {
			all = false
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
	return all, nil
}

// stanza takes one entry of a list.
func (f *originFinder) stanza(text []byte) {
	name := stanzaField(text, "Package: ")
	if len(name) > maxName {
		return
	}
	for _, w := range f.byName[string(name)] {
		f.compare(w, text)
	}
	i := firstDigit(name)
	if i <= 0 || !f.byPrefix[string(name[:i])] {
		return
	}
	var buf [maxName]byte
	for _, w := range f.byFamily[string(foldDigits(buf[:0], name))] {
		if w.sure <= originFamily && w.pkg.Name != string(name) && f.older(w, text) {
			f.found(w, originFamily)
		}
	}
}

// compare judges an entry with the name of w.
func (f *originFinder) compare(w *originWant, text []byte) {
	arch := string(stanzaField(text, "Architecture: "))
	if arch != w.pkg.Arch && arch != "all" && w.pkg.Arch != "all" {
		return
	}
	if string(stanzaField(text, "Version: ")) == w.pkg.Version {
		f.found(w, originExact)
	} else if w.sure <= originOlder && f.older(w, text) {
		f.found(w, originOlder)
	}
}

func (f *originFinder) older(w *originWant, text []byte) bool {
	return w.pkg.Maintainer != "" && string(stanzaField(text, "Maintainer: ")) == w.pkg.Maintainer &&
		CompareDebVersions(w.pkg.Version, string(stanzaField(text, "Version: "))) < 0
}

// found notes an answer. Of two that are equally sure the vendor's own list wins,
// then the one that was read first.
func (f *originFinder) found(w *originWant, sure int) {
	if sure > w.sure || (sure == w.sure && w.name != f.vendor && f.list == f.vendor) {
		w.debOrigin = debOrigin{f.list, sure}
	}
}

// stanzaField returns the value of a field, prefix being its name and ": ".
func stanzaField(text []byte, prefix string) []byte {
	rest := text
	for !bytes.HasPrefix(rest, []byte(prefix)) {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return nil
		}
		rest = rest[i+1:]
	}
	rest = rest[len(prefix):]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return bytes.TrimSpace(rest)
}

func firstDigit(name []byte) int {
	for i, c := range name {
		if digit(c) {
			return i
		}
	}
	return -1
}

// foldDigits appends name to dst with each run that starts with a digit, and goes on
// with digits and dots, written "#": libssl1.1 and libssl3 are both libssl#.
func foldDigits(dst, name []byte) []byte {
	for i := 0; i < len(name); i++ {
		if !digit(name[i]) {
			dst = append(dst, name[i])
			continue
		}
		for i+1 < len(name) && (digit(name[i+1]) || name[i+1] == '.') {
			i++
		}
		dst = append(dst, '#')
	}
	return dst
}

// vendorOf lists, by ID of os-release, the Origin that a vendor writes in its
// Release files and the mail domains of its maintainers. They serve where apt's lists
// of that vendor are not there (slim images, lists cleaned away): then the package's
// own word is the only one.
func vendorOf(id string) (origin string, domains []string) {
	switch id {
	case "debian":
		return "Debian", []string{"debian.org"}
	case "ubuntu":
		return "Ubuntu", []string{"ubuntu.com", "canonical.com", "debian.org"}
	case "raspbian":
		return "Raspbian", []string{"raspbian.org", "raspberrypi.org", "raspberrypi.com", "debian.org"}
	case "linuxmint":
		return "linuxmint", []string{"linuxmint.com"}
	case "kali":
		return "Kali", []string{"kali.org", "debian.org"}
	}
	return "", nil
}

// vendorMade reports whether p says of itself that the vendor made it: an address of
// a maintainer in one of the vendor's domains or below, or a part of the base system.
func vendorMade(p *DebPackage, domains []string) bool {
	if len(domains) == 0 {
		return false
	}
	for _, who := range [...]string{p.Maintainer, p.OriginalMaintainer} {
		host := strings.ToLower(mailHost(who))
		for _, d := range domains {
			if host == d || strings.HasSuffix(host, "."+d) {
				return true
			}
		}
	}
	return p.Essential || p.Priority == "required" || p.Priority == "important"
}

// mailHost returns the domain of the address in "Name <user@domain>", or "".
func mailHost(who string) string {
	i := strings.LastIndexByte(who, '@')
	if i < 0 {
		return ""
	}
	host, _, _ := strings.Cut(who[i+1:], ">")
	return strings.TrimSpace(host)
}

// publisher returns a maintainer without the address, or the domain of a bare one.
func publisher(maintainer string) string {
	name, _, ok := strings.Cut(maintainer, "<")
	if name = strings.Trim(strings.TrimSpace(name), `"`); ok && name != "" && !strings.Contains(name, "@") {
		return name
	}
	if strings.Contains(maintainer, "@") {
		return mailHost(maintainer)
	}
	return name
}
