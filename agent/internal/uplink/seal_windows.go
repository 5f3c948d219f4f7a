package uplink

import (
	"encoding/base64"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// sealed marks a key that DPAPI keeps: only this machine can read it, so that a stolen
// disk or a copied folder is no identity.
const sealed = "dpapi:"

func sealKey(pem []byte) (string, error) {
	out, err := dpapi(pem, func(in, out *windows.DataBlob) error {
		return windows.CryptProtectData(in, nil, nil, 0, nil, windows.CRYPTPROTECT_LOCAL_MACHINE|windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
	if err != nil {
		return "", fmt.Errorf("sealing the key (DPAPI): %w", err)
	}
	return sealed + base64.StdEncoding.EncodeToString(out), nil
}

// openKey reads a sealed key, or a plain one as it was kept before.
func openKey(text string) ([]byte, error) {
	body, ok := strings.CutPrefix(text, sealed)
	if !ok {
		return []byte(text), nil
	}
	b, err := base64.StdEncoding.DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("opening the key: %w", err)
	}
	out, err := dpapi(b, func(in, out *windows.DataBlob) error {
		return windows.CryptUnprotectData(in, nil, nil, 0, nil, windows.CRYPTPROTECT_UI_FORBIDDEN, out)
	})
	if err != nil {
		return nil, fmt.Errorf("opening the key (DPAPI; it was sealed on another machine?): %w", err)
	}
	return out, nil
}

func dpapi(b []byte, do func(in, out *windows.DataBlob) error) ([]byte, error) {
	if len(b) == 0 {
		return nil, fmt.Errorf("nothing to seal")
	}
	in := windows.DataBlob{Size: uint32(len(b)), Data: &b[0]}
	var out windows.DataBlob
	if err := do(&in, &out); err != nil {
		return nil, err
	}
	defer windows.LocalFree(windows.Handle(unsafe.Pointer(out.Data)))
	return append([]byte(nil), unsafe.Slice(out.Data, out.Size)...), nil
}
