package rollout

import (
	"fmt"
	"testing"
)

func TestChoose(t *testing.T) {
	all := Stage{Row: 1, Version: "1.0.2", Share: 100}
	pilot := Stage{Row: 2, Version: "1.0.3", Group: "pilot", Share: 100}
	for name, c := range map[string]struct {
		stages []Stage
		groups []string
		runs   string
		want   int64
	}{
		"everybody":              {[]Stage{all}, nil, "1.0.1", 1},
		"its group's is newer":   {[]Stage{all, pilot}, []string{"pilot"}, "1.0.1", 2},
		"another group's":        {[]Stage{pilot}, []string{"laptops"}, "1.0.1", 0},
		"it runs it":             {[]Stage{all}, nil, "1.0.2", 0},
		"never an older one":     {[]Stage{all}, nil, "1.0.10", 0},
		"paused":                 {[]Stage{{Row: 3, Version: "2.0.0", Share: 100, Paused: true}, all}, nil, "1.0.1", 1},
		"a build of a developer": {[]Stage{all}, nil, "dev", 1},
	} {
		st, ok := Choose(c.stages, "m", c.groups, c.runs)
		if st.Row != c.want || ok != (c.want != 0) {
			t.Errorf("%s: stage %d, want %d", name, st.Row, c.want)
		}
	}
}

func TestAShareIsAlwaysTheSameMachines(t *testing.T) {
	tenth, half := 0, 0
	for i := range 10_000 {
		id := fmt.Sprintf("machine-%d", i)
		_, in10 := Choose([]Stage{{Row: 1, Version: "1.0.0", Share: 10}}, id, nil, "0.9.0")
		_, in50 := Choose([]Stage{{Row: 2, Version: "2.0.0", Share: 50}}, id, nil, "0.9.0")
		if in10 {
			tenth++
			if !in50 {
				t.Fatalf("%s is in a tenth and not in the half", id)
			}
		}
		if in50 {
			half++
		}
	}
	if tenth < 850 || tenth > 1150 || half < 4700 || half > 5300 {
		t.Errorf("a tenth is %d, a half %d of 10000", tenth, half)
	}
}
