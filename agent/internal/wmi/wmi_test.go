package wmi

import (
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"20260301120000.500000-360": time.Date(2026, 3, 1, 18, 0, 0, 500_000_000, time.UTC),
		"20260301120000.000000+000": time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		"16010101000000.000000+000": {}, "19700101000000.000000+000": {}, "": {}, "00000010000000.000000:000": {},
		"20261345120000.000000+000": {}, "20260301******.000000+000": {}, "2026-03-01": {},
	} {
		if got := Time(text); !got.Equal(want) {
			t.Errorf("Time(%q) = %v, want %v", text, got, want)
		}
	}
}
