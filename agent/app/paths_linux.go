package app

func defaultState() string  { return "/var/lib/vigia-agent" }
func defaultConfig() string { return "/etc/vigia/agent.yaml" }
