package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"strings"
)

// salt is a number that a name always has.
func salt(name string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return int(h.Sum32() >> 1)
}

// family is what packages of one source have in common, which are updated together.
func family(name string) string {
	head, _, _ := strings.Cut(name, "-")
	return head
}

// fingerprint is the SHA-256 of a file that does not exist.
func fingerprint(name string) string {
	sum := sha256.Sum256([]byte("sample " + name))
	return hex.EncodeToString(sum[:])
}

// lower is for ASCII names.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
