package org

import (
	"fmt"
	"strings"

	"vigia/collector/internal/apperr"
)

// maxProblems is how many problems are told at once; more are counted.
const maxProblems = 200

// Problem is one thing wrong with what was given.
type Problem struct {
	Line  int    // of a file, 1 is the header; 0 in a form
	Field string // as in the header of a file, or empty
	Value string
	Key   string // of the sentence that says what is expected
	Args  apperr.Args
}

// Err is the problem as an error whose sentence can be translated.
func (p Problem) Err() *apperr.Error { return apperr.New(apperr.Invalid, p.Key, p.Args) }

// Error is for the log.
func (p Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Field != "" {
		fmt.Fprintf(&b, "%s %q: ", p.Field, p.Value)
	}
	return b.String() + p.Err().Error()
}

// Problems is every thing wrong. It is an error with the code Invalid, below an
// apperr.Error with the key "org.import-file" or "org.form".
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, 0, len(p))
	for _, x := range p[:min(len(p), maxProblems)] {
		lines = append(lines, x.Error())
	}
	if len(p) > maxProblems {
		lines = append(lines, fmt.Sprintf("and %d more", len(p)-maxProblems))
	}
	return strings.Join(lines, "\n")
}

// inFile is the error for a file, nil when nothing is wrong.
func (p Problems) inFile() error {
	if len(p) == 0 {
		return nil
	}
	return apperr.Wrap(p, apperr.Invalid, "org.import-file", apperr.Args{"problems": len(p)})
}

// inForm is the error for a form, nil when nothing is wrong.
func (p Problems) inForm() error {
	if len(p) == 0 {
		return nil
	}
	return apperr.Wrap(p, apperr.Invalid, "org.form", apperr.Args{"problems": len(p)})
}

// add notes a problem; a long value is cut.
func (p *Problems) add(line int, field, value, key string, args apperr.Args) {
	if len(value) > 60 {
		value = strings.ToValidUTF8(value[:60], "") + "…"
	}
	*p = append(*p, Problem{Line: line, Field: field, Value: value, Key: key, Args: args})
}
