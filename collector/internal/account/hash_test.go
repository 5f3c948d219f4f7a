package account

import (
	"context"
	"crypto/rand"
	"strings"
	"testing"

	"vigia/collector/internal/apperr"
)

func TestStoredHashesAreReadWithBounds(t *testing.T) {
	h, err := newHasher(Cost{Memory: 64, Time: 1, Threads: 1}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, err := h.hash("contraseña con ñ")
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"contraseña con ñ": true, "contrasen\u0303a con n\u0303": true, "contrasena con n": false, "": false} {
		if ok, stale, err := h.check(t.Context(), good, password, true); ok != want || stale || err != nil {
			t.Errorf("%q: %v %v %v", password, ok, stale, err)
		}
	}
	for _, bad := range []string{"$", "plain", strings.Replace(good, "m=64", "m=99999999", 1), strings.Replace(good, "t=1", "t=0", 1), strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "p=1", "p=255", 1), good[:len(good)-30], good + "$", strings.Replace(good, "m=64,t=1,p=1", "m=-1,t=1,p=1", 1)} {
		if ok, _, err := h.check(t.Context(), bad, "contraseña con ñ", true); ok || err == nil {
			t.Errorf("%q opens: %v", bad, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range placesStranger { // all places taken: whoever gives up waiting is told so
		if err := h.stranger.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := h.check(ctx, good, "x", false); !apperr.Is(err, apperr.Unavailable) {
		t.Errorf("a full house: %v", err)
	}
	if ok, _, err := h.check(t.Context(), good, "contraseña con ñ", true); !ok || err != nil {
		t.Errorf("a known device beside a full house: %v %v", ok, err)
	}
}
