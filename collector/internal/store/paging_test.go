package store_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/nonconformity"
	"vigia/collector/internal/org"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/store"
	"vigia/collector/internal/store/storetest"
)

// pagingRows is how many rows each list has here: several pages, the last not full.
const pagingRows = 47

// tied gives few distinct values, empty ones among them, so that every sort has ties
// and, where the schema allows it, rows without a value.
func tied(n int, values ...string) string { return values[n%len(values)] }

// seedLists fills all lists with rows that are hard to sort.
func seedLists(t *testing.T, s *store.Store) {
	t.Helper()
	names := []string{"ñandú", "Zoom", "zoom", "Ábaco", "abaco", "", "=1+1", "日本", "Ωmega"}
	must(t, s.InTx(context.Background(), func(ctx context.Context) error {
		for _, site := range []string{"Querétaro", "León"} {
			must(t, s.SaveSite(ctx, org.Site{Name: site}))
			must(t, s.SaveArea(ctx, org.Area{Name: site}))
		}
		for n := range pagingRows {
			host := tied(n, names...)
			m, err := s.CreateMachine(ctx, fleet.Machine{ID: uuid(n), Hostname: host, Serial: tied(n, "", "S1", "s2"), OS: tied(n, "", "Debian", "Ubuntu", "debian"),
				Site: tied(n, "", "Querétaro", "León"), Area: tied(n, "León", "", ""), State: fleet.State(tied(n, "active", "quarantined", "revoked")), EnrolledAt: noon.Add(time.Duration(n/4) * time.Hour)})
			must(t, err)
			run(t, ctx, s, "UPDATE machine SET programs = $1, findings = $2 WHERE id = $3", n/5, n/9, m.Row)
			if n%3 > 0 {
				run(t, ctx, s, "INSERT INTO machine_seen (machine_id, last_seen, last_report, agent_version, spooled) VALUES ($1, $2, $3, $4, $5)",
					m.Row, n/4, n/6, tied(n, "1.0", "0.9"), n%2)
			}
			run(t, ctx, s, "INSERT INTO software_title (id, name, publisher, name_fold) VALUES ($1, $2, $3, $4)", n+1, tied(n, names...), fmt.Sprint(tied(n, "", "Éditions", "éditions"), n), store.Fold(tied(n, names...)))
			run(t, ctx, s, "INSERT INTO software_version (id, title_id, version, source, installs, first_seen) VALUES ($1, $2, $3, $4, $5, $6)", n+1, n+1, tied(n, "", "1.0", "2"), tied(n, "deb", "file"), 1+n/7, n/3)
			run(t, ctx, s, `INSERT INTO item (id, key, version_id, name, version, publisher, origin, source, scope, user_name, path, arch, requested, base, hidden, sha256, signer, first_seen)
				VALUES ($1, $2, $3, $4, $5, $6, '', 'deb', 'machine', '', '', '', $7, $7, $7, '', '', 1)`, n+1, []byte(fmt.Sprint(n)), n+1, tied(n, names...), tied(n, "", "1"), tied(n, "", "Éditions", "éditions"), false)
			run(t, ctx, s, `INSERT INTO finding (machine_id, item_id, ident, verdict, rule, reason, state, first_seen, last_seen, found_at, gone_at, report_id, gone_report_id, nonconformity, recurrences)
				VALUES ($1, $2, $3, 'unauthorized', '', '', $4, $5, $5, $5, $6, $7, $7, $8, $9)`, m.Row, n+1, []byte(fmt.Sprint(n)), tied(n, "open", "gone", "authorized"), n/5, n/8, []byte{}, tied(n, "", "NC-2026-0001"), n%3)
			_, err = s.Nonconformities().Create(ctx, nonconformity.Nonconformity{State: nonconformity.State(tied(n, "open", "contained")), Machine: uuid(n), Hostname: host,
				Person: tied(n, "", "ana@example.com", "luis@example.com"), PersonName: tied(n, "", "Ana", ""), Area: tied(n, "", "León"), Site: tied(n, "Querétaro", ""), OpenedAt: noon.Add(time.Duration(n/4) * time.Hour), Recurrences: n % 2})
			must(t, err)
		}
		return nil
	}))
}

// run runs a statement in ctx's transaction.
func run(t *testing.T, ctx context.Context, s *store.Store, query string, args ...any) {
	t.Helper()
	_, err := s.On(ctx).ExecContext(ctx, query, args...)
	must(t, err)
}

// walkPages reads a list to its end, n rows at a time, and returns the rows' keys.
func walkPages(t *testing.T, o paging.Order, n int, page func(o paging.Order) ([]string, paging.Place, error)) []string {
	t.Helper()
	o.Limit = n
	var all []string
	for range 4 * pagingRows {
		rows, next, err := page(o)
		must(t, err)
		if len(rows) > n {
			t.Fatalf("%d rows on a page of %d", len(rows), n)
		}
		all = append(all, rows...)
		if next.IsZero() {
			return all
		}
		place, err := paging.Parse(next.String()) // as a URL carries it
		must(t, err)
		o.After = place
	}
	t.Fatalf("the list does not end: %v", o)
	return nil
}

