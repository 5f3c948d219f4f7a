package app

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/internal/policy"
)

// maxNotes bounds how many notes on one file are told.
const maxNotes = 20

// noteStrangers tells which places and machines of the rules' scopes nobody knows yet:
// that is no error, since they may come, and more often a slip of the pen.
func (d *desk) noteStrangers(ctx context.Context, w io.Writer, rules []policy.Rule) error {
	known, err := d.places(ctx)
	if err != nil {
		return err
	}
	var notes []string
	for _, r := range rules {
		for _, t := range []policy.Targets{r.Scope.Targets, r.Scope.Except} {
			for kind, names := range map[string][]string{"site": t.Sites, "area": t.Areas} {
				for _, name := range names {
					if !known[kind+policy.Fold(name)] {
						notes = append(notes, fmt.Sprintf("note: rule %q: there is no %s %q yet", r.Name, kind, name))
					}
				}
			}
			for _, name := range t.Machines {
				if strings.ContainsAny(name, "*?[") {
					continue
				}
				if _, err := d.fleet.Find(ctx, name); apperr.Is(err, apperr.NotFound) {
					notes = append(notes, fmt.Sprintf("note: rule %q: there is no machine %q yet", r.Name, name))
				} else if err != nil && !apperr.Is(err, apperr.Conflict) {
					return err
				}
				if len(notes) > maxNotes {
					break
				}
			}
		}
	}
	slices.Sort(notes)
	notes = slices.Compact(notes)
	for _, n := range notes[:min(len(notes), maxNotes)] {
		fmt.Fprintln(w, plain(n))
	}
	if len(notes) > maxNotes {
		fmt.Fprintln(w, "note: and more such names")
	}
	return nil
}

// places are the names of sites and areas, folded, with their kind before them.
func (d *desk) places(ctx context.Context) (map[string]bool, error) {
	known := map[string]bool{}
	sites, err := d.store.Sites(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range sites {
		known["site"+policy.Fold(x.Name)] = true
	}
	areas, err := d.store.Areas(ctx)
	for _, x := range areas {
		known["area"+policy.Fold(x.Name)] = true
	}
	return known, err
}

// notePlaces tells when a site or an area of a token is not known yet: machines that
// enroll with it make it known.
func (d *desk) notePlaces(ctx context.Context, w io.Writer, site, area string) error {
	known, err := d.places(ctx)
	if err != nil {
		return err
	}
	for _, x := range []struct{ kind, name string }{{"site", site}, {"area", area}} {
		if x.name != "" && !known[x.kind+policy.Fold(x.name)] {
			fmt.Fprintf(w, "note: there is no %s %q yet; it comes with the first machine\n", x.kind, plain(x.name))
		}
	}
	return nil
}
