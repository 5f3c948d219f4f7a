package web

import (
	"context"
	"net/http"
	"strconv"

	"vigia/collector/internal/access"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/rollout"
	"vigia/collector/internal/web/form"
)

// Updates is what the page of updates asks and does; the app puts it together from the
// store and rollout.Service.
type Updates interface {
	Releases(ctx context.Context) ([]rollout.Release, error)
	Stages(ctx context.Context) ([]rollout.Stage, error)
	Counts(ctx context.Context) ([]rollout.Count, error)
	Problems(ctx context.Context, most int) ([]rollout.Progress, error)
	Pause(ctx context.Context, row int64, paused bool) error
}

// mostProblems bounds the list of machines whose update failed.
const mostProblems = 100

type updateListPage struct {
	Page
	Saved    string
	May      bool // pause and resume
	Releases []rollout.Release
	Stages   []rollout.Stage
	Counts   []rollout.Count
	Problems []rollout.Progress
}

// updateList shows releases, stages, the versions in use and what went wrong.
func (c *console) updateList(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	p := updateListPage{Page: c.newPage(w, r, "administration")}
	p.Title, p.May = p.T("admin.updates"), access.May(p.actor, access.ChangeSettings)
	if done := form.OneOf(r, "done", "paused", "resumed"); done != "" {
		p.Saved = p.Word("update.done", done)
	}
	var err error
	if p.Releases, err = c.Updates.Releases(ctx); err != nil {
		return err
	}
	if p.Stages, err = c.Updates.Stages(ctx); err != nil {
		return err
	}
	if p.Counts, err = c.Updates.Counts(ctx); err != nil {
		return err
	}
	if p.Problems, err = c.Updates.Problems(ctx, mostProblems); err != nil {
		return err
	}
	return c.render(w, r, "update_list", p)
}

// updatePause stops a stage or lets it go on, as the form says.
func (c *console) updatePause(w http.ResponseWriter, r *http.Request) error {
	row, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		return apperr.New(apperr.NotFound, "update.unknown-stage", apperr.Args{"value": r.PathValue("n")})
	}
	paused := r.PostFormValue("paused") == "yes"
	if err := c.Updates.Pause(r.Context(), row, paused); err != nil {
		return err
	}
	return c.done(w, r, "/updates", map[bool]string{true: "paused", false: "resumed"}[paused])
}
