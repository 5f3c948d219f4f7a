package wire

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	vigiav1 "vigia/proto/vigia/v1"
)

func TestSplitAndAssemble(t *testing.T) {
	a := NewAssembler(DefaultLimits().Compressed)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{0, 1, PartSize - 1, PartSize, PartSize + 1, 3*PartSize + 7}).Draw(t, "size")
		body := bytes.Repeat([]byte{rapid.Byte().Draw(t, "fill")}, size)
		parts := Split([]byte("id"), body)
		for i, p := range parts {
			got, done, err := a.Add(p)
			if err != nil || done != (i == len(parts)-1) {
				t.Fatalf("part %d: done %v, %v", i, done, err)
			}
			if done && !bytes.Equal(got, body) {
				t.Fatal("another body came out")
			}
		}
		if a.Pending() != 0 {
			t.Fatalf("%d bytes kept", a.Pending())
		}
	})
}

func TestAssemblerRefuses(t *testing.T) {
	part := func(id string, index, total uint32, size int) *vigiav1.Part {
		return &vigiav1.Part{Id: []byte(id), Index: index, Total: total, Data: make([]byte, size)}
	}
	for name, parts := range map[string][]*vigiav1.Part{
		"nil":           {nil},
		"no id":         {part("", 0, 1, 1)},
		"long id":       {part(string(make([]byte, 200)), 0, 1, 1)},
		"no total":      {part("a", 0, 0, 1)},
		"beyond":        {part("a", 2, 2, 1)},
		"not the first": {part("a", 1, 2, 1)},
		"twice":         {part("a", 0, 3, 1), part("a", 0, 3, 1)},
		"gap":           {part("a", 0, 3, 1), part("a", 2, 3, 1)},
		"another":       {part("a", 0, 3, 1), part("b", 1, 3, 1)},
		"other total":   {part("a", 0, 3, 1), part("a", 1, 4, 1)},
		"big part":      {part("a", 0, 1, PartSize+1)},
		"empty part":    {part("a", 0, 3, 0)},
		"big body":      {part("a", 0, 9, PartSize), part("a", 1, 9, PartSize), part("a", 2, 9, PartSize)},
	} {
		a := NewAssembler(2*PartSize + 1)
		for i, p := range parts {
			_, done, err := a.Add(p)
			if last := i == len(parts)-1; (err != nil) != last || done || (last && !errors.Is(err, ErrBadMessage)) {
				t.Errorf("%s: part %d: %v, %v", name, i, done, err)
			}
		}
		if a.Pending() != 0 {
			t.Errorf("%s: %d bytes kept after the error", name, a.Pending())
		}
	}
}

func FuzzAssembler(f *testing.F) {
	f.Add([]byte{0, 3, 10, 1, 3, 10, 2, 3, 10})
	f.Add([]byte{0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		const limit = 500
		a := NewAssembler(limit)
		for ; len(script) >= 3; script = script[3:] {
			p := &vigiav1.Part{Id: []byte{'a' + script[0]>>7}, Index: uint32(script[0] & 0x7f), Total: uint32(script[1]), Data: make([]byte, script[2])}
			body, done, err := a.Add(p)
			if len(body) > limit || a.Pending() > limit || (err != nil && (done || a.Pending() != 0)) {
				t.Fatalf("body %d, pending %d, %v", len(body), a.Pending(), err)
			}
		}
	})
}
