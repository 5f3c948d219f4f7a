package software

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// unpack reads a whole frame.
func unpack(packed []byte) ([]byte, error) {
	f, err := newLZ4Frame(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var out []byte
	for {
		b, err := f.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, b...)
	}
}

// packed has the lz4 program pack text.
func packed(t testing.TB, text []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("/usr/bin/lz4", append([]string{"-c"}, args...)...)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lz4 (package lz4) is needed for this test: %v", err)
	}
	return out
}

// list makes a text like apt's lists.
func list(entries int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for i := range entries {
		fmt.Fprintf(&b, "Package: p%d\nVersion: %d.%d-1\nArchitecture: amd64\nMaintainer: Team %d <t@debian.org>\nDescription: %s\n\n",
			i, i, r.IntN(100), r.IntN(5), strings.Repeat("words ", r.IntN(30)))
	}
	return b.Bytes()
}

func TestLZ4AgreesWithLZ4(t *testing.T) {
	noise := make([]byte, 300_000)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for name, text := range map[string][]byte{"list": list(20_000), "noise": noise, "runs": bytes.Repeat([]byte("a"), 500_000),
		"mixed": append(append(bytes.Repeat([]byte("ab"), 70_000), noise...), list(3000)...), "empty": nil, "short": []byte("x")} {
		for _, args := range [][]string{{"-B4", "-BD"}, {"-B4", "-BI"}, {"-B7", "-BD", "-9"}, {"-B5", "-BD", "-BX"}, {"-B4", "-BD", "--content-size"}} {
			got, err := unpack(packed(t, text, args...))
			if err != nil || !bytes.Equal(got, text) {
				t.Errorf("%s %v: %d of %d bytes, %v", name, args, len(got), len(text), err)
			}
		}
	}
}

func TestLZ4Refuses(t *testing.T) {
	whole := packed(t, list(5000), "-B4", "-BD")
	for n := range len(whole) - 8 { // the end mark and the checksum behind it
		if n > 300 && n%997 != 0 {
			continue
		}
		if _, err := unpack(whole[:n]); err == nil {
			t.Errorf("cut to %d bytes: no error", n)
		}
	}
	if _, err := unpack([]byte("PK\x03\x04 not lz4 at all")); !errors.Is(err, errLZ4) {
		t.Errorf("another format: %v", err)
	}
}

func FuzzLZ4(f *testing.F) {
	for _, args := range [][]string{{"-B4", "-BD"}, {"-B4", "-BI", "-BX"}} {
		f.Add(packed(f, list(40), args...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 5 && b[5]>>4&7 > 4 { // large blocks cost memory, and show nothing more
			b[5] = 0x40
		}
		out, _ := unpack(b)
		if len(out) > 256*len(b)+64<<10 {
			t.Errorf("%d bytes from %d", len(out), len(b))
		}
	})
}

func TestSplitStanzasAtEveryBoundary(t *testing.T) {
	text := list(5)
	want := strings.Split(strings.TrimSuffix(string(text), "\n\n"), "\n\n")
	for size := 1; size < 300; size++ {
		rest := text
		next := func() ([]byte, error) {
			if len(rest) == 0 {
				return nil, io.EOF
			}
			n := min(size, len(rest))
			b := rest[:n]
			rest = rest[n:]
			return b, nil
		}
		var got []string
		if err := splitStanzas(context.Background(), next, func(b []byte) { got = append(got, string(b)) }); err != nil {
			t.Fatal(err)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Fatalf("blocks of %d bytes: %q", size, got)
		}
	}
}
