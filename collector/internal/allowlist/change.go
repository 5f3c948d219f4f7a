package allowlist

import (
	"context"
	"fmt"
	"io"

	"vigia/collector/internal/access"
	"vigia/collector/internal/actor"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/internal/policy"
	"vigia/internal/policy/policyfile"
)

// Import makes the content of a file, which calls itself name, the allowlist. Rules
// keep the id of the rule with their name. What the file does not tell (mode, baseline)
// stays. Errors: TooMany "allowlist.cap" with the plan, when the impact is above the
// cap; Conflict "allowlist.changed" when somebody was faster.
func (s *Service) Import(ctx context.Context, f *policyfile.File, name string, opts Options) (Plan, error) {
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	next := current
	next.Rules = append([]policy.Rule(nil), f.Rules...)
	if f.Mode != "" {
		next.Mode = authorization.Mode(f.Mode)
	}
	if f.Baseline != nil {
		next.Baseline = *f.Baseline
	}
	if err := s.mint(current.Rules, next.Rules); err != nil {
		return Plan{}, err
	}
	next.Cause, next.Undoes = "import "+name, 0
	return s.change(ctx, current, next, "allowlist.import", opts)
}

// mint gives rules the id of the old rule with their name, or a new one.
func (s *Service) mint(old, rules []policy.Rule) error {
	ids := make(map[string]string, len(old))
	for i := range old {
		ids[old[i].Name] = old[i].ID
	}
	for i := range rules {
		r := &rules[i]
		if r.ID = ids[r.Name]; r.ID != "" {
			continue
		}
		id, err := s.cfg.NewID()
		if err != nil {
			return apperr.Wrap(fmt.Errorf("making a rule's id: %w", err), apperr.Internal, "allowlist.id", nil)
		}
		r.ID = id
	}
	return nil
}

// SetMode switches the mode and nothing else. Errors as Import; Invalid "allowlist.mode"
// for a mode that is none.
func (s *Service) SetMode(ctx context.Context, mode authorization.Mode, opts Options) (Plan, error) {
	if !policy.Mode(mode).Known() {
		return Plan{}, apperr.New(apperr.Invalid, "allowlist.mode", apperr.Args{"field": "mode", "value": string(mode)})
	}
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	next := current
	next.Mode, next.Cause, next.Undoes = mode, "mode "+string(mode), 0
	return s.change(ctx, current, next, "allowlist.mode", opts)
}

// Undo takes the last change back, whatever it was; to undo an undo is to do it again.
// Errors as Import; Conflict "allowlist.nothing-to-undo" where there never was a change.
func (s *Service) Undo(ctx context.Context, opts Options) (Plan, error) {
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	next := authorization.Allowlist{Mode: authorization.Learn, Baseline: true}
	switch {
	case current.Version == 0:
		return Plan{}, apperr.New(apperr.Conflict, "allowlist.nothing-to-undo", nil)
	case current.Version > 1:
		if next, err = s.cfg.Allowlists.AllowlistVersion(ctx, current.Version-1); err != nil {
			return Plan{}, err
		}
	}
	next.Cause, next.Undoes = fmt.Sprintf("undo of %d", current.Version), current.Version
	return s.change(ctx, current, next, "allowlist.undo", opts)
}

// change shows the impact of next and, where wanted and below the cap, makes it the
// allowlist and brings the findings in line.
func (s *Service) change(ctx context.Context, current, next authorization.Allowlist, action string, opts Options) (Plan, error) {
	if _, err := access.Need(ctx, access.ChangeAllowlist); err != nil {
		return Plan{}, err
	}
	if opts.Base != nil && *opts.Base != current.Version {
		return Plan{}, apperr.New(apperr.Conflict, "allowlist.changed", apperr.Args{"current": current.Version, "wanted": *opts.Base + 1})
	}
	next.Version = current.Version + 1
	next.CreatedAt, next.CreatedBy = s.cfg.Now().UTC(), actor.From(ctx).String()
	p := Plan{Allowlist: next, Current: current.Version, Version: next.Version, Mode: next.Mode, Rules: len(next.Rules)}
	if _, err := policy.Compile(&policy.Document{Mode: policy.Mode(next.Mode), Baseline: next.Baseline, Rules: next.Rules}); err != nil {
		return p, apperr.Wrap(err, apperr.Invalid, "allowlist.rules", apperr.Args{"problem": err.Error()})
	}
	var err error
	if p.Impact, err = s.cfg.Findings.Impact(ctx, next); err != nil {
		return p, err
	}
	if len(opts.touched) > 0 {
		covers, err := s.cfg.Findings.Covers(ctx, next, only(opts.touched))
		if err != nil {
			return p, err
		}
		cover := covers[together]
		p.Cover = &cover
	}
	if !opts.Apply {
		return p, nil
	}
	if err := opts.check(p.Impact); err != nil {
		return p, err
	}
	err = s.cfg.Tx.InTx(ctx, func(ctx context.Context) error {
		if err := s.cfg.Findings.LockFindings(ctx); err != nil {
			return err
		}
		saved, err := s.cfg.Allowlists.SaveAllowlist(ctx, next)
		if err != nil {
			return err
		}
		p.Allowlist = saved
		entry := audit.Entry{At: next.CreatedAt, Actor: next.CreatedBy, Action: action, Object: fmt.Sprintf("allowlist/%d", saved.Version),
			Before: audit.JSON(summary(current)), After: audit.JSON(summary(saved))}
		if err := s.cfg.Audit.Append(ctx, entry); err != nil {
			return err
		}
		if opts.Also != nil {
			if err := opts.Also(ctx, saved); err != nil {
				return err
			}
		}
		return s.cfg.Changes.Notify(ctx, fleet.ChangePolicy, "")
	})
	if err != nil {
		return p, err
	}
	p.Applied = true
	p.Followed, err = s.cfg.Findings.Follow(ctx)
	return p, err
}

// check returns TooMany where the impact is above the cap.
func (o Options) check(i Impact) error {
	limit, within := DefaultMaxOpen, i.Opens <= DefaultMaxOpen && i.Machines <= DefaultMaxMachines
	if o.MaxOpen != nil {
		limit = *o.MaxOpen
		within = limit < 0 || i.Opens <= limit
	}
	if within {
		return nil
	}
	return apperr.New(apperr.TooMany, "allowlist.cap", apperr.Args{"opens": i.Opens, "machines": i.Machines, "max_open": limit, "max_machines": DefaultMaxMachines})
}

// summary is what the audit log keeps of an allowlist.
func summary(a authorization.Allowlist) any {
	return struct {
		Version  int64
		Mode     authorization.Mode
		Baseline bool
		Cause    string
		Rules    []policy.Rule
	}{a.Version, a.Mode, a.Baseline, a.Cause, a.Rules}
}

func write(w io.Writer, a authorization.Allowlist) error {
	baseline := a.Baseline
	if err := policyfile.Write(w, &policyfile.File{Mode: policy.Mode(a.Mode), Baseline: &baseline, Rules: a.Rules}); err != nil {
		return fmt.Errorf("writing the allowlist: %w", err)
	}
	return nil
}
