package web

// requestTone is toneOf for requests, promises and what hangs on them.
func requestTone(state string) (class, icon string) {
	switch state {
	case "request.state.granted", "promise.state.kept", "my.fresh.fresh":
		return "vg-good", "circle-check"
	case "promise.state.broken", "rules.state.over":
		return "vg-bad", "alert-triangle"
	case "request.state.asked", "request.state.manager-approved", "request.state.purchasing-approved", "promise.state.open", "promise.state.late", "my.fresh.old":
		return "vg-warn", "clock"
	}
	return "vg-quiet", "info-circle"
}
