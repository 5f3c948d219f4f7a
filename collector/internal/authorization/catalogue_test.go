package authorization_test

import (
	"testing"

	"vigia/collector/internal/authorization"
	"vigia/internal/inventory"
)

func TestBuiltInCatalogueGradesByName(t *testing.T) {
	g, err := authorization.BuiltIn().Grader()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]authorization.Grade{
		"AnyDesk":                     {Category: authorization.RemoteControl, Severity: authorization.Critical},
		"TeamViewer 15 Host":          {Category: authorization.RemoteControl, Severity: authorization.Critical},
		"hashcat-data":                {Category: authorization.HackingTool, Severity: authorization.Critical},
		"µTorrent Web":                {Category: authorization.PeerToPeer, Severity: authorization.Major},
		"qbittorrent":                 {Category: authorization.PeerToPeer, Severity: authorization.Major},
		"WinRAR 7.01 (64-bit)":        {Category: authorization.Commercial, Severity: authorization.Major},
		"Adobe Flash Player 32 NPAPI": {Category: authorization.UnsupportedThing, Severity: authorization.Major},
		"0ad":                         {Category: authorization.Game, Severity: authorization.Minor},
		"htop":                        {Category: authorization.UnknownThing, Severity: authorization.Minor},
		"torque":                      {Category: authorization.UnknownThing, Severity: authorization.Minor}, // begins like another
		"python3.11":                  {Category: authorization.UnknownThing, Severity: authorization.Minor},
		"original-awk":                {Category: authorization.UnknownThing, Severity: authorization.Minor},
		"johnny":                      {Category: authorization.UnknownThing, Severity: authorization.Minor},
	} {
		if got := g.Grade(&inventory.Program{Name: name, Source: "deb"}); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

func TestARulesSeverityIsStrongerAndTheOrderOfCategoriesDecides(t *testing.T) {
	c := authorization.BuiltIn()
	c.Rules = []authorization.CatalogueRule{
		{ID: 1, Category: authorization.Game, Publisher: "acme*"},
		{ID: 2, Category: authorization.PeerToPeer, Name: "share*", Severity: authorization.Critical},
		{ID: 3, Category: authorization.UnsupportedThing, Name: "viewer", Version: "<3"},
	}
	g, err := c.Grader()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		p    inventory.Program
		want authorization.Grade
	}{
		{inventory.Program{Name: "ShareIt", Publisher: "Acme Inc", Source: "registry"}, authorization.Grade{Category: authorization.PeerToPeer, Severity: authorization.Critical}},
		{inventory.Program{Name: "Chess", Publisher: "ACME Inc", Source: "registry"}, authorization.Grade{Category: authorization.Game, Severity: authorization.Minor}},
		{inventory.Program{Name: "viewer", Version: "2.9", Source: "deb"}, authorization.Grade{Category: authorization.UnsupportedThing, Severity: authorization.Major}},
		{inventory.Program{Name: "viewer", Version: "3.0", Source: "deb"}, authorization.Grade{Category: authorization.UnknownThing, Severity: authorization.Minor}},
	} {
		if got := g.Grade(&x.p); got != x.want {
			t.Errorf("%+v: %+v, want %+v", x.p, got, x.want)
		}
	}
}

func TestSeverityRanks(t *testing.T) {
	for _, s := range append(authorization.Severities(), authorization.Ungraded) {
		if authorization.SeverityOfRank(s.Rank()) != s {
			t.Errorf("%q does not come back", s)
		}
	}
	if authorization.SeverityOfRank(9) != authorization.Ungraded || authorization.Worst() != authorization.Minor || authorization.Worst("minor", "critical", "major") != authorization.Critical {
		t.Error("out of range, or the worst")
	}
}
