package web

import "vigia/collector/internal/web/form"

// pageSize is how many rows a list shows.
const pageSize = 50

// chip is one filter: a link that sets it, or takes it away where it is set.
type chip struct {
	Text    string
	URL     string
	Current bool
}

// listing is what every list has: its search, chips and the way on.
type listing struct {
	Path     string
	Query    string
	Filters  []string // pairs of name and value that the search form keeps
	Chips    []chip
	Filtered bool   // anything narrows it: decides which empty state is shown
	First    string // URL of the first page, when this is a later one
	Next     string // URL of the next page
}

// Hidden returns the filters as pairs for hidden fields of the search form.
func (l listing) Hidden() [][2]string {
	var list [][2]string
	for i := 0; i+1 < len(l.Filters); i += 2 {
		if l.Filters[i+1] != "" {
			list = append(list, [2]string{l.Filters[i], l.Filters[i+1]})
		}
	}
	return list
}

// url returns the list's address with its filters and more pairs.
func (l listing) url(more ...string) string {
	return form.Link(l.Path, append(append([]string{"q", l.Query}, l.Filters...), more...)...)
}

// with returns the list's address with the filter name set to value; "" takes it away.
func (l listing) with(name, value string) string {
	pairs := []string{"q", l.Query}
	found := false
	for i := 0; i+1 < len(l.Filters); i += 2 {
		v := l.Filters[i+1]
		if l.Filters[i] == name {
			v, found = value, true
		}
		pairs = append(pairs, l.Filters[i], v)
	}
	if !found {
		pairs = append(pairs, name, value)
	}
	return form.Link(l.Path, pairs...)
}
