package service

import "github.com/kardianos/service"

// options leaves the rest to afterInstall, which tolerates what a system does not have.
func options() service.KeyValue { return service.KeyValue{} }
