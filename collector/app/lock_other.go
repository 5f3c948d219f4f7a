//go:build !unix

package app

import "os"

// lockFile does nothing: the collector is served on Unix; elsewhere it only compiles.
func lockFile(*os.File) error { return nil }
