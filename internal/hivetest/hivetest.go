// Package hivetest owns making real registry hives for tests: the smallest one there
// can be, filled by hivexsh of libhivex. It is used by tests only.
package hivetest

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Write makes a hive and runs a script of hivexsh(1) on it. Making a key again that the
// script made before is left out.
func Write(t testing.TB, file, script string) {
	t.Helper()
	if _, err := exec.LookPath("hivexsh"); err != nil {
		t.Fatalf("hivexsh is missing (make parts installs libhivex-bin): %v", err)
	}
	if err := os.WriteFile(file, Minimal(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("hivexsh", "-w", file)
	cmd.Stdin = strings.NewReader(once(script) + "\ncommit\n")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("hivexsh: %v\n%.500s", err, msg)
	}
}

// once leaves out "add" where the script has made that key before.
func once(script string) string {
	var out strings.Builder
	made := map[string]bool{}
	var at []string
	for line := range strings.Lines(script) {
		word, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "add":
			key := strings.ToLower(strings.Join(append(at, name), `\`))
			if made[key] {
				continue
			}
			made[key] = true
		case word == "cd" && name == `\`:
			at = nil
		case word == "cd" && name == "..":
			at = at[:max(0, len(at)-1)]
		case word == "cd":
			at = append(at[:len(at):len(at)], name)
		}
		out.WriteString(line)
	}
	return out.String()
}

// Keys is the script that makes the keys of a path and goes to the last.
func Keys(path string) string {
	var s strings.Builder
	for part := range strings.SplitSeq(path, `\`) {
		s.WriteString("add " + part + "\ncd " + part + "\n")
	}
	return s.String()
}

// Minimal is a hive of one bin with a root key and its security.
func Minimal() []byte {
	b := make([]byte, 8192)
	put := func(at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
	used := func(at int, size uint32) { put(at, -size) }
	copy(b, "regf")
	put(4, 1)
	put(8, 1)
	put(20, 1)
	put(24, 3)
	put(32, 1)
	put(36, 32)
	put(40, 4096)
	put(44, 1)
	Seal(b)
	copy(b[4096:], "hbin")
	put(4096+8, 4096)
	const nk, sk, free = 4096 + 32, 4096 + 120, 4096 + 184
	used(nk, 88)
	copy(b[nk+4:], "nk")
	binary.LittleEndian.PutUint16(b[nk+6:], 0x2c)
	for _, at := range [...]int{28, 32, 40, 48} {
		put(nk+4+at, 0xffffffff)
	}
	put(nk+4+44, 120)
	binary.LittleEndian.PutUint16(b[nk+4+72:], 4)
	copy(b[nk+4+76:], "root")
	used(sk, 64)
	copy(b[sk+4:], "sk")
	put(sk+8, 120)
	put(sk+12, 120)
	put(sk+16, 1)
	put(sk+20, 20)
	put(free, 4096-184)
	return bytes.Clone(b)
}

// Seal sets the checksum of a base block.
func Seal(b []byte) {
	var sum uint32
	for i := 0; i < 508; i += 4 {
		sum ^= binary.LittleEndian.Uint32(b[i:])
	}
	binary.LittleEndian.PutUint32(b[508:], sum)
}
