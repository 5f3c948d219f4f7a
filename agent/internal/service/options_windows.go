package service

import "github.com/kardianos/service"

// options asks Windows to restart the agent when it ends unexpectedly, and to start it
// after the services that people wait for.
func options() service.KeyValue {
	return service.KeyValue{
		"DelayedAutoStart":       true,
		"OnFailure":              "restart",
		"OnFailureDelayDuration": "30s",
		"OnFailureResetPeriod":   86400,
	}
}
