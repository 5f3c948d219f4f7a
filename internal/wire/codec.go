package wire

import (
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

const (
	window     = 1 << 20 // bytes of history a compressor keeps
	keepBuffer = 2 << 20 // larger scratch buffers are not kept for the next report

	// A frame that announces more than bombFloor and more than bombRatio times its own
	// size is refused before memory is set aside for it.
	bombFloor = 4 << 20
	bombRatio = 1000
)

// Codec compresses, decompresses and translates bodies. It keeps encoders, decoders
// and buffers in pools that the garbage collector may empty, so that an idle program
// holds none. It is safe for concurrent use.
type Codec struct {
	limits   Limits
	encoders sync.Pool
	decoders sync.Pool
	buffers  sync.Pool
}

// NewCodec returns a codec with limits; Limits{} means the defaults.
func NewCodec(limits Limits) *Codec { return &Codec{limits: limits.orDefault()} }

// Limits returns the limits in force.
func (c *Codec) Limits() Limits { return c.limits }

// Pack compresses data with zstd.
func (c *Codec) Pack(data []byte) ([]byte, error) {
	e, ok := c.encoders.Get().(*zstd.Encoder)
	if !ok {
		var err error
		e, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true),
			zstd.WithWindowSize(window), zstd.WithEncoderLevel(zstd.SpeedDefault))
		if err != nil {
			return nil, fmt.Errorf("starting compression: %w", err)
		}
	}
	defer c.encoders.Put(e)
	return e.EncodeAll(data, make([]byte, 0, len(data)/8+64)), nil
}

// Unpack undoes Pack within the limits. The error wraps ErrBadMessage, or ErrTooLarge.
func (c *Codec) Unpack(data []byte) ([]byte, error) { return c.unpack(data, nil) }

// unpack appends to dst, which must be empty.
func (c *Codec) unpack(data, dst []byte) ([]byte, error) {
	if err := c.checkSize(data); err != nil {
		return nil, err
	}
	d, ok := c.decoders.Get().(*zstd.Decoder)
	if !ok {
		var err error
		d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(uint64(c.limits.Decoded)), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, fmt.Errorf("starting decompression: %w", err)
		}
	}
	defer c.decoders.Put(d)
	out, err := d.DecodeAll(data, dst)
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return nil, fmt.Errorf("%w: more than %d bytes decompressed", ErrTooLarge, c.limits.Decoded)
	case err != nil:
		return nil, fmt.Errorf("%w: decompressing: %v", ErrBadMessage, err)
	case len(out) > c.limits.Decoded:
		return nil, fmt.Errorf("%w: %d bytes decompressed, at most %d", ErrTooLarge, len(out), c.limits.Decoded)
	}
	return out, nil
}

// checkSize judges a body before memory is set aside for its content.
func (c *Codec) checkSize(data []byte) error {
	if len(data) > c.limits.Compressed {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), c.limits.Compressed)
	}
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return fmt.Errorf("%w: no zstd frame: %v", ErrBadMessage, err)
	}
	if h.HasFCS && h.FrameContentSize > bombFloor && h.FrameContentSize/bombRatio > uint64(len(data)) {
		return fmt.Errorf("%w: %d bytes that announce %d", ErrTooLarge, len(data), h.FrameContentSize)
	}
	return nil
}

func (c *Codec) buffer() []byte {
	if b, ok := c.buffers.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

func (c *Codec) release(b []byte) {
	if cap(b) <= keepBuffer {
		b = b[:0]
		c.buffers.Put(&b)
	}
}
