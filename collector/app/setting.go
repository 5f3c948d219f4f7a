package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"crypto/rand"

	"vigia/collector/internal/apperr"
	"vigia/collector/internal/setting"
)

// newSettings is the use-case of what administrators adjust. data is where the key of
// passwords is kept; empty: nowhere.
func (d *desk) newSettings(data string) *setting.Service {
	return setting.New(setting.Deps{Tx: d.store, Store: d.store, Audit: d.store, Now: d.now, Key: func(make bool) (setting.Key, error) { return secretKey(data, make) }})
}

// values are the settings for whom the password of mail is no matter.
func (d *desk) values(ctx context.Context) (setting.Values, error) {
	v, err := d.settings.Values(ctx)
	if apperr.Is(err, apperr.Conflict) { // a password that this collector's key does not open
		err = nil
	}
	return v, err
}

// secretKey reads secret.key of the data folder, or makes it. Collectors of one
// PostgreSQL need the same file.
func secretKey(data string, create bool) (setting.Key, error) {
	var key setting.Key
	if data == "" {
		return key, apperr.New(apperr.Conflict, "setting.no-key", apperr.Args{"field": "data"})
	}
	path := filepath.Join(data, "secret.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err := makeKey(data, path); err != nil {
			return key, err
		}
		text, err = os.ReadFile(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return key, apperr.Wrap(err, apperr.Conflict, "setting.other-key", apperr.Args{"field": setting.MailPassword})
	}
	if err != nil {
		return key, fmt.Errorf("reading the key of passwords: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != setting.KeySize {
		return key, apperr.New(apperr.Conflict, "setting.bad-key", apperr.Args{"path": path})
	}
	return setting.Key(raw), nil
}

// makeKey makes the file whole or not at all, and leaves one alone that somebody else
// made at the same moment.
func makeKey(data, path string) error {
	if err := makeDataDir(data); err != nil {
		return err
	}
	raw := make([]byte, setting.KeySize)
	if _, err := rand.Read(raw); err != nil {
		return fmt.Errorf("drawing a key: %w", err)
	}
	f, err := os.CreateTemp(data, ".secret.key-*") // 0600
	if err != nil {
		return fmt.Errorf("making the key of passwords: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing the key of passwords: %w", err)
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the key of passwords: %w", err)
	}
	return nil
}
