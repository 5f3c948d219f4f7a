// Package update owns how an agent convinces itself that a newer version of it was
// released by whoever holds the company's update keys: the client's part of The Update
// Framework, on go-tuf's verifying core, with what was seen last kept in a folder. It
// refuses to know how files travel, and to run what it verified.
package update

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"vigia/internal/fsatomic"
)

// ErrNotFound is what a Fetch returns for a name that the other side does not have.
var ErrNotFound = errors.New("no such file")

// Limits of sizes, in bytes.
const (
	maxMetadata  = 1 << 20
	MaxTarget    = 64 << 20 // as it travels
	MaxProgram   = 128 << 20
	maxRotations = 64
)

// Fetch gets a whole file by its name in the repository: "metadata/1.root.json",
// "targets/vigia-agent/1.2.3/linux-amd64.zst". More than max bytes are an error.
type Fetch func(ctx context.Context, name string, max int64) ([]byte, error)

// Client verifies releases. Dir keeps what was verified last.
type Client struct {
	Dir   string
	Fetch Fetch
	Now   func() time.Time
	// Root is the first root of trust. Empty: the one that was kept, else the first that
	// Fetch gives, which is believed once.
	Root []byte
}

// Program tells what a release holds for one system.
type Program struct {
	Target  string `json:"-"` // name in the repository
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of the program, unpacked
	Size    int64  `json:"size"`
	file    *metadata.TargetFiles
}

// TargetName is where the repository has the program of a version for one system.
func TargetName(version, goos, arch string) string {
	return "vigia-agent/" + version + "/" + goos + "-" + arch + ".zst"
}

// Refresh gets the newest metadata and verifies it: signed by the keys that the root
// names, not expired, and never older than what was seen before.
func (c *Client) Refresh(ctx context.Context) (*Releases, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, err
	}
	root, err := c.firstRoot(ctx)
	if err != nil {
		return nil, err
	}
	trusted, err := trustedmetadata.New(root)
	if err != nil {
		return nil, fmt.Errorf("the root of updates: %w", err)
	}
	trusted.RefTime = c.Now().UTC()
	for _, step := range []func(context.Context, *trustedmetadata.TrustedMetadata) error{c.roots, c.timestamp, c.snapshot, c.targets} {
		if err := step(ctx, trusted); err != nil {
			return nil, err
		}
	}
	return &Releases{targets: trusted.Targets[metadata.TARGETS].Signed.Targets, Until: trusted.Timestamp.Signed.Expires}, nil
}

func (c *Client) kept(name string) ([]byte, error) { return os.ReadFile(filepath.Join(c.Dir, name)) }

func (c *Client) keep(name string, data []byte) error {
	return fsatomic.WriteFile(filepath.Join(c.Dir, name), data, 0o600)
}

func (c *Client) firstRoot(ctx context.Context) ([]byte, error) {
	data, err := c.kept("root.json")
	if !errors.Is(err, fs.ErrNotExist) {
		return data, err
	}
	if data = c.Root; len(data) == 0 {
		if data, err = c.Fetch(ctx, "metadata/1.root.json", maxMetadata); err != nil {
			return nil, fmt.Errorf("getting the root of updates: %w", err)
		}
	}
	if _, err := trustedmetadata.New(data); err != nil {
		return nil, fmt.Errorf("the first root of updates: %w", err)
	}
	return data, c.keep("root.json", data)
}

// roots follows the chain of roots, each signed by the keys of the one before.
func (c *Client) roots(ctx context.Context, t *trustedmetadata.TrustedMetadata) error {
	for range maxRotations {
		data, err := c.Fetch(ctx, fmt.Sprintf("metadata/%d.root.json", t.Root.Signed.Version+1), maxMetadata)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("getting a root of updates: %w", err)
		}
		if _, err := t.UpdateRoot(data); err != nil {
			return fmt.Errorf("a root of updates: %w", err)
		}
		if err := c.keep("root.json", data); err != nil {
			return err
		}
	}
	return errors.New("too many roots of updates at once")
}

