package allowlist

import (
	"cmp"
	"context"
	"slices"

	"vigia/collector/internal/apperr"
	"vigia/internal/inventory"
	"vigia/internal/policy"
)

// maxExplained bounds how many programs of one name are explained.
const maxExplained = 50

// Question asks for verdicts. Version and Source narrow it where given. Without a
// machine, rules with a scope are tried against a machine without belongings.
type Question struct {
	Program string
	Version string
	Source  string
	Machine string // id
}

// Answer is the verdict on one program, with every rule tried and why.
type Answer struct {
	Program inventory.Program     `json:"program"`
	Machine policy.MachineContext `json:"machine"`
	policy.Explanation
}

// Explain answers for every installed program that the question names. NotFound
// "program.unknown" where there is none.
func (s *Service) Explain(ctx context.Context, q Question) ([]Answer, error) {
	a, err := s.Current(ctx)
	if err != nil {
		return nil, err
	}
	c, err := policy.Compile(&policy.Document{Mode: policy.Mode(a.Mode), Baseline: a.Baseline, Rules: a.Rules})
	if err != nil {
		return nil, apperr.Wrap(err, apperr.Internal, "allowlist.rules", nil)
	}
	m, list, err := s.named(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []Answer
	for i := range list {
		p := &list[i]
		if q.Version != "" && p.Version != q.Version || q.Source != "" && p.Source != q.Source || len(out) == maxExplained {
			continue
		}
		out = append(out, Answer{Program: *p, Machine: m, Explanation: c.Explain(p, m, s.cfg.Now())})
	}
	if len(out) == 0 {
		return nil, apperr.New(apperr.NotFound, "program.unknown", apperr.Args{"program": q.Program, "machine": q.Machine})
	}
	return out, nil
}

// named returns the programs of a question, and the machine.
func (s *Service) named(ctx context.Context, q Question) (policy.MachineContext, []inventory.Program, error) {
	if q.Machine == "" {
		list, err := s.cfg.Programs.ProgramsNamed(ctx, q.Program, 1000)
		return policy.MachineContext{}, list, err
	}
	m, err := s.cfg.Programs.MachineContext(ctx, q.Machine)
	if err != nil {
		return m, nil, err
	}
	installs, err := s.cfg.Programs.Installs(ctx, q.Machine)
	var list []inventory.Program
	for i := range installs {
		if policy.Fold(installs[i].Name) == policy.Fold(q.Program) {
			list = append(list, installs[i].Program)
		}
	}
	return m, list, err
}

// Proposals returns rules for what the allowlist in force does not authorize, most
// installed first.
func (s *Service) Proposals(ctx context.Context) ([]policy.Proposal, error) {
	a, err := s.Current(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.cfg.Findings.Unauthorized(ctx, a)
	return policy.Propose(seen), err
}

// rulesVersions remembers the versions of sets of rules under one allowlist: machines
// that are concerned by the same rules share one.
type rulesVersions struct {
	allowlist int64
	of        map[string]string // ids of the rules, joined → policy.RulesVersion
}

// maxRulesVersions bounds the sets remembered.
const maxRulesVersions = 10_000

// Document returns what a machine is sent: mode, baseline, and the rules that can
// concern it.
func (s *Service) Document(ctx context.Context, machine string) (*policy.Document, error) {
	a, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return nil, err
	}
	m, err := s.cfg.Programs.MachineContext(ctx, machine)
	if err != nil {
		return nil, err
	}
	d := &policy.Document{Mode: policy.Mode(a.Mode), Baseline: a.Baseline, Rules: policy.RulesFor(a.Rules, m), Machine: m, IssuedAt: s.cfg.Now().UTC()}
	d.Version = policy.DocumentVersion(s.rulesVersion(a.Version, d), m)
	return d, nil
}

// rulesVersion returns policy.RulesVersion of d under a version of the allowlist.
func (s *Service) rulesVersion(version int64, d *policy.Document) string {
	var key []byte
	for i := range d.Rules {
		key = append(append(key, cmp.Or(d.Rules[i].ID, d.Rules[i].Name)...), 0)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rules.allowlist != version || s.rules.of == nil || len(s.rules.of) >= maxRulesVersions {
		s.rules = rulesVersions{allowlist: version, of: make(map[string]string)}
	}
	v, ok := s.rules.of[string(key)]
	if !ok {
		v = policy.RulesVersion(d.Mode, d.Baseline, slices.Clone(d.Rules))
		s.rules.of[string(key)] = v
	}
	return v
}
