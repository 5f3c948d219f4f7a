package scan_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigia/collector/internal/scan"
)

// clamd answers INSTREAM as clamd does: it finds what holds "evil".
func clamd(t *testing.T, answer func(content string) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clamd.ctl")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				r := bufio.NewReader(c)
				if cmd, err := r.ReadString(0); err != nil || cmd != "zINSTREAM\x00" {
					return
				}
				var content []byte
				for {
					var n uint32
					if binary.Read(r, binary.BigEndian, &n) != nil {
						return
					}
					if n == 0 {
						break
					}
					part := make([]byte, n)
					if _, err := io.ReadFull(r, part); err != nil {
						return
					}
					content = append(content, part...)
				}
				io.WriteString(c, answer(string(content)))
			}()
		}
	}()
	return path
}

func TestClamd(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	s := scan.Scanner{Sockets: []string{"/nowhere/clamd.ctl", clamd(t, func(content string) string {
		switch {
		case strings.Contains(content, "evil"):
			return "stream: Win.Test.EICAR_HDB-1 FOUND\x00"
		case content == long || content == "fine":
			return "stream: OK\x00"
		}
		return "INSTREAM size limit exceeded. ERROR\x00"
	})}}
	for content, want := range map[string]scan.Verdict{"fine": scan.Clean, long: scan.Clean, "evil": scan.Infected} {
		if v, virus, err := s.Scan(t.Context(), []byte(content)); err != nil || v != want || (virus != "") != (v == scan.Infected) {
			t.Errorf("%.10s: %s %q %v", content, v, virus, err)
		}
	}
	if v, _, err := s.Scan(t.Context(), []byte("too large")); err == nil || v != scan.NotScanned {
		t.Errorf("no answer taken as %s", v)
	}
}

func TestSilentClamdDoesNotHoldUp(t *testing.T) {
	s := scan.Scanner{Timeout: 100 * time.Millisecond, Sockets: []string{clamd(t, func(string) string { time.Sleep(3 * time.Second); return "" })}}
	if _, _, err := s.Scan(t.Context(), []byte("x")); err == nil {
		t.Error("no answer is no error")
	}
}

func TestWithoutClamAV(t *testing.T) {
	if v, _, err := (scan.Scanner{Program: "/nowhere/clamscan"}).Scan(t.Context(), []byte("x")); v != scan.NotScanned || err != nil {
		t.Errorf("%s %v", v, err)
	}
}

// The real clamscan, with a signature of our own: no download.
func TestClamscan(t *testing.T) {
	path, err := exec.LookPath("clamscan")
	if err != nil {
		t.Fatal("clamscan is not installed; make parts brings it")
	}
	signatures := filepath.Join(t.TempDir(), "own.ndb")
	if err := os.WriteFile(signatures, []byte("Vigia.Test.Sample:0:*:"+"76696769612d746573742d7369676e6174757265"+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := scan.Scanner{Program: path, Database: signatures}
	if v, _, err := s.Scan(t.Context(), []byte("an ordinary text")); v != scan.Clean || err != nil {
		t.Errorf("%s %v", v, err)
	}
	if v, virus, err := s.Scan(t.Context(), []byte("it holds vigia-test-signature here")); v != scan.Infected || !strings.HasPrefix(virus, "Vigia.Test.Sample") || err != nil {
		t.Errorf("%s %q %v", v, virus, err)
	}
	if v, _, err := (scan.Scanner{Program: path, Database: "/nowhere"}).Scan(t.Context(), []byte("x")); err == nil {
		t.Errorf("without signatures: %s", v)
	}
}
