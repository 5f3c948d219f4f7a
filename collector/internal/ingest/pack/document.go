package pack

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// maxDocument bounds a section's JSON, in bytes.
const maxDocument = 32 << 20

// Documents compresses sections. It may be used by several goroutines. The zero value
// is ready.
type Documents struct {
	encoders sync.Pool
	decoders sync.Pool
}

// Pack returns the compressed form of JSON.
func (d *Documents) Pack(json []byte) ([]byte, error) {
	enc, _ := d.encoders.Get().(*zstd.Encoder)
	if enc == nil {
		var err error
		enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(128<<10), zstd.WithEncoderCRC(true))
		if err != nil {
			return nil, fmt.Errorf("making a compressor: %w", err)
		}
	}
	defer d.encoders.Put(enc)
	return enc.EncodeAll(json, make([]byte, 0, len(json)/3+64)), nil
}

// Unpack undoes Pack. Errors: ErrDamaged.
func (d *Documents) Unpack(b []byte) ([]byte, error) {
	dec, _ := d.decoders.Get().(*zstd.Decoder)
	if dec == nil {
		var err error
		dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDocument))
		if err != nil {
			return nil, fmt.Errorf("making a decompressor: %w", err)
		}
	}
	defer d.decoders.Put(dec)
	out, err := dec.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("document: %w: %w", ErrDamaged, err)
	}
	return out, nil
}
