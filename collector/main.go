// Command vigia-collector is the server of Vigía: agents report to it, people look at
// its console, and its commands administer it.
package main

import (
	"os"

	"vigia/collector/app"
)

func main() {
	os.Exit(app.Main(app.Process{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.LookupEnv}))
}
