package app

func defaultState() string  { return "/var/lib/vigia-agent" }
func defaultConfig() string { return "/etc/vigia/agent.yaml" }

// systemCache is where root keeps what can be computed again.
const systemCache = "/var/cache/vigia-agent"

// defaultToken is where an image or a script may leave a token for the installed agent.
const defaultToken = "/etc/vigia/token"
