package allowlist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
	"vigia/internal/policy"
)

// KeyNameTaken is the key of a policy.FieldError for a name that another rule has.
const KeyNameTaken = "policy.error.name-taken"

// Problems is everything that is wrong with a rule, field by field. It is the cause of
// an Invalid "allowlist.rule".
type Problems []*policy.FieldError

// Error tells every problem in English.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, x := range p {
		texts[i] = x.Error()
	}
	return strings.Join(texts, "\n")
}

// problem is the error of a rule that cannot be kept.
func (p Problems) problem() error {
	return apperr.Wrap(p, apperr.Invalid, "allowlist.rule", apperr.Args{"problem": p.Error()})
}

// ProblemsOf returns what is wrong with a rule, nil when err is about something else.
func ProblemsOf(err error) Problems {
	var p Problems
	errors.As(err, &p)
	return p
}

// FindRule returns a rule in force by its id or, folded, its name, with the allowlist
// it stands in. NotFound "allowlist.no-rule".
func (s *Service) FindRule(ctx context.Context, idOrName string) (policy.Rule, authorization.Allowlist, error) {
	a, err := s.Current(ctx)
	if err != nil {
		return policy.Rule{}, a, err
	}
	if i := indexOf(a.Rules, idOrName); i >= 0 {
		return a.Rules[i], a, nil
	}
	return policy.Rule{}, a, noRule(idOrName)
}

func noRule(name string) error {
	return apperr.New(apperr.NotFound, "allowlist.no-rule", apperr.Args{"rule": name})
}

// indexOf finds a rule by its id or its folded name; -1 for none.
func indexOf(rules []policy.Rule, idOrName string) int {
	if idOrName == "" {
		return -1
	}
	if i := slices.IndexFunc(rules, func(r policy.Rule) bool { return r.ID == idOrName }); i >= 0 {
		return i
	}
	name := policy.Fold(idOrName)
	return slices.IndexFunc(rules, func(r policy.Rule) bool { return policy.Fold(r.Name) == name })
}

// AddRules adds rules; their ids are minted. Errors as Import; Invalid "allowlist.rule"
// with Problems.
func (s *Service) AddRules(ctx context.Context, rules []policy.Rule, opts Options) (Plan, error) {
	if len(rules) == 0 {
		return Plan{}, apperr.New(apperr.Invalid, "allowlist.no-rules", apperr.Args{"field": "rules"})
	}
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	next := current
	next.Rules = slices.Clone(current.Rules)
	for _, r := range rules {
		r.ID = ""
		if p := problemsOf(r, next.Rules); len(p) > 0 {
			return Plan{}, p.problem()
		}
		next.Rules = append(next.Rules, r)
	}
	added := next.Rules[len(current.Rules):]
	if err := s.mint(nil, added); err != nil {
		return Plan{}, err
	}
	next.Cause, next.Undoes = "add "+named(added), 0
	opts.touched = ids(added)
	return s.change(ctx, current, next, "allowlist.rule.add", opts)
}

// ChangeRule puts r in the place of the rule with that id, and keeps the id. Errors as
// AddRules; NotFound "allowlist.no-rule".
func (s *Service) ChangeRule(ctx context.Context, id string, r policy.Rule, opts Options) (Plan, error) {
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	i := indexOf(current.Rules, id)
	if i < 0 {
		return Plan{}, noRule(id)
	}
	next := current
	next.Rules = slices.Clone(current.Rules)
	r.ID = current.Rules[i].ID
	if p := problemsOf(r, slices.Delete(slices.Clone(current.Rules), i, i+1)); len(p) > 0 {
		return Plan{}, p.problem()
	}
	next.Rules[i] = r
	next.Cause, next.Undoes = "change "+named(next.Rules[i:i+1]), 0
	opts.touched = []string{r.ID}
	return s.change(ctx, current, next, "allowlist.rule.change", opts)
}

// RemoveRules takes rules away, by their ids or names. Errors as Import; NotFound
// "allowlist.no-rule" names the first that is not there.
func (s *Service) RemoveRules(ctx context.Context, idsOrNames []string, opts Options) (Plan, error) {
	if len(idsOrNames) == 0 {
		return Plan{}, apperr.New(apperr.Invalid, "allowlist.no-rules", apperr.Args{"field": "rules"})
	}
	current, err := s.cfg.Allowlists.CurrentAllowlist(ctx)
	if err != nil {
		return Plan{}, err
	}
	drop, removed := map[string]bool{}, []policy.Rule{}
	for _, name := range idsOrNames {
		i := indexOf(current.Rules, name)
		if i < 0 {
			return Plan{}, noRule(name)
		}
		if r := current.Rules[i]; !drop[r.ID] {
			drop[r.ID], removed = true, append(removed, r)
		}
	}
	next := current
	next.Rules = slices.DeleteFunc(slices.Clone(current.Rules), func(r policy.Rule) bool { return drop[r.ID] })
	next.Cause, next.Undoes = "remove "+named(removed), 0
	return s.change(ctx, current, next, "allowlist.rule.remove", opts)
}

// problemsOf is what keeps r from standing beside the others.
func problemsOf(r policy.Rule, others []policy.Rule) Problems {
	p := Problems(r.Validate())
	if indexOf(others, r.Name) >= 0 {
		p = append(p, &policy.FieldError{Field: "name", Key: KeyNameTaken, Value: r.Name, Problem: "is the name of another rule", Remedy: "give every rule a name of its own"})
	}
	if len(others) >= policy.MaxRules {
		p = append(p, &policy.FieldError{Field: "name", Key: policy.KeyTooMany, Value: fmt.Sprint(len(others) + 1), Problem: "rules are too many", Remedy: fmt.Sprintf("use at most %d; use patterns", policy.MaxRules)})
	}
	return p
}

// FreeName is name, with a number where a rule among rules is called so.
func FreeName(name string, rules []policy.Rule) string {
	const room = 8 // for " (1234)"
	if len(name) > policy.MaxName-room {
		name = strings.TrimSpace(strings.ToValidUTF8(name[:policy.MaxName-room], ""))
	}
	free := name
	for n := 2; indexOf(rules, free) >= 0; n++ {
		free = fmt.Sprintf("%s (%d)", name, n)
	}
	return free
}

func ids(rules []policy.Rule) []string {
	list := make([]string, len(rules))
	for i := range rules {
		list[i] = rules[i].ID
	}
	return list
}

// maxCause bounds the rules that a version's cause names.
const maxCause = 3

// named tells some names of rules and how many more there are.
func named(rules []policy.Rule) string {
	var names []string
	for i := range rules[:min(len(rules), maxCause)] {
		names = append(names, rules[i].Name)
	}
	text := strings.Join(names, ", ")
	if more := len(rules) - len(names); more > 0 {
		text += fmt.Sprintf(" +%d", more)
	}
	return text
}
