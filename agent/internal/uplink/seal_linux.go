package uplink

// sealKey keeps the key as it is: the file's mode and owner protect it.
func sealKey(pem []byte) (string, error) { return string(pem), nil }

func openKey(text string) ([]byte, error) { return []byte(text), nil }
