package web_test

import (
	"context"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/title"
)

// fakeTitles shows every sample program as a title of its own, with one rule.
type fakeTitles struct{ *fake }

func (f fakeTitles) all(q title.Filter) []title.Row {
	var list []title.Row
	for i, p := range samplePrograms() {
		if !f.empty && (q.Query == "" || q.Query == p.Name) {
			list = append(list, title.Row{ID: int64(i + 1), Key: title.Key{Name: p.Name, Publisher: p.Publisher}, Versions: 1, Names: 1, Machines: 1 + i*7, FirstSeen: ago(day)})
		}
	}
	return list
}

func (f fakeTitles) Title(_ context.Context, id int64) (title.Row, error) {
	all := f.all(title.Filter{})
	if id > int64(len(all)) {
		return title.Row{}, apperr.New(apperr.NotFound, "title.unknown", nil)
	}
	return all[id-1], f.broken
}

func (f fakeTitles) Page(_ context.Context, q title.Filter, o paging.Order) (paging.Page[title.Row], error) {
	return pageOf(f.all(q), o, f.broken)
}

func (f fakeTitles) Count(_ context.Context, q title.Filter, most int) (int, error) {
	return min(len(f.all(q)), most), f.broken
}

func (f fakeTitles) Versions(_ context.Context, id int64, _ int) ([]title.Version, error) {
	r, err := f.Title(context.Background(), id)
	return []title.Version{{Key: r.Key, Version: "1.2", Source: "deb", Installs: 7, FirstSeen: ago(day)}}, err
}

func (f fakeTitles) Machines(_ context.Context, _ int64, o paging.Order) (paging.Page[title.Place], error) {
	var list []title.Place
	for _, m := range f.machines {
		list = append(list, title.Place{Machine: m.ID, Hostname: m.Hostname, Site: m.Site, LastSeen: m.LastSeen})
	}
	return pageOf(list, o, f.broken)
}

func (f fakeTitles) Rules(context.Context) (title.Ruleset, error) {
	return title.Ruleset{Version: 2, Rules: []title.Rule{{ID: 1, Name: "7-zip*", Publisher: "Igor*", Strip: true, ToPublisher: "Igor", Reason: "NC 7"}}}, f.broken
}

func (f fakeTitles) PreviewAdd(_ context.Context, r title.Rule) (title.Preview, error) {
	if r.Name == "" && r.Publisher == "" {
		return title.Preview{}, apperr.New(apperr.Invalid, "title.rule.matches-all", apperr.Args{"field": "name"})
	}
	was, is := title.Key{Name: "7-Zip 24.09 (x64)", Publisher: "Igor Pavlov"}, title.Key{Name: "7-Zip", Publisher: "Igor Pavlov"}
	return title.Preview{Names: 3, Titles: 1, Changes: slices.Repeat([]title.Change{{Told: was, From: was, To: is}}, 2), Merged: []title.Merged{{Key: is, Names: 3, Machines: 12}}}, f.broken
}

func (f fakeTitles) PreviewRemove(ctx context.Context, id int64) (title.Preview, error) {
	if id != 1 {
		return title.Preview{}, apperr.New(apperr.NotFound, "title.rule-unknown", nil)
	}
	return title.Preview{}, f.broken
}

func (f fakeTitles) Add(context.Context, title.Rule) (title.Ruleset, error) {
	return f.Rules(context.Background())
}
func (f fakeTitles) Remove(context.Context, int64) (title.Ruleset, error) {
	return f.Rules(context.Background())
}
func (f fakeTitles) Undo(context.Context) (title.Ruleset, error) {
	return f.Rules(context.Background())
}
