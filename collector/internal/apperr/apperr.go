// Package apperr owns the one kind of error that crosses the rooms of the collector:
// a code for machines, a key for people, a cause for the log. It refuses to hold
// sentences: the edge (web, CLI, mail) translates Key with Args.
package apperr

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Code tells a machine what kind of failure it is. Adapters map it to gRPC and HTTP
// status and to exit codes, code for code.
type Code string

// The codes.
const (
	Invalid         Code = "invalid"         // the input is wrong; Args["field"] names it where there is one
	Unauthenticated Code = "unauthenticated" // who are you
	Forbidden       Code = "forbidden"       // you may not
	NotFound        Code = "not-found"       // no such object, or none you may know of
	Conflict        Code = "conflict"        // the state does not allow it, or somebody was faster
	TooMany         Code = "too-many"        // a limit or a cap was reached
	Unavailable     Code = "unavailable"     // try later; Args["retry_after"] where known
	Internal        Code = "internal"        // our fault; the cause is in the log only
)

// Args are the values that a translated sentence names.
type Args map[string]any

// Error is the error that crosses rooms.
type Error struct {
	Code Code
	Key  string // of the sentence in the locale catalogues, such as "token.expired"
	Args Args
	Err  error // the cause, for the log; may be nil
}

// New returns an error without a cause.
func New(code Code, key string, args Args) *Error { return &Error{Code: code, Key: key, Args: args} }

// Wrap returns an error with a cause.
func Wrap(err error, code Code, key string, args Args) *Error {
	return &Error{Code: code, Key: key, Args: args, Err: err}
}

// Error is for the log: the key, the arguments in order of their names, the cause.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Key)
	names := make([]string, 0, len(e.Args))
	for n := range e.Args {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, " %s=%v", n, e.Args[n])
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of the first Error in err's chain, Internal for any other
// error, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }
