package app

import (
	"strings"

	"vigia/collector/internal/ingest"
	"vigia/internal/policy"
)

// trialRow is one rule that was tried for a program.
type trialRow struct {
	Rule    string   `json:"rule"`
	Effect  string   `json:"effect"`
	Matches bool     `json:"matches"`
	Decides bool     `json:"decides"`
	Reasons []string `json:"reasons"`
}

func toTrials(e policy.Explanation) []trialRow {
	out := make([]trialRow, 0, len(e.Trials))
	for _, t := range e.Trials {
		r := trialRow{Rule: t.RuleName, Effect: string(t.Effect), Matches: t.Matches, Decides: t.Decides, Reasons: []string{}}
		for _, why := range t.Reasons {
			r.Reasons = append(r.Reasons, why.English())
		}
		out = append(out, r)
	}
	return out
}

func showTrials(s *streams, list []trialRow) error {
	return show(s, "table", list, []string{"RULE", "EFFECT", "MATCHES", "WHY"}, func(r trialRow) []string {
		matches := "no"
		if r.Matches {
			matches = "yes"
		}
		return []string{r.Rule, r.Effect, matches, strings.Join(r.Reasons, "; ")}
	})
}

// reasonText is the sentence of a verdict's key.
func reasonText(key, rule string) string {
	switch key {
	case ingest.ReasonArchived:
		return "its machine was archived"
	case ingest.ReasonRevoked:
		return "its machine was revoked, so it reports no more"
	}
	return policy.Verdict{Key: key, RuleName: rule}.Reason().English()
}
