package spool

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// spoolFile makes a spool with records 1 to 5, 1 acknowledged, and returns the content
// of its only segment.
func spoolFile(t testing.TB) []byte {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, 1, 2, 3)
	if err := s.Ack(idOf(1)); err != nil {
		t.Fatal(err)
	}
	add(t, s, 4, 5)
	close2(t, s)
	data, err := os.ReadFile(segmentPath(dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func spoolOf(t testing.TB, data []byte) (dir string) {
	dir = t.TempDir()
	if err := os.WriteFile(segmentPath(dir, 1), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTornTailAtEveryByte(t *testing.T) {
	data := spoolFile(t)
	last := len(data) - (frameHead + recordBody + len(payloadOf(5)))
	for cut := last; cut < len(data); cut++ {
		dir := spoolOf(t, data[:cut])
		s := open(t, dir, Options{})
		want(t, s, 2, 3, 4)
		if d := s.TakeDropped(); len(d) != 0 {
			t.Fatalf("cut at %d: a torn write was counted as lost: %+v", cut, d)
		}
		add(t, s, 6)
		close2(t, s)
		s = open(t, dir, Options{})
		want(t, s, 2, 3, 4, 6)
		close2(t, s)
	}
}

func TestZeroesBehindTheLastRecord(t *testing.T) {
	dir := spoolOf(t, append(spoolFile(t), make([]byte, 500)...))
	s := open(t, dir, Options{})
	want(t, s, 2, 3, 4, 5)
	add(t, s, 6)
	close2(t, s)
	want(t, open(t, dir, Options{}), 2, 3, 4, 5, 6)
}

func TestEveryFlippedByteCostsOneRecordAtMost(t *testing.T) {
	data := spoolFile(t)
	for at := range data {
		damaged := append([]byte(nil), data...)
		damaged[at] ^= 0x55
		dir := spoolOf(t, damaged)
		s := open(t, dir, Options{})
		got := waiting(t, s)
		if missing := without([]int{2, 3, 4, 5}, got); missing > 1 || !ordered(got) {
			t.Fatalf("byte %d: waiting %v", at, got)
		}
		d := s.TakeDropped()
		torn := at >= len(data)-(frameHead+recordBody+len(payloadOf(5))) // in the last frame it may look like a torn write
		if len(d) != 1 && !torn || len(d) == 1 && (d[0].Reason != "damaged" || d[0].Reports != 1) {
			t.Fatalf("byte %d: account %+v", at, d)
		}
		if at%7 != 0 { // the rest costs syncs
			close2(t, s)
			continue
		}
		add(t, s, 6)
		close2(t, s)
		s = open(t, dir, Options{})
		if again := waiting(t, s); !reflect.DeepEqual(again, append(got, 6)) || !reflect.DeepEqual(s.TakeDropped(), d) {
			t.Fatalf("byte %d: waiting %v then %v, account %+v then %+v", at, got, again, d, s.TakeDropped())
		}
		close2(t, s)
	}
}

func without(all, got []int) (missing int) {
	have := map[int]bool{}
	for _, n := range got {
		have[n] = true
	}
	for _, n := range all {
		if !have[n] {
			missing++
		}
	}
	return missing
}

func ordered(l []int) bool {
	for i := 1; i < len(l); i++ {
		if l[i] <= l[i-1] {
			return false
		}
	}
	return true
}

func TestDamageUnderAnOpenSpoolIsPassedOver(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	add(t, s, 1, 2)
	data, err := os.ReadFile(segmentPath(dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	data[frameHead+recordBody] ^= 1
	if err := os.WriteFile(segmentPath(dir, 1), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Peek(); err != nil || numberOf(r.ID) != 2 {
		t.Fatalf("peek %v, %v", r, err)
	}
	if d := s.TakeDropped(); len(d) != 1 || d[0].Reason != "damaged" {
		t.Fatalf("account %+v", d)
	}
}

func TestDamagedStateCostsOnlyTheAccount(t *testing.T) {
	dir := spoolOf(t, spoolFile(t))
	if err := os.WriteFile(filepath.Join(dir, "state.json"), []byte("{torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, open(t, dir, Options{}), 2, 3, 4, 5)
}

func TestLeftoversOfACrashAreRemoved(t *testing.T) {
	dir := spoolOf(t, spoolFile(t))
	left := filepath.Join(dir, ".state.json.tmp-123")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, open(t, dir, Options{}), 2, 3, 4, 5)
	if _, err := os.Stat(left); !os.IsNotExist(err) {
		t.Fatalf("still there: %v", err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add(spoolFile(f))
	f.Add([]byte(frameMarker + frameMarker + "\x09\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		found := scan(data)
		at := 0
		for _, x := range found.frames {
			if x.off < at || x.off+x.size > found.end {
				t.Fatalf("frame %+v behind %d, end %d", x, at, found.end)
			}
			if _, _, _, ok := parseFrame(data[x.off : x.off+x.size]); !ok {
				t.Fatalf("frame %+v cannot be read alone", x)
			}
			at = x.off + x.size
		}
		if found.end > len(data) || found.lost > len(data) {
			t.Fatalf("%+v of %d bytes", found, len(data))
		}
		s := open(t, spoolOf(t, data), Options{})
		if err := s.Append(idOf(1), payloadOf(1), testTime); err != nil {
			t.Fatal(err)
		}
		if s.Len() == 0 {
			t.Fatal("an appended record is not there")
		}
		close2(t, s)
	})
}
