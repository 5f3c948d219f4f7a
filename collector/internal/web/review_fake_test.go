package web_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigia/collector/internal/access"
	"vigia/collector/internal/allowlist"
	"vigia/collector/internal/apperr"
	"vigia/collector/internal/audit"
	"vigia/collector/internal/authorization"
	"vigia/collector/internal/fleet"
	"vigia/collector/internal/paging"
	"vigia/collector/internal/review"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// fakeRules keeps versions of the allowlist in memory, and says what changes would do.
type fakeRules struct {
	f        *fake
	versions []authorization.Allowlist // from 1 on
}

// newRules is the real use-case over fakes.
func newRules(f *fake) *allowlist.Service {
	k := &fakeRules{f: f}
	for n := int64(1); n < f.allow.Version; n++ {
		v := authorization.Allowlist{Version: n, Mode: authorization.Learn, Baseline: true, CreatedAt: ago(30 * day), CreatedBy: "cli:root", Cause: "import lista.yaml"}
		if n > 1 {
			v.Mode, v.Rules = authorization.Monitor, f.allow.Rules[:1]
		}
		k.versions = append(k.versions, v)
	}
	n := 0
	return allowlist.New(allowlist.Config{Tx: k, Allowlists: k, Changes: k, Audit: k, Findings: k, Now: func() time.Time { return now },
		NewID: func() (string, error) { n++; return fmt.Sprintf("nueva-%d", n), nil }})
}

func (k *fakeRules) InTx(ctx context.Context, fn func(context.Context) error) error { return fn(ctx) }
func (k *fakeRules) Notify(context.Context, string, string) error                   { return nil }
func (k *fakeRules) Append(context.Context, audit.Entry) error                      { return nil }

func (k *fakeRules) Since(context.Context, int64) ([]fleet.Change, int64, error) { return nil, 0, nil }

func (k *fakeRules) CurrentAllowlist(context.Context) (authorization.Allowlist, error) {
	a := k.f.allow
	if a.Version > 0 && a.Cause == "" {
		a.Cause, a.CreatedBy, a.CreatedAt = "mode enforce", "person:ana@example.com", ago(day)
	}
	return a, k.f.broken
}

func (k *fakeRules) AllowlistVersion(ctx context.Context, n int64) (authorization.Allowlist, error) {
	switch {
	case k.f.broken != nil:
		return authorization.Allowlist{}, k.f.broken
	case n == k.f.allow.Version:
		return k.CurrentAllowlist(ctx)
	case n < 1 || n > int64(len(k.versions)):
		return authorization.Allowlist{}, apperr.New(apperr.NotFound, "allowlist.unknown", nil)
	}
	return k.versions[n-1], nil
}

func (k *fakeRules) AllowlistHistory(ctx context.Context, _ int) ([]authorization.Allowlist, error) {
	a, err := k.CurrentAllowlist(ctx)
	list := slices.Clone(k.versions)
	if a.Version > 0 {
		list = append(list, a)
	}
	slices.Reverse(list)
	return list, err
}

func (k *fakeRules) SaveAllowlist(_ context.Context, a authorization.Allowlist) (authorization.Allowlist, error) {
	k.versions = append(k.versions, k.f.allow)
	k.f.allow = a
	return a, nil
}

// Impact opens two findings where fewer rules stand than now, and closes one else.
func (k *fakeRules) Impact(_ context.Context, a authorization.Allowlist) (allowlist.Impact, error) {
	if len(a.Rules) < len(k.f.allow.Rules) {
		return allowlist.Impact{Opens: 2, Machines: 2, Hostnames: []string{"pc-017", "pc-204"}, ByProgram: []allowlist.ProgramImpact{{Name: "AnyDesk <i>x</i>", Source: "registry", Verdict: "unauthorized", Opens: 2}}}, k.f.broken
	}
	return allowlist.Impact{Closes: 1, ClosesMachines: 1, ClosesByProgram: []allowlist.ProgramImpact{{Name: "telegram", Source: "snap", Closes: 1}}}, k.f.broken
}

func (k *fakeRules) LockFindings(context.Context) error { return nil }
func (k *fakeRules) Follow(context.Context) (allowlist.Followed, error) {
	return allowlist.Followed{Done: true}, nil
}

func (k *fakeRules) Covers(_ context.Context, a authorization.Allowlist, group func(string) string) (map[string]allowlist.Cover, error) {
	out := map[string]allowlist.Cover{}
	for _, r := range a.Rules {
		if g := group(r.ID); g != "" {
			out[g] = allowlist.Cover{Programs: 2, Installs: 14, Machines: 9, Names: []allowlist.ProgramUses{{Name: "<script>alert(1)</script>", Source: "deb", Installs: 12}, {Name: "vim", Source: "deb", Installs: 2}}}
		}
	}
	return out, k.f.broken
}

func (k *fakeRules) Unauthorized(context.Context, authorization.Allowlist) ([]policy.Seen, error) {
	var list []policy.Seen
	for i, p := range samplePrograms() {
		if !k.f.empty {
			list = append(list, policy.Seen{Program: p, Installs: 1 + i})
		}
	}
	return list, k.f.broken
}

