package regf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vigia/agent/internal/winreg"
	"vigia/internal/hivetest"
)

// hive writes a real hive by hivexsh.
func hive(t testing.TB, script string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "NTUSER.DAT")
	hivetest.Write(t, out, script)
	return out
}

const uninstall = `Software\Microsoft\Windows\CurrentVersion\Uninstall`

// planted holds two programs, one one with a long value.
func planted(t testing.TB) string {
	var s strings.Builder
	s.WriteString(hivetest.Keys(uninstall))
	s.WriteString("add Zoom\ncd Zoom\nsetval 3\nDisplayName\nstring:Zoom Workplace\nEstimatedSize\ndword:0x1234\nBig\nstring:" +
		strings.Repeat("n", 3000) + "\ncd ..\n")
	s.WriteString("add {0F1E}\ncd {0F1E}\nsetval 1\nDisplayName\nexpandstring:%AppData%\\x\ncd ..\n")
	for i := range 600 {
		fmt.Fprintf(&s, "add k%03d\n", i)
	}
	return hive(t, s.String())
}

func openPlanted(t testing.TB) (*File, winreg.Key) {
	t.Helper()
	f, err := OpenFile(planted(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	k, err := root.Open(strings.ToUpper(uninstall))
	if err != nil {
		t.Fatal(err)
	}
	return f, k
}

func TestRealHive(t *testing.T) {
	f, k := openPlanted(t)
	if f.Dirty() {
		t.Error("dirty")
	}
	names, err := k.Keys()
	if err != nil || len(names) != 602 || !slices.Contains(names, "Zoom") || !slices.Contains(names, "k599") {
		t.Fatalf("%d names: %v", len(names), err)
	}
	zoom, err := k.Open("zoom")
	if err != nil {
		t.Fatal(err)
	}
	if got := winreg.Text(zoom, "displayname"); got != "Zoom Workplace" {
		t.Errorf("DisplayName %q", got)
	}
	if got := winreg.Number(zoom, "EstimatedSize"); got != 0x1234 {
		t.Errorf("EstimatedSize %#x", got)
	}
	if v, err := zoom.Value("Big"); err != nil || len(v.Data) != 6002 || v.Text() != strings.Repeat("n", 3000) {
		t.Errorf("Big: %d bytes, %v", len(v.Data), err)
	}
	if _, err := zoom.Value("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a value that is not there: %v", err)
	}
	if _, err := k.Open(`Zoom\none`); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a key that is not there: %v", err)
	}
	guid, err := k.Open("{0f1e}")
	if err != nil || winreg.Text(guid, "DisplayName") != `%AppData%\x` {
		t.Errorf("expandable text: %v", err)
	}
}

// TestMarvin uses the vectors of .NET's tests, whose hash is folded to 32 bits.
func TestMarvin(t *testing.T) {
	for text, want := range map[string]uint32{"": 0xb00892ac, "h": 0xf41a608e, "he": 0x11107c6b, "hel": 0x24056a46, "hell": 0x7f91e021} {
		if h := marvin32([]byte(text)); uint32(h)^uint32(h>>32) != want {
			t.Errorf("marvin32(%q) = %#x, want %#x folded", text, h, want)
		}
	}
}

// logOf makes the log that turns one hive into another, as Windows would leave it.
func logOf(before, after []byte, seq uint32) []byte {
	var refs, pages []byte
	for at := 4096; at < len(after); at += pageSize {
		if at >= len(before) || !bytes.Equal(before[at:at+pageSize], after[at:at+pageSize]) {
			refs = binary.LittleEndian.AppendUint32(refs, uint32(at-4096))
			refs = binary.LittleEndian.AppendUint32(refs, pageSize)
			pages = append(pages, after[at:at+pageSize]...)
		}
	}
	body := append(refs, pages...)
	e := make([]byte, (entryHead+len(body)+pageSize-1)/pageSize*pageSize)
	copy(e, "HvLE")
	for at, v := range map[int]uint32{4: uint32(len(e)), 12: seq, 16: uint32(len(after) - 4096), 20: uint32(len(refs) / 8)} {
		binary.LittleEndian.PutUint32(e[at:], v)
	}
	copy(e[entryHead:], body)
	binary.LittleEndian.PutUint64(e[24:], marvin32(e[entryHead:]))
	binary.LittleEndian.PutUint64(e[32:], marvin32(e[:32]))
	head := make([]byte, pageSize)
	copy(head, "regf")
	head[28] = 6
	return append(head, e...)
}

func TestDirtyHiveIsBroughtUpToDate(t *testing.T) {
	name := hive(t, "add old")
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(hive(t, "add old\nadd new\nadd newer"))
	if err != nil {
		t.Fatal(err)
	}
	seq := binary.LittleEndian.Uint32(before[8:])
	binary.LittleEndian.PutUint32(before[4:], seq+1)
	hivetest.Seal(before)
	log := logOf(before, after, seq)
	keys := func(logText []byte) (names []string, dirty bool) {
		t.Helper()
		for path, b := range map[string][]byte{name: before, name + ".LOG1": logText} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		f, err := OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		root, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		if names, err = root.Keys(); err != nil {
			t.Fatal(err)
		}
		return names, f.Dirty()
	}
	if names, dirty := keys(log); !slices.Equal(names, []string{"new", "newer", "old"}) || dirty {
		t.Errorf("with its log: %v, dirty %v", names, dirty)
	}
	log[len(log)-1] ^= 1 // a log that does not match its hash is not applied
	if names, dirty := keys(log); !slices.Equal(names, []string{"old"}) || !dirty {
		t.Errorf("with a damaged log: %v, dirty %v", names, dirty)
	}
	if names, dirty := keys(logOf(before, after, seq-1)); !slices.Equal(names, []string{"old"}) || !dirty {
		t.Errorf("with an old log: %v, dirty %v", names, dirty)
	}
}

func TestNoHive(t *testing.T) {
	for name, b := range map[string][]byte{"empty": nil, "text": bytes.Repeat([]byte("x"), 10000), "short": []byte("regf")} {
		if _, err := Open(bytes.NewReader(b), int64(len(b))); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// walk opens everything below a key, to a depth, and returns how much there was.
func walk(k winreg.Key, depth int, budget *int) {
	names, err := k.Keys()
	if err != nil || depth == 0 {
		return
	}
	for _, n := range names {
		if *budget--; *budget < 0 {
			return
		}
		if sub, err := k.Open(n); err == nil {
			_, _ = sub.Value("DisplayName")
			walk(sub, depth-1, budget)
		}
	}
}

func FuzzHive(f *testing.F) {
	small, err := os.ReadFile(hive(f, "add a\ncd a\nsetval 2\nDisplayName\nstring:x\nDisplayVersion\ndword:1\nadd b\n"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(small, []byte(nil))
	f.Add(small, logOf(small[:4096], small, 1))
	f.Fuzz(func(t *testing.T, b, log []byte) {
		h, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		h.left = 5000
		if _, err := h.Apply(Log{bytes.NewReader(log), int64(len(log))}); err != nil {
			return
		}
		if root, err := h.Root(); err == nil {
			budget := 2000
			walk(root, 6, &budget)
		}
	})
}
