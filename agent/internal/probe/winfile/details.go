// Package winfile owns what the agent tells of programs of Windows by looking at their
// files: their version resource and verified signer, kept between runs so that each
// file is read once, and programs that nobody installed (source "file"): in profiles,
// in ProgramData and in the roots of fixed drives. It never runs them, and tells
// nothing of other files.
package winfile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"vigia/agent/internal/msi"
	"vigia/agent/internal/pe"
	"vigia/internal/fsatomic"
)

const (
	maxRead    = 512 << 20 // bytes of a file that is hashed or verified
	maxDetails = 50_000
)

// Detail is what reading one file tells.
type Detail struct {
	Version pe.Version `json:"version,omitzero"`
	Arch    string     `json:"arch,omitempty"`
	Signer  string     `json:"signer,omitempty"`
	SHA256  string     `json:"sha256,omitempty"`
	PE      bool       `json:"pe,omitempty"`
}

// Details keeps details by the file's path, size and time. It is safe for concurrent use.
type Details struct {
	trust pe.Trust

	mu    sync.Mutex
	file  string
	known map[string]Detail
	used  map[string]Detail
	dirty bool
}

// NewDetails returns an empty Details; trust says who may name signers.
func NewDetails(trust pe.Trust) *Details {
	return &Details{trust: trust, used: map[string]Detail{}}
}

// Load reads what an earlier run kept in a file; one that cannot be used is as good as
// none. It does so once for each file.
func (d *Details) Load(file string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.known != nil && d.file == file {
		return
	}
	d.file, d.known = file, map[string]Detail{}
	if b, err := os.ReadFile(file); file != "" && err == nil {
		if json.Unmarshal(b, &d.known) != nil || len(d.known) > maxDetails {
			d.known = map[string]Detail{}
		}
	}
}

// Save keeps what was used since the last Save, and what was known of files that are
// still as they were.
func (d *Details) Save() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() { d.used, d.dirty = map[string]Detail{}, false }()
	if d.file == "" || !d.dirty {
		return nil
	}
	for key, v := range d.known {
		name, _, _ := strings.Cut(key, "|")
		if info, err := os.Stat(name); err == nil && keyOf(name, info) == key && len(d.used) < maxDetails {
			d.used[key] = v
		}
	}
	d.known = d.used
	b, err := json.Marshal(d.known)
	if err == nil {
		err = fsatomic.WriteFile(d.file, b, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping details of files: %w", err)
	}
	return nil
}

// Of returns the details of a file, reading it where they are not known. A file that
// cannot be read has none.
func (d *Details) Of(ctx context.Context, name string, hash bool) Detail {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return Detail{}
	}
	key := keyOf(name, info)
	d.mu.Lock()
	v, ok := d.known[key]
	if !ok {
		v, ok = d.used[key]
	}
	d.mu.Unlock()
	if !ok || (hash && v.SHA256 == "" && info.Size() <= maxRead) {
		if v, err = d.read(ctx, name, info.Size(), hash); err != nil {
			return v // cut off: it is read again
		}
		d.mu.Lock()
		d.dirty = true
		d.mu.Unlock()
	}
	d.mu.Lock()
	if len(d.used) < maxDetails {
		d.used[key] = v
	}
	d.mu.Unlock()
	if !hash {
		v.SHA256 = ""
	}
	return v
}

// keyOf tells one content of a file from another.
func keyOf(name string, info os.FileInfo) string {
	return fmt.Sprintf("%s|%d|%d", name, info.Size(), info.ModTime().UnixNano())
}

// Signer is Of for the signer alone.
func (d *Details) Signer(ctx context.Context, name string) string {
	return d.Of(ctx, name, false).Signer
}

// read reads one program or package. Only an end of ctx is an error.
func (d *Details) read(ctx context.Context, name string, size int64, hash bool) (Detail, error) {
	var v Detail
	file, err := os.Open(name)
	if err != nil {
		return v, nil
	}
	defer file.Close()
	if f, err := pe.Open(file, size); err == nil {
		v.PE, v.Arch = true, f.Arch
		v.Version, _ = f.Version() // a damaged resource tells nothing
		if size <= maxRead {
			v.Signer, err = f.Signer(ctx, d.trust, time.Now())
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return v, err
			}
		}
	} else if p, err := msi.Open(file, size); err == nil && size <= maxRead {
		v.Signer, err = p.Signer(ctx, d.trust, time.Now())
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			return v, err
		}
	}
	if hash && size <= maxRead {
		h := sha256.New()
		if _, err := io.Copy(h, &untilDone{ctx, io.NewSectionReader(file, 0, size)}); err != nil {
			return v, err
		}
		v.SHA256 = hex.EncodeToString(h.Sum(nil))
	}
	return v, nil
}

// untilDone ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