func (c *Client) timestamp(ctx context.Context, t *trustedmetadata.TrustedMetadata) error {
	if data, err := c.kept("timestamp.json"); err == nil {
		if _, err := t.UpdateTimestamp(data); err != nil && !errors.Is(err, &metadata.ErrRepository{}) {
			return fmt.Errorf("the kept timestamp of updates: %w", err) // an expired or outdated one only bounds the next
		}
	}
	data, err := c.Fetch(ctx, "metadata/timestamp.json", maxMetadata)
	if err != nil {
		return fmt.Errorf("getting the timestamp of updates: %w", err)
	}
	_, err = t.UpdateTimestamp(data)
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the timestamp of updates: %w", err)
	}
	return c.keep("timestamp.json", data)
}

func (c *Client) snapshot(ctx context.Context, t *trustedmetadata.TrustedMetadata) error {
	if data, err := c.kept("snapshot.json"); err == nil {
		if _, err := t.UpdateSnapshot(data, true); err == nil {
			return nil
		}
	}
	version := t.Timestamp.Signed.Meta["snapshot.json"].Version
	data, err := c.Fetch(ctx, fmt.Sprintf("metadata/%d.snapshot.json", version), maxMetadata)
	if err != nil {
		return fmt.Errorf("getting the list of updates: %w", err)
	}
	if _, err := t.UpdateSnapshot(data, false); err != nil {
		return fmt.Errorf("the list of updates: %w", err)
	}
	return c.keep("snapshot.json", data)
}

func (c *Client) targets(ctx context.Context, t *trustedmetadata.TrustedMetadata) error {
	if data, err := c.kept("targets.json"); err == nil {
		if _, err := t.UpdateTargets(data); err == nil {
			return nil
		}
	}
	meta := t.Snapshot.Signed.Meta["targets.json"]
	if meta == nil {
		return errors.New("the list of updates names no targets")
	}
	data, err := c.Fetch(ctx, fmt.Sprintf("metadata/%d.targets.json", meta.Version), maxMetadata)
	if err != nil {
		return fmt.Errorf("getting the targets of updates: %w", err)
	}
	if _, err := t.UpdateTargets(data); err != nil {
		return fmt.Errorf("the targets of updates: %w", err)
	}
	return c.keep("targets.json", data)
}

// Releases are what was verified.
type Releases struct {
	targets map[string]*metadata.TargetFiles
	Until   time.Time // of the metadata
}

// Program finds the program of a version for one system.
func (r *Releases) Program(version, goos, arch string) (Program, error) {
	name := TargetName(version, goos, arch)
	file := r.targets[name]
	if file == nil {
		return Program{}, fmt.Errorf("version %s for %s/%s is not among the signed releases", version, goos, arch)
	}
	if file.Length > MaxTarget {
		return Program{}, fmt.Errorf("%s: %d bytes are too many", name, file.Length)
	}
	p := Program{Target: name, file: file}
	if file.Custom == nil || json.Unmarshal(*file.Custom, &p) != nil || p.Version != version || p.Size <= 0 || p.Size > MaxProgram {
		return Program{}, fmt.Errorf("%s: its description does not fit", name)
	}
	return p, nil
}

// Versions lists every version that is signed, in no order.
func (r *Releases) Versions() []string {
	seen := map[string]bool{}
	var list []string
	for name := range r.targets {
		if parts := strings.Split(name, "/"); len(parts) == 3 && !seen[parts[1]] {
			seen[parts[1]] = true
			list = append(list, parts[1])
		}
	}
	return list
}

// Files lists the signed files, by name in the repository.
func (r *Releases) Files() map[string]int64 {
	files := map[string]int64{}
	for name, f := range r.targets {
		files["targets/"+name] = f.Length
	}
	return files
}

// Verify holds a file, by its name in the repository, against what was signed.
func (r *Releases) Verify(name string, data []byte) error {
	file := r.targets[strings.TrimPrefix(name, "targets/")]
	if file == nil {
		return fmt.Errorf("%s is not signed", name)
	}
	return file.VerifyLengthHashes(data)
}

// Length is the program's size as it travels.
func (p Program) Length() int64 { return p.file.Length }

// Verify holds what came against what was signed: packed as it travels.
func (p Program) Verify(packed []byte) error { return p.file.VerifyLengthHashes(packed) }

// VerifyProgram holds the unpacked program against what was signed.
func (p Program) VerifyProgram(program []byte) error {
	sum := sha256.Sum256(program)
	if int64(len(program)) != p.Size || hex.EncodeToString(sum[:]) != p.SHA256 {
		return fmt.Errorf("the program of version %s is not the one that was signed", p.Version)
	}
	return nil
}
