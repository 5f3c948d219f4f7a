package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// MaxDocument is how many bytes of JSON Decode reads at most.
const MaxDocument = 16 << 20

// Document is what the collector streams to one agent and the agent keeps. Version is
// derived from everything but IssuedAt (see Seal), so equal versions mean equal policies.
type Document struct {
	Version  string         `json:"version"`
	Mode     Mode           `json:"mode"`
	Baseline bool           `json:"baseline"`
	Rules    []Rule         `json:"rules"`
	Machine  MachineContext `json:"machine,omitzero"`
	IssuedAt time.Time      `json:"issued_at,omitzero"`
}

// ErrVersion says that a document is not what its version names.
var ErrVersion = errors.New("policy document does not have the content its version names")

// RulesVersion identifies mode, baseline and rules: 32 hex digits. The order of rules
// counts; the collector computes it once per change, not once per machine.
func RulesVersion(mode Mode, baseline bool, rules []Rule) string {
	if rules == nil {
		rules = []Rule{}
	}
	return hashJSON(struct {
		Mode     Mode
		Baseline bool
		Rules    []Rule
	}{mode, baseline, rules})
}

// DocumentVersion identifies the document of machine m under the rules of rulesVersion.
func DocumentVersion(rulesVersion string, m MachineContext) string {
	return hashJSON(struct {
		Rules   string
		Machine MachineContext
	}{rulesVersion, m})
}

// Seal sets Version.
func (d *Document) Seal() { d.Version = d.contentVersion() }

func (d *Document) contentVersion() string {
	return DocumentVersion(RulesVersion(d.Mode, d.Baseline, d.Rules), d.Machine)
}

// hashJSON panics only on values JSON cannot hold; times outside year 0–9999 are the
// one such value here, and they hash as their Unix time instead.
func hashJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		b = fmt.Appendf(nil, "%#v", v)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// Encode writes d as JSON.
func (d *Document) Encode() ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("encoding policy document: %w", err)
	}
	return b, nil
}

// DecodeDocument reads a sealed document, strictly: an unknown field is an error, since
// a condition that is not understood would make a rule broader than it is meant to be.
// The content must be what Version names. The rules are checked by Compile.
func DecodeDocument(r io.Reader) (*Document, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxDocument+1))
	if err != nil {
		return nil, fmt.Errorf("reading policy document: %w", err)
	}
	if len(b) > MaxDocument {
		return nil, fmt.Errorf("reading policy document: more than %d bytes; split or shorten the rules", MaxDocument)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	d := &Document{}
	if err := dec.Decode(d); err != nil {
		return nil, fmt.Errorf("decoding policy document: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("decoding policy document: data after its end")
	}
	if len(d.Rules) > MaxRules {
		return nil, fmt.Errorf("decoding policy document: %d rules are too many; use at most %d", len(d.Rules), MaxRules)
	}
	if got := d.contentVersion(); got != d.Version {
		return nil, fmt.Errorf("%w: %q, content is %q", ErrVersion, d.Version, got)
	}
	return d, nil
}
