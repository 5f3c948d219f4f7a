//go:build !windows

package watch

import "log/slog"

// newKeys has nothing to watch where there is no registry.
func newKeys(map[string][]string, *slog.Logger) (keyNotifier, error) { return noKeys{}, nil }
