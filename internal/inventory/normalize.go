package inventory

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of one snapshot. What goes beyond is left out with a Remark.
const (
	MaxPrograms   = 50_000 // entries of the software section
	MaxListed     = 1_000  // entries of any other list
	MaxText       = 512    // bytes of one text field
	MaxPath       = 4_096  // bytes of a path
	MaxRemarks    = 100    // remarks kept for one snapshot; the last tells how many more there were
	maxRemarkText = 80
)

// Remark tells what Normalize refused or changed, so that nothing odd vanishes in silence.
type Remark struct {
	Section Section `json:"section"`
	Entry   string  `json:"entry"` // what the entry calls itself, cut to 80 bytes
	Field   string  `json:"field"`
	Problem string  `json:"problem"` // a key: see the Problem constants
	Value   string  `json:"value"`   // the offending value, cleaned and cut to 80 bytes
}

// Problems a Remark can tell.
const (
	ProblemBadText   = "bad-text"  // broken UTF-8, NUL or control characters; cleaned
	ProblemTooLong   = "too-long"  // cut
	ProblemBadTime   = "bad-time"  // outside 1980–2100; left out
	ProblemNoName    = "no-name"   // the entry was left out
	ProblemUnknown   = "unknown"   // a value this version does not know; the default was taken
	ProblemTooMany   = "too-many"  // entries beyond the limit were left out; Value is their number
	ProblemDuplicate = "duplicate" // the same entry twice; one was kept
	ProblemNegative  = "negative"  // a size or count below zero; set to zero
	ProblemMore      = "more"      // Value further remarks were not kept
)

// Normalize puts s in normal form, in place: clean text, UTC seconds, sane times,
// known enums, sorted lists without duplicates. It judges entry by entry, so that
// one odd field never costs the rest, and is idempotent. The agent normalizes what it
// sends, the collector normalizes what it receives.
func (s *Snapshot) Normalize() []Remark {
	n := &normalizer{}
	s.TakenAt = s.TakenAt.UTC().Truncate(time.Second)
	n.machine(&s.Machine)
	n.hardware(&s.Hardware)
	n.system(&s.System)
	s.Software = n.software(s.Software)
	s.Antivirus = n.antivirus(s.Antivirus)
	s.Sources = n.sources(s.Sources)
	return n.result()
}

// NormalizePrograms normalizes a list of programs alone, as a delta carries them.
func NormalizePrograms(list []Program) ([]Program, []Remark) {
	n := &normalizer{}
	list = n.software(list)
	return list, n.result()
}

// SortPrograms puts list in the order of names, then versions, sources, users and
// paths; what is equal in all of these is in the order of keys, so that equal lists have
// one order.
func SortPrograms(list []Program) {
	slices.SortFunc(list, func(a, b Program) int {
		if c := cmp.Or(
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Source, b.Source), cmp.Compare(a.Arch, b.Arch),
			cmp.Compare(a.User, b.User), cmp.Compare(a.Path, b.Path),
		); c != 0 {
			return c
		}
		ka, kb := a.Key(), b.Key()
		return cmp.Or(bytes.Compare(ka[:], kb[:]), a.InstalledAt.Compare(b.InstalledAt))
	})
}

type normalizer struct {
	remarks []Remark
	more    int
	section Section
	entry   string
}

func (n *normalizer) result() []Remark {
	if n.more > 0 {
		n.remarks = append(n.remarks, Remark{Problem: ProblemMore, Value: fmt.Sprint(n.more)})
	}
	return n.remarks
}

func (n *normalizer) remark(field, problem, value string) {
	if len(n.remarks) >= MaxRemarks-1 {
		n.more++
		return
	}
	n.remarks = append(n.remarks, Remark{
		Section: n.section, Entry: cut(clean(n.entry), maxRemarkText),
		Field: field, Problem: problem, Value: cut(clean(value), maxRemarkText),
	})
}

// text cleans *v in place and cuts it to limit bytes.
func (n *normalizer) text(field string, v *string, limit int) {
	if plain(*v) && len(*v) <= limit {
		return
	}
	was := *v
	*v = clean(was)
	if strings.TrimSpace(was) != *v && strings.Join(strings.Fields(was), " ") != *v {
		n.remark(field, ProblemBadText, was)
	}
	if len(*v) > limit {
		*v = cut(*v, limit)
		n.remark(field, ProblemTooLong, *v)
	}
}

// texts applies text to pairs of field name and pointer, all with the limit MaxText.
func (n *normalizer) texts(pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		n.text(pairs[i].(string), pairs[i+1].(*string), MaxText)
	}
}

var (
	earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2101, 1, 1, 0, 0, 0, 0, time.UTC)
)

func (n *normalizer) time(field string, t *time.Time) {
	if t.IsZero() {
		*t = time.Time{}
		return
	}
	if t.Before(earliest) || !t.Before(latest) {
		n.remark(field, ProblemBadTime, t.UTC().Format("2006-01-02"))
		*t = time.Time{}
		return
	}
	*t = t.UTC().Truncate(time.Second)
}

// date checks an RFC 3339 full-date in text.
func (n *normalizer) date(field string, v *string) {
	if *v == "" {
		return
	}
	t, err := time.Parse(time.DateOnly, *v)
	if err != nil || t.Before(earliest) || !t.Before(latest) {
		n.remark(field, ProblemBadTime, *v)
		*v = ""
	}
}

// oneOf replaces a value that is not among known by fallback.
func (n *normalizer) oneOf(field string, v *string, fallback string, known ...string) {
	if !slices.Contains(known, *v) {
		n.remark(field, ProblemUnknown, *v)
		*v = fallback
	}
}

func (n *normalizer) notNegative(field string, v *int) {
	if *v < 0 {
		n.remark(field, ProblemNegative, fmt.Sprint(*v))
		*v = 0
	}
}

// plain reports whether s needs no cleaning: printable ASCII, single spaces inside.
func plain(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c > '~' {
			return false
		}
		if c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return false
		}
	}
	return true
}

// clean drops broken UTF-8, NUL, control and format characters, and makes runs of
// white space one space.
func clean(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		switch {
		case r == utf8.RuneError && size <= 1:
			continue
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// cut shortens s to at most limit bytes without breaking a character.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.TrimRight(s[:limit], " ")
}