func (k *fakeRules) TitleVerdicts(context.Context, authorization.Allowlist, int64) ([]allowlist.MachineVerdict, error) {
	if k.f.empty {
		return nil, k.f.broken
	}
	return []allowlist.MachineVerdict{
		{Machine: policy.MachineContext{Site: "Querétaro", Area: "Ingeniería", Groups: []string{"portátiles"}}, Installed: true, Kind: policy.Denied, Rule: "r1", RuleName: "acceso remoto"},
		{Machine: policy.MachineContext{Site: "Cliente norte"}, Kind: policy.Unauthorized},
		{Machine: policy.MachineContext{}, Installed: true, Kind: policy.Authorized, Rule: policy.BaselineRule, RuleName: policy.BaselineRule},
	}, k.f.broken
}

// fakeReviews is the queue over the sample's findings; its decisions only remember.
type fakeReviews struct {
	f    *fake
	did  []review.Decision
	told int64
}

func (v *fakeReviews) may(ctx context.Context) error {
	if _, err := access.Need(ctx, access.ReviewFindings); err != nil {
		return err
	}
	return v.f.broken
}

func (v *fakeReviews) Queue(ctx context.Context, f review.Filter, _ paging.Place, _ int, _ time.Time) (review.Queue, error) {
	q := review.Queue{Decided: 3}
	for _, x := range v.f.findings {
		if x.State == authorization.Open && f.Query != "zzz" {
			q.Groups = append(q.Groups, review.Group{Key: fmt.Sprintf("%d-0-u", x.Row), Program: x.Program, Publisher: x.Publisher, Source: x.Source, Origin: x.Origin,
				Denied: x.Verdict == "denied", Rule: x.Rule, Versions: []string{x.Version, "9"}, Findings: 4, Since: x.FirstSeen, Sample: x.Row})
		}
	}
	q.Left, q.Findings = len(q.Groups), 4*len(q.Groups)
	return q, v.may(ctx)
}

func (v *fakeReviews) Select(ctx context.Context, p review.Pick) (review.Selection, error) {
	if len(p.Keys)+len(p.Rows) == 0 {
		return review.Selection{}, apperr.New(apperr.Invalid, "list.none-chosen", apperr.Args{"field": "group"})
	}
	q, err := v.Queue(ctx, review.Filter{}, paging.Place{}, 0, now)
	if err != nil || len(q.Groups) == 0 {
		return review.Selection{}, err
	}
	return review.Selection{Groups: q.Groups[:1], Findings: []review.Found{{Finding: v.f.findings[0]}}, Machines: 12, Sites: []string{"Querétaro"}, Hosts: []string{"pc-017"}}, nil
}

func (v *fakeReviews) Draft(ctx context.Context, p review.Pick, t review.Terms) (review.Draft, error) {
	sel, err := v.Select(ctx, p)
	return review.Draft{Selection: sel, Rules: []policy.Rule{{Name: "telegram · snap", Effect: policy.Allow, Match: policy.Match{Name: "telegram", Scope: inventory.ScopeMachine}, ValidUntil: t.Until}},
		Plan: allowlist.Plan{Impact: allowlist.Impact{Closes: 4, ClosesMachines: 4}, Cover: &allowlist.Cover{Programs: 2, Installs: 9, Machines: 9, Names: []allowlist.ProgramUses{{Name: "<script>alert(2)</script>", Source: "snap", Installs: 5}}}}}, err
}

func (v *fakeReviews) decide(ctx context.Context, kind review.Kind) (review.Decision, error) {
	v.told++
	d := review.Decision{ID: v.told, Kind: kind, At: now, By: "person:ana@example.com", Programs: []string{"<i>x</i>", "vim"}, Choices: 3, Findings: 4, Machines: 4, Until: now.Add(review.PutOffFor)}
	v.did = append([]review.Decision{d}, v.did...)
	return d, v.may(ctx)
}

func (v *fakeReviews) Authorize(ctx context.Context, _ review.Pick, t review.Terms) (review.Decision, error) {
	if t.Reason == "" {
		return review.Decision{}, apperr.New(apperr.Invalid, "review.reason-missing", apperr.Args{"field": "reason"})
	}
	return v.decide(ctx, review.Authorize)
}

func (v *fakeReviews) OpenRecords(ctx context.Context, _ review.Pick) (review.Decision, error) {
	return v.decide(ctx, review.Record)
}

func (v *fakeReviews) PutOff(ctx context.Context, _ review.Pick) (review.Decision, error) {
	return v.decide(ctx, review.Later)
}

func (v *fakeReviews) Undo(ctx context.Context, id int64) (review.Decision, error) {
	i := slices.IndexFunc(v.did, func(d review.Decision) bool { return d.ID == id })
	if i < 0 {
		return review.Decision{}, apperr.New(apperr.Conflict, "review.undone", nil)
	}
	d := v.did[i]
	v.did = slices.Delete(v.did, i, i+1)
	return d, v.may(ctx)
}

func (v *fakeReviews) Mine(ctx context.Context, _ time.Time, _ int) ([]review.Decision, error) {
	return v.did, v.may(ctx)
}

func (v *fakeReviews) On(ctx context.Context, _ int64) ([]review.Decision, error) {
	d := review.Decision{ID: 9, Kind: review.Record, At: ago(day), By: "person:ana@example.com", Programs: []string{"vim"}, Choices: 1, Machines: 1, UndoneAt: ago(day), UndoneBy: "cli:root"}
	return []review.Decision{d}, v.may(ctx)
}
