package web

import (
	"context"
	"net/http"

	"vigia/collector/internal/access"
	"vigia/collector/internal/web/form"
)

// filter is one way to narrow a list. Its value stands in the address.
type filter struct {
	name   string
	label  string // key of a sentence
	quick  bool   // its values are chips beside the search
	closed bool   // only offered values count
	date   bool   // a day, as the field of the form asks for
	offer  func(ctx context.Context, p *Page) ([]choice, error)
	say    func(ctx context.Context, p *Page, value string) (string, error) // words for a value that is not offered; nil: the value itself
}

// choice is one value of a filter.
type choice struct{ Value, Text string }

// filterField is a filter as a field of the form of filters.
type filterField struct {
	Name, Label string
	Value       string
	Date        bool
	Choices     []choice
}

// bulkAction is what can be done to several rows at once: a form that posts their keys
// as "row".
type bulkAction struct {
	Path, Icon string
	Text       string
	text       string // key of the sentence on its button
	right      access.Right
}

// words offers the values of a closed group, in words.
func words(group string, values ...string) func(context.Context, *Page) ([]choice, error) {
	return func(_ context.Context, p *Page) ([]choice, error) {
		var list []choice
		for _, v := range values {
			list = append(list, choice{v, p.Word(group, v)})
		}
		return list, nil
	}
}

// read returns the filter's value in a request, "" when it is not one.
func (f filter) read(r *http.Request, p *Page) (string, error) {
	value := form.Text(r, f.name)
	if value == "" || !f.closed {
		return value, nil
	}
	offered, err := f.offer(r.Context(), p)
	for _, o := range offered {
		if o.Value == value {
			return value, nil
		}
	}
	return "", err
}

// filters makes the chips and the form's fields: quick filters show every value as a
// chip, others the one that is set.
func (v *listView[T]) filters(ctx context.Context, page *listPage) error {
	for _, f := range v.list.filters {
		var offered []choice
		var err error
		if f.offer != nil {
			if offered, err = f.offer(ctx, v.p); err != nil {
				return err
			}
		}
		value, known := v.by.get(f.name), false
		for _, o := range offered {
			known = known || o.Value == value
			if f.quick || o.Value == value {
				page.chip(f.name, o.Value, value, o.Text, f.quick, v.p.T(f.label))
			}
		}
		if value != "" && !known {
			text := value
			if f.say != nil {
				if text, err = f.say(ctx, v.p, value); err != nil {
					return err
				}
			}
			offered = append(offered, choice{value, text})
			page.chip(f.name, value, value, text, f.quick, v.p.T(f.label))
		}
		if !f.quick && (f.offer != nil || f.date) {
			page.Filters = append(page.Filters, filterField{Name: f.name, Label: v.p.T(f.label), Value: value, Date: f.date, Choices: offered})
		}
	}
	return nil
}

// chip adds a chip that sets the filter, or takes it away where it is set.
func (page *listPage) chip(name, value, current, text string, quick bool, label string) {
	ch := chip{Text: text, URL: page.List.with(name, value), Current: value == current}
	if !quick {
		ch.Text = label + ": " + text
	}
	if ch.Current {
		ch.URL = page.List.with(name, "")
	}
	page.List.Chips = append(page.List.Chips, ch)
}

// Kept returns the parts of the address that the form of filters must carry on: all but
// the filters that it has fields for.
func (page *listPage) Kept() [][2]string {
	fields := map[string]bool{}
	for _, f := range page.Filters {
		fields[f.Name] = true
	}
	list := [][2]string{{"q", page.List.Query}}
	for _, pair := range page.List.Hidden() {
		if !fields[pair[0]] {
			list = append(list, pair)
		}
	}
	return list
}
