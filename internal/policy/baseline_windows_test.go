package policy

import (
	"testing"

	"vigia/internal/inventory"
)

func TestBaselineCoversWhatWindowsBrings(t *testing.T) {
	app := inventory.Program{Name: "Calculator", Source: "appx", Origin: "Microsoft", Scope: inventory.ScopeUser, User: "ana", Base: true}
	with := func(change func(*inventory.Program)) *inventory.Program {
		p := app
		change(&p)
		return &p
	}
	for name, c := range map[string]struct {
		p      *inventory.Program
		vendor string
		want   string
	}{
		"brought by Windows":     {&app, "microsoft", ""},
		"a framework":            {with(func(p *inventory.Program) { p.Base, p.Hidden = false, true }), "microsoft", ""},
		"from the store, wanted": {with(func(p *inventory.Program) { p.Base, p.Requested = false, true }), "microsoft", gapRequested},
		"another publisher":      {with(func(p *inventory.Program) { p.Origin = "" }), "microsoft", gapOrigin},
		"not on Windows":         {&app, "debian", gapOrigin},
		"a registry entry that calls itself Microsoft": {with(func(p *inventory.Program) { p.Source = "registry" }), "microsoft", gapSource},
	} {
		if got := baselineGap(c.p, c.vendor); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
