package pack

import (
	"fmt"
	"math/bits"
)

// ChunkSize is how many machines one bitmap covers.
const ChunkSize = 2048

// Chunk tells in which bitmap a machine's row stands, and at which bit.
func Chunk(machine int64) (chunk int64, bit int) {
	return machine / ChunkSize, int(machine % ChunkSize)
}

// Bitmap says which machines of one chunk have an item.
type Bitmap [ChunkSize / 8]byte

// Set adds bit i; it reports whether it was not there before.
func (b *Bitmap) Set(i int) bool {
	was := b[i/8]
	b[i/8] |= 1 << (i % 8)
	return b[i/8] != was
}

// Clear removes bit i; it reports whether it was there before.
func (b *Bitmap) Clear(i int) bool {
	was := b[i/8]
	b[i/8] &^= 1 << (i % 8)
	return b[i/8] != was
}

// Add adds every bit of other.
func (b *Bitmap) Add(other *Bitmap) {
	for i, v := range other {
		b[i] |= v
	}
}

// Has reports whether bit i is there.
func (b *Bitmap) Has(i int) bool { return b[i/8]&(1<<(i%8)) != 0 }

// Count returns how many bits are there.
func (b *Bitmap) Count() int {
	n := 0
	for _, v := range b {
		n += bits.OnesCount8(v)
	}
	return n
}

// Machines appends the rows of the machines in b, which is the given chunk's, ascending.
func (b *Bitmap) Machines(dst []int64, chunk int64) []int64 {
	for i, v := range b {
		for ; v != 0; v &= v - 1 {
			dst = append(dst, chunk*ChunkSize+int64(i*8+bits.TrailingZeros8(v)))
		}
	}
	return dst
}

// AppendBitmap appends the form of b to dst: the number of the first byte that is not
// zero, then all bytes up to the last that is not. Nothing is appended for an empty one.
func AppendBitmap(dst []byte, b *Bitmap) []byte {
	first, last := 0, len(b)-1
	for first <= last && b[first] == 0 {
		first++
	}
	if first > last {
		return dst
	}
	for b[last] == 0 {
		last--
	}
	return append(append(dst, byte(first)), b[first:last+1]...)
}

// ReadBitmap decodes what AppendBitmap wrote. Errors: ErrDamaged.
func ReadBitmap(b []byte) (Bitmap, error) {
	var m Bitmap
	if len(b) == 0 {
		return m, nil
	}
	if len(b) < 2 || int(b[0])+len(b)-1 > len(m) || b[1] == 0 || b[len(b)-1] == 0 {
		return m, fmt.Errorf("bitmap: %w", ErrDamaged)
	}
	copy(m[b[0]:], b[1:])
	return m, nil
}
