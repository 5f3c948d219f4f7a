package web

import "time"

// cell is what one column says of one row: on the page and in files alike.
type cell struct {
	Label  string // the column's heading, for narrow screens
	Text   string
	URL    string
	Sub    string // a second, quieter line
	Quiet  bool   // Text says that there is nothing to say
	Mono   bool
	Number bool
	Head   bool // names the row
	Time   time.Time
	Tags   []tag

	count int64 // when Number
}

// value is what a file holds of the cell: dates and counts as such.
func (c cell) value() any {
	switch {
	case !c.Time.IsZero():
		return c.Time
	case c.Quiet:
		return ""
	case c.Number:
		return c.count
	}
	s := c.Text
	for _, t := range c.Tags {
		if s != "" {
			s += ", "
		}
		s += t.Text
	}
	if c.Sub != "" {
		s += " (" + c.Sub + ")"
	}
	return s
}

// textCell is a text, or "not told".
func (p *Page) textCell(s string) cell {
	if s == "" {
		return cell{Text: p.T("not-told"), Quiet: true}
	}
	return cell{Text: s}
}

// linkCell is a text that leads to a page, where the reader may open it.
func (p *Page) linkCell(s, url, right string) cell {
	c := p.textCell(s)
	if may, err := p.May(right); err == nil && may {
		c.URL = url
	}
	return c
}

// countCell is a count, which leads to what it counts unless that is nothing.
func (p *Page) countCell(n int, url string) cell {
	c := cell{Text: p.Number64(n), Number: true, count: int64(n)}
	if n > 0 {
		c.URL = url
	}
	return c
}

// sinceCell is how long ago something was.
func (p *Page) sinceCell(t time.Time) cell {
	return cell{Text: p.Ago(t, p.Now), Time: t, Quiet: t.IsZero()}
}

// dateCell is a moment that may not have come.
func (p *Page) dateCell(t time.Time) cell {
	if t.IsZero() {
		return cell{Text: p.T("list.not-yet"), Quiet: true}
	}
	return cell{Text: p.DateTime(t), Time: t}
}

// tagCell is a state in words.
func (p *Page) tagCell(group string, value any) cell { return cell{Tags: []tag{p.Tag(group, value)}} }

// Moment is the cell's time for the template.
func (c cell) Moment() string { return c.Time.UTC().Format(time.RFC3339) }
