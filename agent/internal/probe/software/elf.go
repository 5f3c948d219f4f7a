package software

import (
	"bytes"
	"encoding/binary"
	"io"
	"path"
	"strings"
)

// What an executable file is.
type execKind int

const (
	notExec execKind = iota
	execELF
	execAppImage
	execScript
)

const elfHead = 4096 // bytes read of a file to know it

// readKind tells what a file is by its first bytes, and for which architecture, as
// Debian names them; a file that is too short or damaged is nothing.
func readKind(name string, r io.ReaderAt) (execKind, string) {
	head := make([]byte, elfHead)
	n, err := r.ReadAt(head, 0)
	if err != nil && n == 0 {
		return notExec, ""
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return execScript, ""
	case !bytes.HasPrefix(head, []byte("\x7fELF")) || len(head) < 64:
		return notExec, ""
	case bytes.HasPrefix(head[8:], []byte("AI\x01")), bytes.HasPrefix(head[8:], []byte("AI\x02")):
		return execAppImage, elfArch(head)
	case strings.HasSuffix(name, ".so") || strings.Contains(path.Base(name), ".so.") || strings.HasSuffix(name, ".o"):
		return notExec, ""
	case !elfRuns(head, r):
		return notExec, ""
	case strings.EqualFold(path.Ext(name), ".appimage"):
		return execAppImage, elfArch(head)
	}
	return execELF, elfArch(head)
}

func elfOrder(head []byte) binary.ByteOrder {
	if head[5] == 2 {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func elfArch(head []byte) string {
	switch elfOrder(head).Uint16(head[18:]) {
	case 3:
		return "i386"
	case 40:
		return "armhf"
	case 62:
		return "amd64"
	case 183:
		return "arm64"
	case 243:
		return "riscv64"
	case 21:
		return "ppc64el"
	case 22:
		return "s390x"
	}
	return ""
}

// elfRuns reports whether an ELF file is a program: of type EXEC, or of type DYN with
// an interpreter, or marked position-independent executable (static-pie).
func elfRuns(head []byte, r io.ReaderAt) bool {
	order := elfOrder(head)
	switch order.Uint16(head[16:]) {
	case 2:
		return true
	case 3:
	default:
		return false
	}
	var off uint64
	var size, count int
	wide := head[4] == 2
	if wide {
		off, size, count = order.Uint64(head[32:]), int(order.Uint16(head[54:])), int(order.Uint16(head[56:]))
	} else {
		off, size, count = uint64(order.Uint32(head[28:])), int(order.Uint16(head[42:])), int(order.Uint16(head[44:]))
	}
	if size < 32 || (wide && size < 56) || size > len(head) {
		return false
	}
	for i := range min(count, 64) {
		at := off + uint64(i*size)
		if at > uint64(len(head)-size) { // also where off is absurd
			return false
		}
		switch ph := head[at:]; order.Uint32(ph) {
		case 3: // PT_INTERP
			return true
		case 2: // PT_DYNAMIC
			if wide && elfPIE(order, int64(order.Uint64(ph[8:])), order.Uint64(ph[32:]), r) {
				return true
			}
		}
	}
	return false
}

// elfPIE looks for DF_1_PIE in DT_FLAGS_1 of the dynamic section.
func elfPIE(order binary.ByteOrder, off int64, size uint64, r io.ReaderAt) bool {
	if off <= 0 {
		return false
	}
	b := make([]byte, min(size, 4096))
	n, _ := r.ReadAt(b, off)
	for b = b[:n]; len(b) >= 16; b = b[16:] {
		if order.Uint64(b) == 0x6ffffffb {
			return order.Uint64(b[8:])&0x08000000 != 0
		}
	}
	return false
}
