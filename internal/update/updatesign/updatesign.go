// Package updatesign owns the operator's part of updates: keys that are made and held
// away from the collector, and a folder of signed releases to hand to it. It refuses to
// reach any network or database.
package updatesign

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"vigia/internal/fsatomic"
	"vigia/internal/update"
	"vigia/internal/version"
)

// RootLife is how long a root of trust is good for.
const RootLife = 10 * 365 * 24 * time.Hour

// Names of the key files.
const (
	rootKey    = "root.key"
	releaseKey = "release.key"
)

// roles that the release key signs; the root key signs the root alone.
var roles = []string{metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

// ErrExists says that keys are there already.
var ErrExists = errors.New("there are keys already; they are not replaced")

// InitKeys makes the keys in a folder, protected by a passphrase, and the root of trust
// beside them (1.root.json), which names them.
func InitKeys(dir, passphrase string, now time.Time) error {
	if passphrase == "" {
		return errors.New("a passphrase is needed: whoever has the keys decides what runs on every machine")
	}
	if _, err := os.Stat(filepath.Join(dir, rootKey)); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", dir, ErrExists)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root := metadata.Root(now.Add(RootLife).UTC())
	root.Signed.ConsistentSnapshot = true
	rootPrivate, err := makeKey(filepath.Join(dir, rootKey), passphrase, root, metadata.ROOT)
	if err != nil {
		return err
	}
	if _, err := makeKey(filepath.Join(dir, releaseKey), passphrase, root, roles...); err != nil {
		return err
	}
	if err := sign(root, rootPrivate); err != nil {
		return err
	}
	return write(filepath.Join(dir, "1.root.json"), root)
}

func makeKey(path, passphrase string, root *metadata.Metadata[metadata.RootType], for_ ...string) (ed25519.PrivateKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := metadata.KeyFromPublicKey(public)
	if err != nil {
		return nil, err
	}
	for _, role := range for_ {
		if err := root.Signed.AddKey(key, role); err != nil {
			return nil, err
		}
	}
	sealed, err := encrypted.Encrypt(private.Seed(), []byte(passphrase))
	if err != nil {
		return nil, err
	}
	return private, fsatomic.WriteFile(path, sealed, 0o600)
}

func openKey(path, passphrase string) (ed25519.PrivateKey, error) {
	sealed, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the key: %w", err)
	}
	seed, err := encrypted.Decrypt(sealed, []byte(passphrase))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the key %s: the passphrase is not right, or the file is damaged", path)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func sign[T metadata.Roles](m *metadata.Metadata[T], key ed25519.PrivateKey) error {
	signer, err := signature.LoadSigner(key, crypto.Hash(0))
	if err != nil {
		return err
	}
	m.ClearSignatures()
	_, err = m.Sign(signer)
	return err
}

func write[T metadata.Roles](path string, m *metadata.Metadata[T]) error {
	data, err := m.ToBytes(true)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return fsatomic.WriteFile(path, data, 0o644)
}

// Program is one file to release.
type Program struct {
	OS, Arch, Path string
}

// Release is what Sign adds; without programs only the dates are renewed.
type Release struct {
	Version  string
	Programs []Program
	Valid    time.Duration // from now on; agents take no update after it
}

// Sign adds a release to the folder of signed releases, or makes the folder, and signs
// all anew.
func Sign(repository, keys, passphrase string, r Release, now time.Time) error {
	key, err := openKey(filepath.Join(keys, releaseKey), passphrase)
	if err != nil {
		return err
	}
	meta := filepath.Join(repository, "metadata")
	if err := copyRoot(filepath.Join(keys, "1.root.json"), filepath.Join(meta, "1.root.json")); err != nil {
		return err
	}
	until := now.Add(r.Valid).UTC()
	timestamp, snapshot, targets, err := load(meta, until)
	if err != nil {
		return err
	}
	for _, p := range r.Programs {
		if err := add(repository, targets, r.Version, p); err != nil {
			return err
		}
	}
	targets.Signed.Version, snapshot.Signed.Version, timestamp.Signed.Version = targets.Signed.Version+1, snapshot.Signed.Version+1, timestamp.Signed.Version+1
	targets.Signed.Expires, snapshot.Signed.Expires, timestamp.Signed.Expires = until, until, until
	snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(targets.Signed.Version)
	timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(snapshot.Signed.Version)
	return errors.Join(sign(targets, key), sign(snapshot, key), sign(timestamp, key),
		write(filepath.Join(meta, fmt.Sprintf("%d.targets.json", targets.Signed.Version)), targets),
		write(filepath.Join(meta, fmt.Sprintf("%d.snapshot.json", snapshot.Signed.Version)), snapshot),
		write(filepath.Join(meta, "timestamp.json"), timestamp)) // last: it makes the others count
}

func copyRoot(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("the root of trust: %w", err)
	}
	if old, err := os.ReadFile(to); err == nil && string(old) != string(data) {
		return errors.New("the folder of releases belongs to other keys")
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return fsatomic.WriteFile(to, data, 0o644)
}

// load reads what was signed last; the first time everything is empty, at version 0.
func load(meta string, until time.Time) (*metadata.Metadata[metadata.TimestampType], *metadata.Metadata[metadata.SnapshotType], *metadata.Metadata[metadata.TargetsType], error) {
	timestamp, snapshot, targets := metadata.Timestamp(until), metadata.Snapshot(until), metadata.Targets(until)
	timestamp.Signed.Version, snapshot.Signed.Version, targets.Signed.Version = 0, 0, 0
	_, err := os.Stat(filepath.Join(meta, "timestamp.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return timestamp, snapshot, targets, nil
	}
	if timestamp, err = timestamp.FromFile(filepath.Join(meta, "timestamp.json")); err != nil {
		return nil, nil, nil, err
	}
	if snapshot, err = snapshot.FromFile(filepath.Join(meta, fmt.Sprintf("%d.snapshot.json", timestamp.Signed.Meta["snapshot.json"].Version))); err != nil {
		return nil, nil, nil, err
	}
	targets, err = targets.FromFile(filepath.Join(meta, fmt.Sprintf("%d.targets.json", snapshot.Signed.Meta["targets.json"].Version)))
	return timestamp, snapshot, targets, err
}

func add(repository string, targets *metadata.Metadata[metadata.TargetsType], v string, p Program) error {
	if !version.Valid(v) {
		return fmt.Errorf("version %q: want MAJOR.MINOR.PATCH", v)
	}
	name := update.TargetName(v, p.OS, p.Arch)
	if targets.Signed.Targets[name] != nil {
		return fmt.Errorf("%s is signed already: a version never changes", name)
	}
	program, err := os.ReadFile(p.Path)
	if err != nil {
		return err
	}
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if err != nil {
		return err
	}
	packed := w.EncodeAll(program, nil)
	file, err := metadata.TargetFile().FromBytes(name, packed, "sha256")
	if err != nil {
		return err
	}
	sum := sha256.Sum256(program)
	about, err := json.Marshal(update.Program{Version: v, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(program))})
	if err != nil {
		return err
	}
	file.Custom = (*json.RawMessage)(&about)
	targets.Signed.Targets[name] = file
	path := filepath.Join(repository, "targets", filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return fsatomic.WriteFile(path, packed, 0o644)
}
