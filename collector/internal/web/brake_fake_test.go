package web_test

import (
	"context"
	"time"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/authorization"
)

// fakeBrakes has opening paused.
type fakeBrakes struct{ *fake }

func (f fakeBrakes) Look(context.Context) (authorization.Brake, []authorization.Finding, error) {
	if f.empty {
		return authorization.Brake{}, nil, f.broken
	}
	return authorization.Brake{PausedAt: ago(time.Hour), Opened: 50}, f.findings[:1], f.broken
}

func (f fakeBrakes) Resume(context.Context, bool) (int, error) { return 1, f.broken }

func (f fakeBrakes) SetCap(_ context.Context, n int) error {
	if n < 0 {
		return apperr.New(apperr.Invalid, "brake.bad-cap", apperr.Args{"field": "cap"})
	}
	return f.broken
}
