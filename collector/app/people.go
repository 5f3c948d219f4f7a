package app

import (
	"context"

	"vigia/collector/internal/fleet"
	"vigia/collector/internal/org"
)

// directory is the use-case through which people read and change the directory.
func (d *desk) directory() *org.Directory {
	return &org.Directory{
		Tx: d.store, Store: d.store, Lister: d.store, Audit: d.store, Now: d.now,
		Notify: func(ctx context.Context) error { return d.store.Notify(ctx, fleet.ChangePolicy, "org") },
	}
}

// imports is the use-case through which people look at a file before they take it over.
func (d *desk) imports() *org.Drafts {
	return &org.Drafts{Importer: d.people(), Store: d.store, NewID: newID}
}
