package wire

import (
	"encoding/json"
	"errors"
	"fmt"

	"vigia/internal/inventory"
)

const (
	maxDepth  = 16     // nesting of a document; the model needs 4
	maxValues = 50_000 // values of one document; the largest real one has some hundreds
)

// EncodeDocument returns a section of s as JSON. The software section has no document.
func EncodeDocument(s *inventory.Snapshot, section inventory.Section) ([]byte, error) {
	target, err := documentOf(s, section)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(target)
	if err != nil {
		return nil, fmt.Errorf("encoding section %s: %w", section, err)
	}
	return b, nil
}

// DecodeDocument reads a section into s, replacing it. Unknown fields are ignored;
// fields and list entries that cannot be read are left out with a Remark. It fails,
// and leaves s alone, where the whole cannot be read: not JSON, too deep, too many
// values.
func DecodeDocument(s *inventory.Snapshot, section inventory.Section, doc []byte) ([]inventory.Remark, error) {
	if err := bounded(doc); err != nil {
		return nil, fmt.Errorf("%w: section %s: %w", ErrBadMessage, section, err)
	}
	var read inventory.Snapshot
	target, err := documentOf(&read, section)
	if err != nil {
		return nil, err
	}
	var remarks []inventory.Remark
	if json.Unmarshal(doc, target) != nil {
		if remarks, err = salvage(&read, section, doc); err != nil {
			return nil, fmt.Errorf("%w: section %s: %w", ErrBadMessage, section, err)
		}
	}
	switch section {
	case inventory.SectionMachine:
		s.Machine = read.Machine
	case inventory.SectionHardware:
		s.Hardware = read.Hardware
	case inventory.SectionSystem:
		s.System = read.System
	case inventory.SectionAntivirus:
		s.Antivirus = read.Antivirus
	case inventory.SectionSources:
		s.Sources = read.Sources
	}
	return remarks, nil
}

// documentOf returns a pointer to the part of s that section names.
func documentOf(s *inventory.Snapshot, section inventory.Section) (any, error) {
	switch section {
	case inventory.SectionMachine:
		return &s.Machine, nil
	case inventory.SectionHardware:
		return &s.Hardware, nil
	case inventory.SectionSystem:
		return &s.System, nil
	case inventory.SectionAntivirus:
		return &s.Antivirus, nil
	case inventory.SectionSources:
		return &s.Sources, nil
	}
	return nil, fmt.Errorf("section %q has no document", section)
}

// salvage reads what can be read of a document that does not fit as a whole.
func salvage(into *inventory.Snapshot, section inventory.Section, doc []byte) ([]inventory.Remark, error) {
	switch section {
	case inventory.SectionMachine:
		return salvageFields(section, doc, &into.Machine)
	case inventory.SectionHardware:
		return salvageFields(section, doc, &into.Hardware)
	case inventory.SectionSystem:
		return salvageFields(section, doc, &into.System)
	case inventory.SectionAntivirus:
		return salvageList(section, doc, &into.Antivirus)
	}
	return salvageList(section, doc, &into.Sources)
}

// salvageFields reads an object member by member.
func salvageFields[T any](section inventory.Section, doc []byte, into *T) ([]inventory.Remark, error) {
	*into = *new(T)
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		return nil, err
	}
	var remarks []inventory.Remark
	for name, value := range members {
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		one := append(append(append([]byte{'{'}, key...), ':'), append(value, '}')...)
		before := *into
		if json.Unmarshal(one, into) != nil {
			*into = before
			remarks = append(remarks, badDocument(section, name, value))
		}
	}
	return remarks, nil
}

// salvageList reads an array entry by entry.
func salvageList[T any](section inventory.Section, doc []byte, into *[]T) ([]inventory.Remark, error) {
	*into = nil
	var entries []json.RawMessage
	if err := json.Unmarshal(doc, &entries); err != nil {
		return nil, err
	}
	var remarks []inventory.Remark
	for _, e := range entries {
		var v T
		some, err := salvageFields(section, e, &v)
		if err != nil {
			some = []inventory.Remark{badDocument(section, "", e)}
		} else {
			*into = append(*into, v)
		}
		if len(remarks) < inventory.MaxRemarks {
			remarks = append(remarks, some...)
		}
	}
	return remarks, nil
}

func badDocument(section inventory.Section, field string, value []byte) inventory.Remark {
	return inventory.Remark{Section: section, Field: shortTo(field, 80), Problem: ProblemBadDocument, Value: shortTo(string(value), 80)}
}

func shortTo(s string, limit int) string { return shortText([]byte(s[:min(len(s), limit)])) }

// bounded checks depth and number of values before anything is allocated for them.
func bounded(doc []byte) error {
	depth, values, inText, escaped := 0, 1, false, false
	for _, c := range doc {
		switch {
		case inText:
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				inText = false
			}
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
			values++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			values++
		}
		if values > maxValues {
			return fmt.Errorf("more than %d values", maxValues)
		}
	}
	if len(doc) == 0 {
		return errors.New("empty document")
	}
	return nil
}
