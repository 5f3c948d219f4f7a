// Package wmitest owns recorded answers of WMI, for tests of what a Linux machine and
// Wine cannot answer.
package wmitest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"vigia/agent/internal/wmi"
)

// Recorded is namespace -> class -> rows, as in a file of testdata. In place of rows
// there may be {"error": "text"}; a namespace or class that is not there is absent.
type Recorded map[string]map[string]json.RawMessage

var _ wmi.Asker = Recorded{}

// Load reads a recording.
func Load(t testing.TB, file string) Recorded {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r Recorded
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return r
}

// Query answers with every row of the class that the question names.
func (r Recorded) Query(ctx context.Context, namespace, query string, rows any) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := strings.Fields(query)
	class := ""
	for i, word := range f {
		if strings.EqualFold(word, "FROM") && i+1 < len(f) {
			class = f[i+1]
		}
	}
	body, ok := r[namespace][class]
	if !ok {
		return fmt.Errorf("%s %s: %w", namespace, class, wmi.ErrAbsent)
	}
	var failed struct {
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &failed) == nil && failed.Error != "" {
		return errors.New(failed.Error)
	}
	return json.Unmarshal(body, rows)
}
