package software

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// snapRevision is one installed revision in snapd's state.
type snapRevision struct {
	Name     string  `json:"name"`
	SnapID   string  `json:"snap-id"` // empty for a snap installed from a file
	Revision snapRev `json:"revision"`
}

// snapState is one snap in snapd's state.
type snapState struct {
	Type     string         `json:"type"` // "app", "base", "os", "kernel", "gadget", "snapd"
	Sequence []snapRevision `json:"sequence"`
	Current  snapRev        `json:"current"` // "x1" for one installed from a file
}

// snapRev is a revision, which snapd writes as text and once wrote as a number.
type snapRev string

// UnmarshalJSON takes both forms.
func (r *snapRev) UnmarshalJSON(b []byte) error {
	*r = snapRev(strings.Trim(string(b), `"`))
	if *r == "null" || strings.ContainsAny(string(*r), `/\`) || len(*r) > 20 {
		return fmt.Errorf("revision %.40q is none", b)
	}
	return nil
}

// ParseSnapState reads the snaps from snapd's state.json, by their instance name. The
// rest of the state, which holds what users and services configured, is skipped
// without being kept.
func ParseSnapState(r io.Reader) (map[string]snapState, error) {
	dec := json.NewDecoder(r)
	if err := enter(dec); err != nil {
		return nil, err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		if key != "data" {
			if err := skipValue(dec); err != nil {
				return nil, err
			}
			continue
		}
		if err := enter(dec); err != nil {
			return nil, err
		}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			if key == "snaps" {
				var snaps map[string]snapState
				err := dec.Decode(&snaps)
				return snaps, err
			}
			if err := skipValue(dec); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return nil, nil
}

// enter reads the brace that opens an object.
func enter(dec *json.Decoder) error {
	t, err := dec.Token()
	if err == nil && t != json.Delim('{') {
		err = fmt.Errorf("%v where an object should begin", t)
	}
	return err
}

func skipValue(dec *json.Decoder) error {
	var skipped json.RawMessage
	return dec.Decode(&skipped)
}

// snapYAML is what a snap's own meta/snap.yaml tells.
type snapYAML struct {
	Name, Version, Type string
	HasApps             bool // it has something to start
}

// ParseSnapYAML reads the scalars at the top level of a snap.yaml. It is no YAML
// parser: snapd's own builds write these keys as plain or quoted scalars on one line.
func ParseSnapYAML(r io.Reader) (snapYAML, error) {
	var y snapYAML
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 4096), maxLine)
	for sc.Scan() {
		line := sc.Text()
		if line == "" || line[0] == ' ' || line[0] == '\t' || line[0] == '#' || line[0] == '-' {
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		value = yamlScalar(value)
		switch key {
		case "name":
			y.Name = value
		case "version":
			y.Version = value
		case "type":
			y.Type = value
		case "apps":
			y.HasApps = value == "" || (value != "{}" && value != "null" && value != "~")
		}
	}
	return y, sc.Err()
}

// yamlScalar undoes quotes and drops a comment.
func yamlScalar(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') {
		if i := strings.IndexByte(s[1:], s[0]); i >= 0 {
			return s[1 : 1+i]
		}
	}
	s, _, _ = strings.Cut(s, " #")
	s = strings.TrimSpace(s)
	return s[:min(len(s), maxStringLen)]
}

// ParseAssertionHeaders reads the headers of a snapd assertion: "key: value" lines up
// to the first empty one.
func ParseAssertionHeaders(r io.Reader) (map[string]string, error) {
	headers := make(map[string]string)
	sc := bufio.NewScanner(r)
	for sc.Scan() && sc.Text() != "" {
		if key, value, ok := strings.Cut(sc.Text(), ": "); ok && !strings.HasPrefix(key, " ") {
			headers[key] = value
		}
	}
	return headers, sc.Err()
}
