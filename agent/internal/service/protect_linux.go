package service

import "os"

// ProtectFolder makes dir where it is missing, for its owner alone.
func ProtectFolder(dir string) error { return os.MkdirAll(dir, 0o700) }
