package app

func defaultState() string  { return "/var/lib/vigia-agent" }
func defaultConfig() string { return "/etc/vigia/agent.yaml" }

// systemCache is where root keeps what can be computed again.
const systemCache = "/var/cache/vigia-agent"
