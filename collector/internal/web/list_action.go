package web

import (
	"net/http"
	"strings"

	"vigia/collector/internal/apperr"
)

// sessionNotice keeps what was done for the next page to say.
const sessionNotice = "notice"

// maxChosen bounds how many rows one action takes.
const maxChosen = 200

// chosenRows returns the keys that an action on several rows was sent, or an error that
// says what to do.
func chosenRows(r *http.Request) ([]string, error) {
	if err := r.ParseForm(); err != nil {
		return nil, apperr.Wrap(err, apperr.Invalid, "list.none-chosen", apperr.Args{"field": "row"})
	}
	rows := r.PostForm["row"]
	switch {
	case len(rows) == 0:
		return nil, apperr.New(apperr.Invalid, "list.none-chosen", apperr.Args{"field": "row"})
	case len(rows) > maxChosen:
		return nil, apperr.New(apperr.Invalid, "list.too-many-chosen", apperr.Args{"field": "row", "most": maxChosen})
	}
	return rows, nil
}

// backToList goes back to the list that the action came from and says what was done there.
func (c *console) backToList(w http.ResponseWriter, r *http.Request, list, notice string) {
	c.sessions.Put(r.Context(), sessionNotice, notice)
	back := r.PostForm.Get("back")
	if back != list && !strings.HasPrefix(back, list+"?") { // only to the list: never elsewhere
		back = list
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}
