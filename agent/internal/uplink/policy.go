package uplink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"vigia/internal/fsatomic"
)

// policyFile is what policy.json holds.
type policyFile struct {
	Version  string          `json:"version"`
	Document json.RawMessage `json:"document"` // policy.Document
}

func policyPath(stateDir string) string { return filepath.Join(stateDir, "policy.json") }

// LoadPolicy returns the policy that the collector gave last: its version and JSON.
// Without one, both are empty and there is no error; a damaged file is none, since the
// collector sends the policy again to an agent without version.
func LoadPolicy(stateDir string) (version string, document []byte, err error) {
	data, err := os.ReadFile(policyPath(stateDir))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("reading the policy: %w", err)
	}
	var f policyFile
	if json.Unmarshal(data, &f) != nil || f.Version == "" {
		return "", nil, nil
	}
	return f.Version, f.Document, nil
}

func savePolicy(stateDir, version string, document []byte) error {
	data, err := json.Marshal(policyFile{version, document})
	if err != nil {
		return err
	}
	if err := fsatomic.WriteFile(policyPath(stateDir), data, 0o600); err != nil {
		return fmt.Errorf("saving the policy: %w", err)
	}
	return nil
}
