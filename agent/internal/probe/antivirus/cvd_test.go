package antivirus

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// header makes what sigtool --build writes in front of a database.
func header(text string) string { return fmt.Sprintf("%-512s", text) }

func TestParseCVDHeader(t *testing.T) {
	const tail = ":90:2d3fa4ffcdd1e6cb1c2d4fc0e1ea5ef6:x:builder"
	for name, c := range map[string]struct {
		text string
		want CVDHeader
	}{
		"with seconds": {"ClamAV-VDB:16 Sep 2021 08-32 -0400:62:6647427" + tail + ":1631795562",
			CVDHeader{time.Date(2021, 9, 16, 12, 32, 42, 0, time.UTC), 62, 6647427, 90}},
		"without": {"ClamAV-VDB:16 Sep 2021 08-32 -0400:62:6647427" + tail,
			CVDHeader{time.Date(2021, 9, 16, 12, 32, 0, 0, time.UTC), 62, 6647427, 90}},
		"absurd seconds": {"ClamAV-VDB:01 Jan 2026 00-00 +0000:27000:1" + tail + ":99999999999999",
			CVDHeader{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 27000, 1, 90}},
	} {
		got, err := ParseCVDHeader(strings.NewReader(header(c.text) + "content"))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestParseCVDHeaderRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":              "",
		"short":              "ClamAV-VDB:16 Sep 2021 08-32 -0400:62:1:90:m:d:b:1",
		"another file":       header("PK\x03\x04"),
		"NUL":                header("ClamAV-VDB:16 Sep 2021 08-32 -0400:62:1:90:m\x00:d:b:1"),
		"few fields":         header("ClamAV-VDB:16 Sep 2021 08-32 -0400:62"),
		"negative version":   header("ClamAV-VDB:16 Sep 2021 08-32 -0400:-1:1:90:m:d:b:1"),
		"version no number":  header("ClamAV-VDB:16 Sep 2021 08-32 -0400:x:1:90:m:d:b:1"),
		"too many sigs":      header("ClamAV-VDB:16 Sep 2021 08-32 -0400:1:99999999999999999999:90:m:d:b:1"),
		"level no number":    header("ClamAV-VDB:16 Sep 2021 08-32 -0400:1:1::m:d:b:1"),
		"no time of any use": header("ClamAV-VDB:yesterday:1:1:90:m:d:b:soon"),
	} {
		if got, err := ParseCVDHeader(strings.NewReader(text)); !errors.Is(err, ErrCVD) {
			t.Errorf("%s: %+v, %v; want ErrCVD", name, got, err)
		}
	}
}

func FuzzParseCVDHeader(f *testing.F) {
	f.Add(header("ClamAV-VDB:16 Sep 2021 08-32 -0400:62:6647427:90:m:d:b:1631795562"))
	f.Add(header("ClamAV-VDB:::::::::::"))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseCVDHeader(strings.NewReader(text))
		if err == nil && (h.Version < 0 || h.Signatures < 0 || h.Level < 0 || h.BuiltAt.IsZero()) {
			t.Errorf("%q gives %+v", text, h)
		}
	})
}
