package pack_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"vigia/collector/internal/ingest/pack"
)

func genInstalls(t *rapid.T) []pack.Install {
	items := rapid.SliceOfNDistinct(rapid.Int64Range(1, 1<<40), 0, 200, rapid.ID[int64]).Draw(t, "items")
	slices.Sort(items)
	list := make([]pack.Install, len(items))
	for i, id := range items {
		list[i] = pack.Install{Item: id,
			Installed: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 1<<33)).Draw(t, "installed"),
			First:     rapid.Int64Range(0, 1<<33).Draw(t, "first")}
	}
	return list
}

func TestInstallsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := genInstalls(t)
		b := pack.AppendInstalls(nil, list)
		got, err := pack.Installs(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, list) {
			t.Fatalf("got %v, want %v", got, list)
		}
		if len(b) > 1 {
			if _, err := pack.Installs(nil, b[:len(b)-1]); !errors.Is(err, pack.ErrDamaged) {
				t.Fatalf("a torn list gave %v", err)
			}
		}
	})
}

func TestInstallsAreSmall(t *testing.T) {
	list := make([]pack.Install, 900)
	for i := range list {
		list[i] = pack.Install{Item: int64(i*3 + 1), Installed: 1_700_000_000 + int64(i%50)*60, First: 1_790_000_000}
	}
	if n := len(pack.AppendInstalls(nil, list)); n > 900*5 {
		t.Errorf("900 installs take %d bytes", n)
	}
}

func TestBitmap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.SliceOfDistinct(rapid.IntRange(0, pack.ChunkSize-1), rapid.ID[int]).Draw(t, "bits")
		var b pack.Bitmap
		for _, i := range set {
			if !b.Set(i) || b.Set(i) {
				t.Fatalf("bit %d: Set does not tell news from repetition", i)
			}
		}
		form := pack.AppendBitmap(nil, &b)
		if len(set) == 1 && len(form) != 2 {
			t.Fatalf("one bit takes %d bytes", len(form))
		}
		got, err := pack.ReadBitmap(form)
		if err != nil || got != b {
			t.Fatalf("did not come back: %v", err)
		}
		if b.Count() != len(set) {
			t.Fatalf("count %d, want %d", b.Count(), len(set))
		}
		slices.Sort(set)
		for i, m := range got.Machines(nil, 3) {
			chunk, bit := pack.Chunk(m)
			if chunk != 3 || bit != set[i] {
				t.Fatalf("machine %d is chunk %d bit %d, want 3 and %d", m, chunk, bit, set[i])
			}
		}
		for _, i := range set {
			if !got.Has(i) || !got.Clear(i) || got.Clear(i) {
				t.Fatalf("bit %d: Clear does not tell", i)
			}
		}
		if len(pack.AppendBitmap(nil, &got)) != 0 {
			t.Fatal("an empty bitmap takes bytes")
		}
	})
}

func TestDocuments(t *testing.T) {
	var d pack.Documents
	want := bytes.Repeat([]byte(`{"hostname":"pc-001"}`), 50)
	b, err := d.Pack(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Unpack(b)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("did not come back: %v", err)
	}
	b[len(b)-1] ^= 1
	if _, err := d.Unpack(b); !errors.Is(err, pack.ErrDamaged) {
		t.Errorf("a flipped bit gave %v", err)
	}
}

func FuzzInstalls(f *testing.F) {
	f.Add([]byte{})
	f.Add(pack.AppendInstalls(nil, []pack.Install{{Item: 1, Installed: 2, First: 3}, {Item: 9, First: 3}}))
	f.Add([]byte{1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := pack.Installs(nil, b)
		if err != nil {
			if !errors.Is(err, pack.ErrDamaged) {
				t.Fatalf("unexpected error %v", err)
			}
			return
		}
		again, err := pack.Installs(nil, pack.AppendInstalls(nil, list))
		if err != nil || !slices.Equal(again, list) {
			t.Fatalf("%v did not come back: %v, %v", list, again, err)
		}
	})
}

func FuzzBitmap(f *testing.F) {
	f.Add([]byte{0, 1})
	f.Add([]byte{255, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := pack.ReadBitmap(b)
		if err == nil && !bytes.Equal(pack.AppendBitmap(nil, &m), b) {
			t.Fatal("two forms of one bitmap")
		}
	})
}
