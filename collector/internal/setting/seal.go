package setting

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"vigia/collector/internal/apperr"
)

// KeySize is the size of a Key in bytes.
const KeySize = 32

// Key seals secrets with AES-256-GCM (NIST SP 800-38D). It is kept outside the
// database, so that a copy of the database alone tells no password.
type Key [KeySize]byte

// id is public: it tells which key a secret was sealed with.
func (k Key) id() string {
	sum := sha256.Sum256(append([]byte("vigia setting key\x00"), k[:]...))
	return hex.EncodeToString(sum[:4])
}

func (k Key) aead() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// seal returns "v1:<key>:<nonce and text>". It opens under the same name only.
func (k Key) seal(name, text string) (string, error) {
	a, err := k.aead()
	if err != nil {
		return "", err
	}
	nonce := make([]byte, a.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("drawing a nonce: %w", err)
	}
	return "v1:" + k.id() + ":" + base64.RawStdEncoding.EncodeToString(a.Seal(nonce, nonce, []byte(text), []byte(name))), nil
}

// open returns the text. Conflict "setting.other-key" where another key sealed it,
// Internal "setting.damaged" where it was changed.
func (k Key) open(name, sealed string) (string, error) {
	damaged := func(err error) error {
		return apperr.Wrap(err, apperr.Internal, "setting.damaged", apperr.Args{"field": name})
	}
	version, rest, _ := strings.Cut(sealed, ":")
	id, body, ok := strings.Cut(rest, ":")
	if version != "v1" || !ok {
		return "", damaged(fmt.Errorf("sealed by an unknown version"))
	}
	if id != k.id() {
		return "", apperr.New(apperr.Conflict, "setting.other-key", apperr.Args{"field": name})
	}
	raw, err := base64.RawStdEncoding.DecodeString(body)
	if err != nil {
		return "", damaged(err)
	}
	a, err := k.aead()
	if err != nil {
		return "", err
	}
	if len(raw) < a.NonceSize() {
		return "", damaged(fmt.Errorf("cut short"))
	}
	text, err := a.Open(nil, raw[:a.NonceSize()], raw[a.NonceSize():], []byte(name))
	if err != nil {
		return "", damaged(err)
	}
	return string(text), nil
}

// Seal is for secrets that are kept elsewhere than among the settings; name binds the
// result to what it is for.
func (k Key) Seal(name, text string) (string, error) { return k.seal(name, text) }

// Open returns what Seal was given, with the errors of settings' own secrets.
func (k Key) Open(name, sealed string) (string, error) { return k.open(name, sealed) }
