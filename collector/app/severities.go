package app

import "vigia/collector/internal/authorization"

// severities is the use-case of the catalogue that grades findings.
func (d *desk) severities() *authorization.CatalogueService {
	return &authorization.CatalogueService{Store: d.store, Audit: d.store, Now: d.now, Regrade: d.newIngester("grade " + newID()).Regrade}
}
