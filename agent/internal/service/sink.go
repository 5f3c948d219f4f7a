package service

import (
	"bytes"
	"io"
	"sync"
)

// Sink is where log lines go: to a terminal, and once the program runs as a service of
// Windows, to the system's event log. It is safe for concurrent use.
type Sink struct {
	mu     sync.Mutex
	w      io.Writer
	events func(kind EventKind, text string) error // nil: not a service
}

// EventKind is how an event is marked.
type EventKind int

// Kinds of events.
const (
	EventInfo EventKind = iota
	EventWarning
	EventError
)

// NewSink returns a Sink that writes to w.
func NewSink(w io.Writer) *Sink { return &Sink{w: w} }

// Write takes one line of slog.
func (s *Sink) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.events == nil {
		return s.w.Write(line)
	}
	return len(line), s.events(kindOf(line), string(bytes.TrimSpace(line)))
}

// kindOf finds the level in a line, whatever its form.
func kindOf(line []byte) EventKind {
	switch {
	case bytes.Contains(line, []byte("level=ERROR")), bytes.Contains(line, []byte(`"level":"ERROR"`)):
		return EventError
	case bytes.Contains(line, []byte("level=WARN")), bytes.Contains(line, []byte(`"level":"WARN"`)):
		return EventWarning
	}
	return EventInfo
}

// divert sends lines to events from now on.
func (s *Sink) divert(events func(EventKind, string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = events
}
