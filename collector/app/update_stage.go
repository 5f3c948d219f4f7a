package app

import (
	"context"
	"fmt"
	"time"

	"vigia/collector/internal/rollout"
)

type updateStageCmd struct {
	dataFlags `embed:""`
	Version   string        `arg:"" help:"A published version."`
	Group     string        `help:"Only machines of this group; all unless given." placeholder:"NAME"`
	Share     int           `help:"Percent of them: always the same machines first, so that 5, then 25, then 100 widens." default:"100" placeholder:"PERCENT"`
	Grace     time.Duration `help:"A machine goes back to the version before when the new one has not reported within this." default:"15m"`
}

// Help implements kong.HelpProvider.
func (updateStageCmd) Help() string {
	return examples("update stage 1.4.0 --group pilot", "update stage 1.4.0 --share 10", "update stage 1.4.0 --grace 30m") +
		"\n\nAgents look every half hour or so, and when they connect. No agent ever takes a version older than its own. A machine that went back tries again when the version is staged anew."
}

// Run implements the command.
func (c *updateStageCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if c.Group != "" {
			if _, err := d.store.GroupRow(ctx, c.Group); err != nil {
				return err
			}
		}
		st, err := d.updates().Begin(ctx, rollout.Stage{Version: c.Version, Group: c.Group, Share: c.Share, Grace: c.Grace})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "stage %d: version %s for %d %% of %s\n", st.Row, plain(st.Version), st.Share, plain(meant(st.Group)))
		return err
	})
}

func meant(group string) string {
	if group == "" {
		return "all machines"
	}
	return "group " + group
}

type stageArg struct {
	dataFlags `embed:""`
	Stage     int64 `arg:"" help:"Number of the stage: update list."`
}

func (c *stageArg) pause(s *streams, paused bool, done string) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		if err := d.updates().Pause(ctx, c.Stage, paused); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "stage %d %s\n", c.Stage, done)
		return err
	})
}

type updatePauseCmd struct {
	stageArg `embed:""`
}

// Help implements kong.HelpProvider.
func (updatePauseCmd) Help() string { return examples("update pause 3") }

// Run implements the command.
func (c *updatePauseCmd) Run(s *streams) error { return c.pause(s, true, "paused") }

type updateResumeCmd struct {
	stageArg `embed:""`
}

// Help implements kong.HelpProvider.
func (updateResumeCmd) Help() string { return examples("update resume 3") }

// Run implements the command.
func (c *updateResumeCmd) Run(s *streams) error { return c.pause(s, false, "goes on") }

type updateListCmd struct {
	dataFlags  `embed:""`
	outputFlag `embed:""`
}

// Help implements kong.HelpProvider.
func (updateListCmd) Help() string { return examples("update list", "update list --output json") }

// updateState is the answer in JSON.
type updateState struct {
	Releases []updateReleaseRow `json:"releases"`
	Stages   []updateStageRow   `json:"stages"`
	Versions []inUseRow         `json:"versions"`
	Problems []updateProblemRow `json:"problems"`
}

type updateReleaseRow struct {
	Version     string    `json:"version"`
	PublishedAt time.Time `json:"published_at"`
	PublishedBy string    `json:"published_by"`
}

type updateStageRow struct {
	Stage        int64     `json:"stage"`
	Version      string    `json:"version"`
	Group        string    `json:"group"` // empty: all machines
	Share        int       `json:"share"`
	GraceSeconds int       `json:"grace_seconds"`
	Paused       bool      `json:"paused"`
	CreatedAt    time.Time `json:"created_at"`
	CreatedBy    string    `json:"created_by"`
}

type inUseRow struct {
	Version  string `json:"version"`
	Target   string `json:"target"`
	Phase    string `json:"phase"`
	Machines int    `json:"machines"`
}

type updateProblemRow struct {
	Machine  string    `json:"machine"`
	Hostname string    `json:"hostname"`
	Version  string    `json:"version"`
	Target   string    `json:"target"`
	Phase    string    `json:"phase"`
	Problem  string    `json:"problem"`
	At       time.Time `json:"at"`
}

// Run implements the command.
func (c *updateListCmd) Run(s *streams) error {
	return c.withDesk(s, func(ctx context.Context, d *desk) error {
		state, err := d.updateState(ctx)
		if err != nil {
			return err
		}
		if c.Output == "json" {
			return printJSON(s.out, state)
		}
		if err := show(s, c.Output, state.Stages, []string{"STAGE", "VERSION", "FOR", "SHARE", "GRACE", "STATE", "SINCE", "BY"}, func(r updateStageRow) []string {
			return []string{fmt.Sprint(r.Stage), r.Version, meant(r.Group), fmt.Sprintf("%d %%", r.Share), (time.Duration(r.GraceSeconds) * time.Second).String(),
				map[bool]string{true: "paused", false: "open"}[r.Paused], r.CreatedAt.Format(time.RFC3339), r.CreatedBy}
		}); err != nil {
			return err
		}
		fmt.Fprintln(s.out)
		if err := show(s, c.Output, state.Versions, []string{"RUNS", "UPDATE TO", "PHASE", "MACHINES"}, func(r inUseRow) []string {
			return []string{r.Version, r.Target, r.Phase, fmt.Sprint(r.Machines)}
		}); err != nil || len(state.Problems) == 0 {
			return err
		}
		fmt.Fprintln(s.out)
		return show(s, c.Output, state.Problems, []string{"MACHINE", "RUNS", "UPDATE TO", "PHASE", "PROBLEM"}, func(r updateProblemRow) []string {
			return []string{r.Hostname, r.Version, r.Target, r.Phase, r.Problem}
		})
	})
}

func (d *desk) updateState(ctx context.Context) (out updateState, err error) {
	u := d.store.Updates()
	releases, err := u.Releases(ctx)
	if err != nil {
		return out, err
	}
	stages, err := u.Stages(ctx)
	if err != nil {
		return out, err
	}
	counts, err := u.Counts(ctx)
	if err != nil {
		return out, err
	}
	problems, err := u.Problems(ctx, 100)
	out = updateState{Releases: []updateReleaseRow{}, Stages: []updateStageRow{}, Versions: []inUseRow{}, Problems: []updateProblemRow{}}
	for _, r := range releases {
		out.Releases = append(out.Releases, updateReleaseRow(r))
	}
	for _, t := range stages {
		out.Stages = append(out.Stages, updateStageRow{t.Row, t.Version, t.Group, t.Share, int(t.Grace.Seconds()), t.Paused, t.CreatedAt, t.CreatedBy})
	}
	for _, n := range counts {
		out.Versions = append(out.Versions, inUseRow(n))
	}
	for _, p := range problems {
		out.Problems = append(out.Problems, updateProblemRow{p.Machine, p.Hostname, p.Version, p.Target, p.Phase, p.Problem, p.At})
	}
	return out, err
}
