package version

import "testing"

func TestNewer(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"1.0.10", "1.0.9", true}, {"1.0.9", "1.0.10", false}, {"1.1.0", "1.0.99", true}, {"1.0.0", "1.0.0+dirty", false}, {"0.1.2", "dev", true}, {"dev", "0.0.1", false}, {"1.0.0", "1.0.0", false}} {
		if got := Newer(c.a, c.b); got != c.want {
			t.Errorf("%s newer than %s: %v", c.a, c.b, got)
		}
	}
}
