// Package policyfile owns the YAML form of an allowlist: reading it strictly, with
// every error at once and each with its line, and writing it so that it reads back
// equal. It refuses anchors, aliases, merge keys, several documents and unknown keys,
// and knows nothing about what a rule means beyond policy.Rule.Validate.
//
// It reads with go.yaml.in/yaml/v4. goccy/go-yaml is 0.35 MiB smaller in a binary, but
// its parser takes minutes and gigabytes on 4 MiB of nested brackets.
package policyfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"vigia/internal/policy"
)

// Limits of one file.
const (
	MaxSize   = 4 << 20 // bytes
	MaxErrors = 200     // errors told; the last tells how many more there are
)

// File is the content of an allowlist file. Mode is empty and Baseline nil where the
// file does not tell: then what is in force stays. Rules have no ID.
type File struct {
	Mode     policy.Mode
	Baseline *bool
	Rules    []policy.Rule
}

// Document returns the policy of f on its own. What f does not tell is taken from mode
// and baseline.
func (f *File) Document(mode policy.Mode, baseline bool) *policy.Document {
	if f.Baseline != nil {
		baseline = *f.Baseline
	}
	return &policy.Document{Mode: cmp.Or(f.Mode, mode), Baseline: baseline, Rules: f.Rules}
}

// Error is one fault of a file. Line and Column count from 1 and are 0 when the fault
// is of the file as a whole. Field is its path ("rules[2].match.version"), Key names
// the problem for translation, Problem and Remedy tell it in English.
type Error struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Field   string `json:"field"`
	Value   string `json:"value"`
	Key     string `json:"key"`
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// Error implements error: "12:5: rules[2].match.version: ">1 <3" …; …".
func (e *Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", e.Line, e.Column)
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	if e.Value != "" {
		fmt.Fprintf(&b, "%q ", e.Value)
	}
	b.WriteString(e.Problem)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Keys of an Error beside those of policy.FieldError.
const (
	KeySyntax    = "policy.file.syntax"
	KeyTooLarge  = "policy.file.too-large"
	KeyRead      = "policy.file.read"
	KeyKind      = "policy.file.kind" // a list where a text belongs, and the like
	KeyUnknown   = "policy.file.unknown-key"
	KeyDuplicate = "policy.file.duplicate"
	KeyMissing   = "policy.file.missing"
	KeyAlias     = "policy.file.alias"
	KeyDate      = "policy.file.date"
	KeyMore      = "policy.file.more" // Value further errors
)

// Parse reads a whole file. The file is nil exactly when there are errors, each an
// *Error, in the order of the file.
func Parse(r io.Reader) (*File, []error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, []error{&Error{Key: KeyRead, Problem: "cannot be read: " + err.Error(), Remedy: "look at the file and its permissions"}}
	case len(b) > MaxSize:
		return nil, []error{&Error{Key: KeyTooLarge, Problem: fmt.Sprintf("the file has more than %d bytes", MaxSize), Remedy: "use patterns instead of one rule per program"}}
	case !utf8.Valid(b):
		return nil, []error{encodingError(b)}
	}
	p := &parser{}
	root, fault := load(b)
	if fault != nil {
		return nil, []error{fault}
	}
	f := p.file(root)
	if len(p.errs) > 0 {
		return nil, p.result()
	}
	return f, nil
}

// load parses the one document of b.
func load(b []byte) (*yaml.Node, *Error) {
	dec := yaml.NewDecoder(bytes.NewReader(b))
	var doc, second yaml.Node
	err := dec.Decode(&doc)
	if err == io.EOF || err == nil && len(doc.Content) == 0 {
		return nil, &Error{Line: 1, Column: 1, Key: KeyMissing, Problem: "the file is empty", Remedy: "write mode, baseline and rules"}
	}
	if err == nil {
		if err = dec.Decode(&second); err == io.EOF {
			return doc.Content[0], nil
		} else if err == nil {
			return nil, &Error{Line: second.Line, Column: second.Column, Key: KeySyntax, Problem: "a second document begins", Remedy: "put all rules in one document, without ---"}
		}
	}
	fault := &Error{Line: 1, Column: 1, Key: KeySyntax, Problem: "is no YAML: " + err.Error(), Remedy: "correct the indentation, quotes and brackets there"}
	if at := new(yaml.LoadError); errors.As(err, &at) {
		fault.Problem = "is no YAML: " + at.Message
		fault.Line, fault.Column = max(1, at.Mark.Line), max(1, at.Mark.Column)
	}
	return nil, fault
}

// encodingError finds the first byte that is not UTF-8.
func encodingError(b []byte) *Error {
	line, start := 1, 0
	for i := 0; i < len(b); {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return &Error{Line: line, Column: utf8.RuneCount(b[start:i]) + 1, Key: policy.KeyBadText,
				Problem: "is not UTF-8", Remedy: "save the file in UTF-8"}
		}
		i += size
		if r == '\n' {
			line, start = line+1, i
		}
	}
	return &Error{Key: policy.KeyBadText, Problem: "is not UTF-8", Remedy: "save the file in UTF-8"}
}

// result sorts the errors by place and cuts them to MaxErrors.
func (p *parser) result() []error {
	slices.SortStableFunc(p.errs, func(a, b *Error) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
	errs := make([]error, 0, min(len(p.errs), MaxErrors))
	for i, e := range p.errs {
		if i == MaxErrors-1 && len(p.errs) > MaxErrors {
			more := fmt.Sprint(len(p.errs) - i)
			return append(errs, &Error{Line: e.Line, Column: e.Column, Key: KeyMore, Value: more, Problem: "further errors from here on", Remedy: "correct the ones above first"})
		}
		errs = append(errs, e)
	}
	return errs
}