// pages is a page function of one list, in keys.
func pagesOf[T any](read func(o paging.Order) (paging.Page[T], error), key func(T) string) func(paging.Order) ([]string, paging.Place, error) {
	return func(o paging.Order) ([]string, paging.Place, error) {
		p, err := read(o)
		keys := make([]string, len(p.Rows))
		for i, row := range p.Rows {
			keys[i] = key(row)
		}
		return keys, p.Next, err
	}
}

// Whatever a list is sorted by, pages of any size show every row once, in the order of
// the list read at once, and backwards is the reverse.
func TestPagesShowEveryRowOnceInEverySort(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seedLists(t, s)
		ctx := t.Context()
		for _, list := range []struct {
			name  string
			sorts []string
			page  func(paging.Order) ([]string, paging.Place, error)
			count func() (int, error)
		}{
			{"machines", []string{"hostname", "serial", "state", "os", "person", "site", "area", "agent", "seen", "report", "enrolled", "programs", "findings", "spooled"},
				pagesOf(func(o paging.Order) (paging.Page[fleet.Machine], error) {
					return s.MachinePage(ctx, fleet.MachineFilter{}, o)
				}, func(m fleet.Machine) string { return m.ID }),
				func() (int, error) { return s.CountMachines(ctx, fleet.MachineFilter{}, 1000) }},
			{"programs", []string{"name", "version", "publisher", "source", "installs", "seen"},
				pagesOf(func(o paging.Order) (paging.Page[fleet.TitleRow], error) {
					return s.TitlePage(ctx, fleet.TitleFilter{}, o)
				}, func(r fleet.TitleRow) string { return r.Name + "|" + r.Publisher }),
				func() (int, error) { return s.CountTitles(ctx, fleet.TitleFilter{}, 1000) }},
			{"findings", []string{"", "number", "program", "version", "publisher", "source", "machine", "state", "nonconformity", "since", "gone", "recurrences"},
				pagesOf(func(o paging.Order) (paging.Page[authorization.Finding], error) {
					return s.FindingPage(ctx, authorization.FindingFilter{}, o)
				}, func(f authorization.Finding) string { return fmt.Sprint(f.Row) }),
				func() (int, error) { return s.CountFindings(ctx, authorization.FindingFilter{}, 1000) }},
			{"nonconformities", []string{"", "number", "state", "person", "machine", "area", "site", "opened", "contained", "recurrences"},
				pagesOf(func(o paging.Order) (paging.Page[nonconformity.Nonconformity], error) {
					return s.Nonconformities().Page(ctx, nonconformity.Filter{}, o)
				}, func(n nonconformity.Nonconformity) string { return n.Number }),
				func() (int, error) { return s.Nonconformities().Count(ctx, nonconformity.Filter{}, 1000) }},
		} {
			if n, err := list.count(); err != nil || n != pagingRows {
				t.Errorf("%s: %d counted, want %d: %v", list.name, n, pagingRows, err)
			}
			for _, sort := range list.sorts {
				o := paging.Order{By: sort}
				whole := walkPages(t, o, 1000, list.page)
				if distinct := slices.Compact(slices.Sorted(slices.Values(whole))); len(whole) != pagingRows || len(distinct) != pagingRows {
					t.Errorf("%s by %q: %d rows, %d distinct, want %d", list.name, sort, len(whole), len(distinct), pagingRows)
				}
				for _, n := range []int{1, 7, pagingRows} {
					if got := walkPages(t, o, n, list.page); !slices.Equal(got, whole) {
						t.Errorf("%s by %q, %d at a time:\n%v\nat once:\n%v", list.name, sort, n, got, whole)
					}
				}
				if sort == "" {
					continue // the list's own order has its own direction
				}
				o.Desc = true
				slices.Reverse(whole)
				if got := walkPages(t, o, 7, list.page); !slices.Equal(got, whole) {
					t.Errorf("%s by %q, backwards:\n%v\nwant:\n%v", list.name, sort, got, whole)
				}
			}
		}
	})
}

