package web

import (
	"fmt"
	"html/template"
)

// tag is a state in words, how it is meant and its icon: colour never says it alone.
type tag struct{ Class, Icon, Text string }

// Tag is for the template "tag".
func (p Page) Tag(group string, value any) tag {
	v := fmt.Sprint(value)
	class, icon := toneOf(group + "." + v)
	return tag{class, icon, p.Word(group, v)}
}

// toneOf says how each value of a closed group is meant.
func toneOf(state string) (class, icon string) {
	if class, icon = administrationTone(state); class != "" {
		return class, icon
	}
	switch state {
	case "machine.state.active", "outcome.ok", "nc.state.contained", "nc.state.closed", "nc.state.effectiveness-verified", "finding.state.authorized", "program.state.gone",
		"program.state.authorized", "av.state.on", "disk.health.ok", "activation.licensed", "org.active.true", "person.active.true", "import.is.new", "mail.state.sent", "backup.state.verified", "mode.enforce", "tried.decides", "verdict.authorized", "condition.good":
		return "vg-good", "circle-check"
	case "machine.state.quarantined", "machine.state.revoked", "finding.state.open", "nc.state.open", "nc.due.overdue", "outcome.failed",
		"program.state.present", "av.state.off", "disk.health.failing", "activation.unlicensed", "activation.not-genuine", "activation.notification", "av.state.expired", "verdict.denied", "mail.state.bounced", "mail.state.expired", "backup.state.failed", "verdict.unauthorized", "condition.bad", "severity.critical":
		return "vg-bad", "alert-triangle"
	case "outcome.stale", "nc.state.notified", "nc.state.cause-analysed", "nc.state.action-planned", "nc.state.implemented", "av.state.snoozed", "activation.grace", "activation.unknown", "import.is.changed", "mail.state.waiting", "backup.state.running", "backup.state.readable", "av.state.unknown", "fresh.old", "condition.warn", "severity.major":
		return "vg-warn", "clock"
	case "outcome.absent":
		return "vg-quiet", "eye-off"
	case "finding.state.gone":
		return "vg-quiet", "circle-check"
	}
	return ruleTone(state)
}

// ruleTone is toneOf for what the allowlist says.
func ruleTone(state string) (class, icon string) {
	switch state {
	case "effect.allow", "impact.is.closes", "mode.now.now":
		return "vg-good", "circle-check"
	case "effect.deny", "impact.is.opens", "rule.state.expired":
		return "vg-bad", "alert-triangle"
	case "rule.state.expiring", "rule.state.upcoming":
		return "vg-warn", "clock"
	}
	return requestTone(state)
}

// iconSVG draws an icon of the bundle; it is decoration, the words stand beside it.
func iconSVG(icons map[string][]string, name string) (template.HTML, error) {
	paths, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("icon %q is not in assets/icons.txt", name)
	}
	s := `<svg class="icon" aria-hidden="true" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">`
	for _, d := range paths {
		s += `<path d="` + template.HTMLEscapeString(d) + `"/>`
	}
	return template.HTML(s + `</svg>`), nil
}
