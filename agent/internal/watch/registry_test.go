package watch

import (
	"slices"
	"testing"
)

func TestKeyPattern(t *testing.T) {
	users := []string{".DEFAULT", "S-1-12-1-7", "S-1-12-1-7_Classes", "S-1-5-21-9"}
	for text, want := range map[string][]string{
		`HKLM\SOFTWARE\x`:     {`SOFTWARE\x`},
		`HKU\*\Software\x`:    {`S-1-12-1-7\Software\x`, `S-1-5-21-9\Software\x`},
		`HKU\*_Classes\Local`: {`S-1-12-1-7_Classes\Local`},
	} {
		p, ok := parseKeyPattern(text)
		if got := p.expand(users); !ok || !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	for _, odd := range []string{"", "HKLM", `HKCR\x`, `HKU\S-1\x`, `HKU\*x\y`, `/opt`} {
		if _, ok := parseKeyPattern(odd); ok {
			t.Errorf("%q was taken", odd)
		}
	}
}
