package web

import (
	"net/http"
	"strings"

	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/nonconformity"
)

type nonconformityShowPage struct {
	Page
	Record nonconformity.Nonconformity
	Steps  []step
}

// step is one state of the record's life.
type step struct {
	Text    string
	Done    bool
	Current bool
}

// nonconformityShow shows one record as it goes into the ISO file.
func (c *console) nonconformityShow(w http.ResponseWriter, r *http.Request) error {
	p := nonconformityShowPage{Page: c.newPage(w, r, "nonconformities")}
	n, err := c.Nonconformities.ByNumber(r.Context(), r.PathValue("number"))
	if apperr.Is(err, apperr.NotFound) {
		return apperr.Wrap(err, apperr.NotFound, "web.no-nonconformity", nil)
	} else if err != nil {
		return err
	}
	p.Record, p.Title = n, n.Number
	contained := n.State == nonconformity.Contained
	p.Steps = []step{
		{Text: p.Word("nc.state", string(nonconformity.Open)), Done: contained, Current: !contained},
		{Text: p.Word("nc.state", string(nonconformity.Contained)), Done: contained, Current: contained},
	}
	return c.render(w, r, "nonconformity_show", p)
}

// Actor is who did something, in words: people by their address, machines and the
// collector itself by what they are.
func (p Page) Actor(s string) string {
	kind, id, ok := strings.Cut(s, ":")
	if !ok {
		return s
	}
	switch actor.Kind(kind) {
	case actor.Person:
		if id == operatorID {
			return p.T("operator")
		}
		return id
	case actor.Machine:
		return p.T("actor.machine")
	case actor.CLI:
		return p.T("actor.cli", "Account", id)
	case actor.System:
		return p.T("actor.system")
	}
	return s
}