// Both engines put rows in the same order.
func TestEnginesSortAlike(t *testing.T) {
	orders := map[string][]string{}
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seedLists(t, s)
		for _, sort := range []string{"hostname", "site", "os", "person", "seen"} {
			page, err := s.MachinePage(t.Context(), fleet.MachineFilter{}, paging.Order{By: sort})
			must(t, err)
			var keys []string
			for _, m := range page.Rows {
				keys = append(keys, m.ID)
			}
			if want := orders[sort]; want != nil && !slices.Equal(keys, want) {
				t.Errorf("%s: %v on %s, on the other %v", sort, keys, s.Engine(), want)
			}
			orders[sort] = keys
		}
		for _, sort := range []string{"program", "publisher", "nonconformity"} {
			page, err := s.FindingPage(t.Context(), authorization.FindingFilter{}, paging.Order{By: sort})
			must(t, err)
			var keys []string
			for _, f := range page.Rows {
				keys = append(keys, fmt.Sprint(f.Row))
			}
			if want := orders[sort]; want != nil && !slices.Equal(keys, want) {
				t.Errorf("%s: %v on %s, on the other %v", sort, keys, s.Engine(), want)
			}
			orders[sort] = keys
		}
	})
}

// A row that comes to stand elsewhere between two pages hides no other.
func TestRowsThatMoveHideNoOthers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seedLists(t, s)
		ctx := t.Context()
		o := paging.Order{By: "programs", Limit: 10}
		first, err := s.MachinePage(ctx, fleet.MachineFilter{}, o)
		must(t, err)
		must(t, s.InTx(ctx, func(ctx context.Context) error { // the page's last machine gets more programs than any other
			run(t, ctx, s, "UPDATE machine SET programs = 999 WHERE id = $1", first.Rows[9].Row)
			return nil
		}))
		seen := map[string]bool{}
		for _, m := range first.Rows {
			seen[m.ID] = true
		}
		o.After = first.Next
		for _, key := range walkPages(t, o, 10, pagesOf(func(o paging.Order) (paging.Page[fleet.Machine], error) {
			return s.MachinePage(ctx, fleet.MachineFilter{}, o)
		}, func(m fleet.Machine) string { return m.ID })) {
			seen[key] = true
		}
		if len(seen) != pagingRows {
			t.Errorf("%d machines seen, want %d", len(seen), pagingRows)
		}
	})
}

func TestUnknownSortsAndPlacesAreRefused(t *testing.T) {
	s := storetest.SQLite(t)
	ctx := t.Context()
	for _, o := range []paging.Order{{By: "hostname; DROP TABLE machine"}, {By: "uuid"}, {By: "programs", After: paging.Place{Value: "many", Key: "x"}}} {
		if _, err := s.MachinePage(ctx, fleet.MachineFilter{}, o); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("machines %v: %v", o, err)
		}
	}
	for _, o := range []paging.Order{{By: "x"}, {After: paging.Place{Value: "1", Key: "x"}}, {After: paging.Place{Value: "x", Key: "1"}}} {
		if _, err := s.FindingPage(ctx, authorization.FindingFilter{}, o); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("findings %v: %v", o, err)
		}
		if _, err := s.Nonconformities().Page(ctx, nonconformity.Filter{}, o); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("nonconformities %v: %v", o, err)
		}
	}
	if _, err := s.TitlePage(ctx, fleet.TitleFilter{}, paging.Order{By: "x"}); !apperr.Is(err, apperr.Invalid) {
		t.Errorf("programs: %v", err)
	}
}

func TestFiltersOfMachines(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		seedLists(t, s)
		for _, c := range []struct {
			f    fleet.MachineFilter
			want func(fleet.Machine) bool
		}{
			{fleet.MachineFilter{OS: "Debian"}, func(m fleet.Machine) bool { return m.OS == "Debian" }},
			{fleet.MachineFilter{WithFindings: true}, func(m fleet.Machine) bool { return m.Findings > 0 }},
			{fleet.MachineFilter{SilentSince: noon.Add(5 * time.Hour)}, func(m fleet.Machine) bool {
				seen := m.LastSeen
				if seen.IsZero() {
					seen = m.EnrolledAt
				}
				return m.State == fleet.Active && seen.Before(noon.Add(5*time.Hour))
			}},
			{fleet.MachineFilter{Site: "queretaro", State: fleet.Quarantined}, func(m fleet.Machine) bool { return m.Site == "Querétaro" && m.State == fleet.Quarantined }},
		} {
			all, err := s.MachinePage(t.Context(), fleet.MachineFilter{}, paging.Order{})
			must(t, err)
			want := slices.DeleteFunc(slices.Clone(all.Rows), func(m fleet.Machine) bool { return !c.want(m) })
			got, err := s.MachinePage(t.Context(), c.f, paging.Order{})
			must(t, err)
			n, err := s.CountMachines(t.Context(), c.f, 1000)
			must(t, err)
			if len(want) == 0 || len(want) == pagingRows {
				t.Fatalf("%+v lets %d through: this proves nothing", c.f, len(want))
			}
			if !reflect.DeepEqual(got.Rows, want) || n != len(want) {
				t.Errorf("%+v: %d rows, %d counted, want %d", c.f, len(got.Rows), n, len(want))
			}
		}
	})
}
