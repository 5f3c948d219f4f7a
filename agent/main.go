// Command vigia-agent inventories this machine and reports to the company's collector.
package main

import (
	"os"

	"vigia/agent/app"
)

func main() {
	os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr))
}
