package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var testTime = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func idOf(n int) (id ID) { binary.BigEndian.PutUint64(id[8:], uint64(n)); return id }

func numberOf(id ID) int { return int(binary.BigEndian.Uint64(id[8:])) }

// payloadOf returns content that tells n and has some length of its own.
func payloadOf(n int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("report %d;", n)), 1+n%7) }

func open(t testing.TB, dir string, o Options) *Spool {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return testTime }
	}
	s, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t testing.TB, s *Spool, numbers ...int) {
	t.Helper()
	for _, n := range numbers {
		if err := s.Append(idOf(n), payloadOf(n), testTime); err != nil {
			t.Fatal(err)
		}
	}
}

// waiting returns the numbers of the waiting records, checking their content.
func waiting(t testing.TB, s *Spool) []int {
	t.Helper()
	var got []int
	err := s.Each(func(r Record) error {
		n := numberOf(r.ID)
		if !bytes.Equal(r.Payload, payloadOf(n)) || !r.TakenAt.Equal(testTime) {
			return fmt.Errorf("record %d came back as %q, %v", n, r.Payload, r.TakenAt)
		}
		got = append(got, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func want(t testing.TB, s *Spool, numbers ...int) {
	t.Helper()
	if got := waiting(t, s); !reflect.DeepEqual(got, numbers) {
		t.Fatalf("waiting %v, want %v", got, numbers)
	}
}

func close2(t testing.TB, s *Spool) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestFirstInFirstOutAcrossRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	s := open(t, dir, Options{})
	if _, err := s.Peek(); err != io.EOF {
		t.Fatalf("empty: %v", err)
	}
	add(t, s, 1, 2, 3, 4)
	if r, err := s.Peek(); err != nil || numberOf(r.ID) != 1 {
		t.Fatalf("peek %v, %v", r, err)
	}
	for _, n := range []int{1, 3, 99} { // in order, out of order, unknown
		if err := s.Ack(idOf(n)); err != nil {
			t.Fatal(err)
		}
	}
	want(t, s, 2, 4)
	close2(t, s)
	s = open(t, dir, Options{})
	want(t, s, 2, 4)
	add(t, s, 5)
	if s.Len() != 3 || s.Bytes() == 0 || !s.Oldest().Equal(testTime) {
		t.Fatalf("len %d, bytes %d, oldest %v", s.Len(), s.Bytes(), s.Oldest())
	}
	for _, n := range []int{2, 4, 5} {
		if err := s.Ack(idOf(n)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Len() != 0 || s.Bytes() != 0 || !s.Oldest().IsZero() {
		t.Fatalf("len %d, bytes %d, oldest %v", s.Len(), s.Bytes(), s.Oldest())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Append(idOf(1), nil, testTime); !errors.Is(err, ErrClosed) {
		t.Fatalf("closed: %v", err)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spool")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, Options{MaxBytes: 200})
	add(t, s, 1, 2, 3, 4, 5) // some are dropped, so that every kind of file is there
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder %v, %v", info.Mode(), err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 3 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, n := range names {
		if info, err := n.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", n.Name(), info.Mode(), err)
		}
	}
}

func TestOneOwner(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	_, err := Open(dir, Options{Now: time.Now})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint("pid ", os.Getpid())) {
		t.Fatalf("got %v", err)
	}
	close2(t, s)
	open(t, dir, Options{})
}

func TestSegmentsComeAndGo(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	big := make([]byte, 300<<10)
	for n := range 20 {
		if err := s.Append(idOf(n), big, testTime); err != nil {
			t.Fatal(err)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(names) != 7 {
		t.Fatalf("segments %v", names)
	}
	for n := range 20 {
		r, err := s.Peek()
		if err != nil || numberOf(r.ID) != n || !bytes.Equal(r.Payload, big) {
			t.Fatalf("record %d: %d, %v", n, numberOf(r.ID), err)
		}
		if err := s.Ack(r.ID); err != nil {
			t.Fatal(err)
		}
	}
	names, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix))
	if len(names) != 0 {
		t.Fatalf("segments left: %v", names)
	}
	add(t, s, 21)
	close2(t, s)
	want(t, open(t, dir, Options{}), 21)
}

func TestBoundsDropTheOldestWithAccount(t *testing.T) {
	dir := t.TempDir()
	now := testTime
	o := Options{MaxBytes: 1000, MaxAge: time.Hour, Now: func() time.Time { return now }}
	s := open(t, dir, o)
	payload := make([]byte, 200-frameHead-recordBody)
	for n := range 8 {
		if err := s.Append(idOf(n), payload, testTime.Add(time.Duration(n)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if s.Len() != 5 || s.Bytes() != 1000 {
		t.Fatalf("len %d, bytes %d", s.Len(), s.Bytes())
	}
	first := Dropped{Reports: 3, Bytes: 600, Reason: "size", Oldest: testTime, Newest: testTime.Add(2 * time.Minute)}
	if got := s.TakeDropped(); !reflect.DeepEqual(got, []Dropped{first}) {
		t.Fatalf("dropped %+v", got)
	}
	close2(t, s)
	s = open(t, dir, o)
	told := s.TakeDropped()
	if !reflect.DeepEqual(told, []Dropped{first}) || s.Len() != 5 {
		t.Fatalf("after a restart: %+v, len %d", told, s.Len())
	}
	now = testTime.Add(time.Hour + 4*time.Minute + time.Second) // 3 and 4 are too old now
	if r, err := s.Peek(); err != nil || numberOf(r.ID) != 5 {
		t.Fatalf("peek %d, %v", numberOf(r.ID), err)
	}
	if err := s.ConfirmDropped(told); err != nil {
		t.Fatal(err)
	}
	if got := s.TakeDropped(); len(got) != 1 || got[0].Reason != "age" || got[0].Reports != 2 {
		t.Fatalf("dropped %+v", got)
	}
	if err := s.Append(idOf(9), make([]byte, 1001), testTime); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("too large: %v", err)
	}
}

func TestRecordBound(t *testing.T) {
	s := open(t, t.TempDir(), Options{MaxRecords: 3})
	add(t, s, 1, 2, 3, 4, 5)
	want(t, s, 3, 4, 5)
}

func TestAppendsAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 25 {
				n := w*100 + i
				if err := s.Append(idOf(n), payloadOf(n), testTime); err != nil {
					t.Error(err)
				}
				if i%5 == 0 {
					if err := s.Ack(idOf(n)); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	close2(t, s)
	s = open(t, dir, Options{})
	last := map[int]int{}
	got := waiting(t, s)
	for _, n := range got {
		if n%100 <= last[n/100] {
			t.Fatalf("%d after %d", n, last[n/100])
		}
		last[n/100] = n % 100
	}
	if len(got) != 8*20 {
		t.Fatalf("%d records", len(got))
	}
}
