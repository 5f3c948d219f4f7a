package paging_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/paging"
)

func TestPlaceComesBackFromItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := paging.Place{Value: rapid.StringN(0, 100, 400).Draw(t, "value"), Key: rapid.StringMatching(`[0-9a-f-]{1,36}`).Draw(t, "key")}
		got, err := paging.Parse(p.String())
		if err != nil || got != p {
			t.Fatalf("%q came back as %q: %v", p, got, err)
		}
	})
	if got, err := paging.Parse(""); err != nil || !got.IsZero() {
		t.Errorf("no text: %v %v", got, err)
	}
}

func TestWrongPlacesAreRefused(t *testing.T) {
	for _, s := range []string{"x", ".", ".YQ", "7.%%", "7.YQ==", "7." + strings.Repeat("YWFh", 4000), "\xff.\xff"} {
		if _, err := paging.Parse(s); !apperr.Is(err, apperr.Invalid) {
			t.Errorf("%.20q: %v", s, err)
		}
	}
}
