package app

import "vigia/collector/internal/title"

// titles is the use-case of programs under the names that rules give them.
func (d *desk) titles() *title.Service {
	return &title.Service{Store: d.store, Audit: d.store, Now: d.now}
}
