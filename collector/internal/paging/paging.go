// Package paging owns how a long list is read page by page: the column it is sorted by,
// and the place after which the next page begins. A place holds the value that the list
// was sorted by, not a count of rows: rows that come, go or change while somebody reads
// neither repeat nor hide others. It refuses to know columns, engines and pages' texts.
package paging

import (
	"encoding/base64"
	"strings"

	"vigia/collector/internal/apperr"
)

// maxPlace bounds a place's text, in bytes.
const maxPlace = 8 << 10

// Order is how a list is sorted and where the page begins.
type Order struct {
	By    string // the column's key; "": the list's own order
	Desc  bool   // from the greatest to the least; the list's own order has its own direction
	After Place  // the last row of the page before; zero: the first page
	Limit int    // rows of a page, 1–1000; 0 is 1000
}

// Place is where a row stands in a list.
type Place struct {
	Value string // of the column sorted by; numbers and times in decimal
	Key   string // of the row; tells rows of one value apart
}

// IsZero reports whether the place is before the first row.
func (p Place) IsZero() bool { return p == Place{} }

// String is the place as text for a URL, "" for the zero place.
func (p Place) String() string {
	if p.IsZero() {
		return ""
	}
	return p.Key + "." + base64.RawURLEncoding.EncodeToString([]byte(p.Value))
}

// Parse reads what String wrote. An error is Invalid and names the field "after".
func Parse(s string) (Place, error) {
	if s == "" {
		return Place{}, nil
	}
	key, value, found := strings.Cut(s, ".")
	b, err := base64.RawURLEncoding.DecodeString(value)
	if !found || err != nil || key == "" || len(s) > maxPlace {
		return Place{}, Unknown(s)
	}
	return Place{Value: string(b), Key: key}, nil
}

// Unknown is the error for a place or a column that the list does not have.
func Unknown(value string) error {
	if len(value) > 80 {
		value = value[:80]
	}
	return apperr.New(apperr.Invalid, "page.unknown", apperr.Args{"field": "after", "value": strings.ToValidUTF8(value, "")})
}

// Page is one page of a list.
type Page[T any] struct {
	Rows []T
	Next Place // where the next page begins; zero: this is the last
}
