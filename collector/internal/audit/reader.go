package audit

import (
	"context"
	"time"
)

// Filter narrows a list of entries. Zero means "any".
type Filter struct {
	Actor  string    // exactly
	Action string    // exactly, or what comes before the first dot: "token"
	Object string    // exactly, or with a last "/" everything below it: "machine/"
	Query  string    // folded part of who, what was done or to what
	Since  time.Time // not before
	Until  time.Time // before
	Before int64     // Seq of the last of the page before; newest first
	Limit  int       // 1–1000; 0 = 1000
}

// Reader reads the chain.
type Reader interface {
	// AuditEntries returns up to limit entries from number from on, in order.
	AuditEntries(ctx context.Context, from int64, limit int) ([]Entry, error)
	// AuditList returns entries newest first.
	AuditList(ctx context.Context, f Filter) ([]Entry, error)
	// VerifyAudit goes through the whole chain and returns how many entries it has. The
	// error is a *Broken where the chain does not hold.
	VerifyAudit(ctx context.Context) (entries int64, err error)
}
