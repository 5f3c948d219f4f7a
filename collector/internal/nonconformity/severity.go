package nonconformity

import "slices"

// Severity says how fast a record's life must go.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	Major    Severity = "major"
	Minor    Severity = "minor"
)

// DefaultSeverity is that of a program of which nothing is known.
const DefaultSeverity = Major

// Severities lists them, the worst first.
func Severities() []Severity { return []Severity{Critical, Major, Minor} }

// Worse is the worse of two; what is none counts least.
func Worse(a, b Severity) Severity {
	all := Severities()
	i, j := slices.Index(all, a), slices.Index(all, b)
	if j < 0 || i >= 0 && i <= j {
		return a
	}
	return b
}

// Steps of a record that somebody is awaited for. Limits are counted in working days.
const (
	StepNotify    = "notify"
	StepContain   = "contain"
	StepStatement = "statement"
	StepCause     = "cause"
	StepPlan      = "plan"
	StepImplement = "implement"
	StepMeasure   = "measure"
	StepVerify    = "verify" // days after the period for a report to come
	StepClose     = "close"
	StepRenew     = "renew" // a concession is about to end
)

// Limits are working days by step.
type Limits map[string]int
