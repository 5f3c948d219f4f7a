// Package uplink owns the agent's side of the way to the collector: enrollment, the
// identity on disk, the one stream of reports, acknowledgements, policy and commands,
// renewal of the certificate, and when to try again. Its Tracker decides what of an
// inventory has to travel.
//
// It refuses to look at the machine, to judge programs, and to run commands itself:
// those are callbacks.
//
// Files of the state folder (all 0600): identity.json, policy.json, tracker.zst; the
// spool has a folder of its own.
package uplink

import (
	"errors"
	"fmt"
	"time"
)

// KeepaliveTime is how long a connection may be silent before it is probed. The
// collector probes more often, so that this only finds out a collector that vanished;
// grpc-go servers must be told to allow it (their own bound is 5 minutes).
const KeepaliveTime = 2 * time.Minute

// Errors that Problem wraps, to tell causes apart in code.
var (
	ErrNotEnrolled     = errors.New("not enrolled")
	ErrAlreadyEnrolled = errors.New("already enrolled")
	ErrTokenRefused    = errors.New("token refused")
	ErrWrongCollector  = errors.New("not the collector that is trusted")
	ErrClock           = errors.New("clock is off")
	ErrUnreachable     = errors.New("collector unreachable")
	ErrRefused         = errors.New("refused by the collector")
	ErrProtocol        = errors.New("protocol not spoken by the collector")
	ErrBusy            = errors.New("collector busy")
	ErrRenewal         = errors.New("renewed certificate refused")
	ErrExpired         = errors.New("certificate expired")
)

// Problem is an error for people: what is wrong, and what to do about it.
type Problem struct {
	Kind   error  // one of the errors above
	What   string // a sentence without a full stop
	Remedy string // what to do, or empty
	Err    error  // the cause for the log, or nil
}

// Error tells all of it in one line.
func (p *Problem) Error() string {
	text := p.What
	if p.Err != nil {
		text += fmt.Sprintf(" (%v)", p.Err)
	}
	if p.Remedy != "" {
		text += "; " + p.Remedy
	}
	return text
}

// Unwrap makes errors.Is find Kind and the cause.
func (p *Problem) Unwrap() []error {
	if p.Err == nil {
		return []error{p.Kind}
	}
	return []error{p.Kind, p.Err}
}

// RemedyOf returns the remedy of the Problem in err, or an empty text.
func RemedyOf(err error) string {
	var p *Problem
	if errors.As(err, &p) {
		return p.Remedy
	}
	return ""
}

const (
	enrollRemedy = "run: vigia-agent enroll --token TOKEN (a token is made by: vigia-collector token create)"
	// againRemedy is for a machine whose identity is whole and not taken any more.
	againRemedy = "run: vigia-agent enroll --token TOKEN --replace (a token is made by: vigia-collector token create); the machine keeps its history"
)
