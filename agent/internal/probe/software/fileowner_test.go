package software

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestReadOwnedAcrossPieces(t *testing.T) {
	var list strings.Builder
	list.WriteString("/.\n")
	for i := range 500 {
		fmt.Fprintf(&list, "/usr/lib/x/%d\n", i)
		if i%100 == 0 {
			fmt.Fprintf(&list, "/opt/vendor/%d\n/usr/local/share/%d\n", i, i)
		}
	}
	for size := 40; size < 200; size++ {
		owned := map[string]bool{}
		var r io.Reader = strings.NewReader(list.String() + "/opt/unfinished")
		if err := readOwned(r, make([]byte, size), owned); err != nil || len(owned) != 10 || !owned["/usr/local/share/400"] || !owned["/opt/vendor/0"] {
			t.Fatalf("pieces of %d bytes: %v, %v", size, owned, err)
		}
	}
	owned := map[string]bool{}
	if err := readOwned(bytes.NewReader(bytes.Repeat([]byte("/opt/x"), 1000)), make([]byte, 64), owned); err != nil || len(owned) != 0 {
		t.Errorf("a line without an end: %v, %v", owned, err)
	}
}
