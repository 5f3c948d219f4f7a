package spool

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"path/filepath"

	"vigia/internal/fsatomic"
)

// A segment is a sequence of frames, all numbers little endian:
//
//	marker (4) · length of the body (4) · CRC-32C of length and body (4) · body
//
// The body of a record is kind 1, sequence (8), time taken in ms (8), id (16),
// payload; that of an acknowledgement kind 2, sequence (8). The marker lets a reader
// find the next frame after a damaged one.
const (
	segmentSuffix = ".seg"
	segmentSize   = 1 << 20 // bytes after which another segment is begun

	frameMarker = "\xf6vS1"
	frameHead   = 12
	kindRecord  = 1
	kindAck     = 2
	ackBody     = 1 + 8
	recordBody  = 1 + 8 + 8 + 16
	maxBody     = recordBody + MaxPayload
)

func segmentPath(dir string, num uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%010d%s", num, segmentSuffix))
}

// frame is one that was found whole. off and size locate it in its segment.
type frame struct {
	kind  byte
	seq   uint64
	taken int64
	id    ID
	off   int
	size  int
}

func castagnoli(length, body []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli) // the package keeps one
	return crc32.Update(crc32.Update(0, table, length), table, body)
}

// seal fills marker, length and checksum of a frame whose body starts at frameHead.
func seal(b []byte) []byte {
	copy(b, frameMarker)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-frameHead))
	binary.LittleEndian.PutUint32(b[8:], castagnoli(b[4:8], b[frameHead:]))
	return b
}

func recordFrame(seq uint64, id ID, taken int64, payload []byte) []byte {
	b := make([]byte, frameHead, frameHead+recordBody+len(payload))
	b = append(b, kindRecord)
	b = binary.LittleEndian.AppendUint64(b, seq)
	b = binary.LittleEndian.AppendUint64(b, uint64(taken))
	b = append(b, id[:]...)
	return seal(append(b, payload...))
}

func ackFrame(seq uint64) []byte {
	b := make([]byte, frameHead, frameHead+ackBody)
	return seal(binary.LittleEndian.AppendUint64(append(b, kindAck), seq))
}

// parseFrame reads the frame at the start of b. whole tells that marker and length
// were right and all bytes are there, so that a failure is damage, not a torn write.
func parseFrame(b []byte) (f frame, payload []byte, whole, ok bool) {
	if len(b) < frameHead || string(b[:4]) != frameMarker {
		return f, nil, false, false
	}
	n := int(binary.LittleEndian.Uint32(b[4:]))
	if n < ackBody || n > maxBody || frameHead+n > len(b) {
		return f, nil, false, false
	}
	body := b[frameHead : frameHead+n]
	if binary.LittleEndian.Uint32(b[8:]) != castagnoli(b[4:8], body) {
		return f, nil, true, false
	}
	f = frame{kind: body[0], seq: binary.LittleEndian.Uint64(body[1:]), size: frameHead + n}
	switch {
	case f.kind == kindAck && n == ackBody:
		return f, nil, true, true
	case f.kind == kindRecord && n >= recordBody:
		f.taken = int64(binary.LittleEndian.Uint64(body[9:]))
		copy(f.id[:], body[17:])
		return f, body[recordBody:], true, true
	}
	return f, nil, true, false
}

// found is what scan saw: whole frames, damaged stretches between or after them with
// their bytes, and where the last frame ends. What follows end is a torn write.
type found struct {
	frames  []frame
	damaged int
	lost    int
	end     int
}

// scan reads a segment and goes on behind damage.
func scan(data []byte) found {
	var r found
	for at := 0; at < len(data); {
		f, _, whole, ok := parseFrame(data[at:])
		if ok {
			f.off = at
			r.frames = append(r.frames, f)
			at += f.size
			r.end = at
			continue
		}
		next := nextFrame(data, at+1)
		if next < 0 {
			if whole { // the last frame, complete but wrong
				r.damaged++
				r.lost += len(data) - at
			}
			break
		}
		r.damaged++
		r.lost += next - at
		at = next
	}
	return r
}

// nextFrame returns where the next whole frame at or behind from begins, or -1.
func nextFrame(data []byte, from int) int {
	for from < len(data) {
		i := bytes.Index(data[from:], []byte(frameMarker))
		if i < 0 {
			return -1
		}
		from += i
		if _, _, _, ok := parseFrame(data[from:]); ok {
			return from
		}
		from++
	}
	return -1
}

// rewrite replaces a damaged segment by its whole frames and returns the new content.
func rewrite(path string, data []byte, frames []frame) ([]byte, error) {
	kept := make([]byte, 0, len(data))
	for _, f := range frames {
		kept = append(kept, data[f.off:f.off+f.size]...)
	}
	return kept, fsatomic.WriteFile(path, kept, 0o600)
}
