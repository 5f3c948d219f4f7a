// Package msi owns reading packages of Windows Installer: their properties and who
// signed them, through an io.ReaderAt with bounds on everything. It refuses to install,
// and reads no table but Property.
//
// A package is a compound file ([MS-CFB]) whose streams are tables; their names are
// packed two characters to one (as in Wine's dlls/msi and msitools' libmsi).
package msi

import (
	"context"
	"crypto"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"

	"vigia/agent/internal/pe"
)

// ErrFormat says that a file is no package, or a damaged one.
var ErrFormat = errors.New("damaged or no package of Windows Installer")

var le = binary.LittleEndian

// Names of streams that belong to the signature.
const (
	signature   = "\x05DigitalSignature"
	signatureEx = "\x05MsiDigitalSignatureEx"
)

// Package is one package.
type Package struct{ *compound }

// Open reads the directory of a package of size bytes.
func Open(r io.ReaderAt, size int64) (*Package, error) {
	c, err := openCompound(r, size)
	if err != nil {
		return nil, err
	}
	return &Package{c}, nil
}

// Properties returns the table Property: ProductName, ProductVersion, Manufacturer,
// ProductCode and what else the package says of itself.
func (p *Package) Properties() (map[string]string, error) {
	pool, err := p.table("_StringPool")
	if err != nil {
		return nil, err
	}
	data, err := p.table("_StringData")
	if err != nil {
		return nil, err
	}
	rows, err := p.table("Property")
	if err != nil {
		return nil, err
	}
	texts, width, err := parseStrings(pool, data)
	if err != nil {
		return nil, err
	}
	count := len(rows) / (2 * width)
	at := func(i int) string {
		ref := int(le.Uint16(rows[i*width:]))
		if width == 3 {
			ref |= int(rows[i*width+2]) << 16
		}
		if ref < len(texts) {
			return texts[ref]
		}
		return ""
	}
	props := make(map[string]string, count)
	for i := range count { // one column after the other
		props[at(i)] = at(count + i)
	}
	return props, nil
}

// parseStrings reads the pool of texts, and how many bytes refer to one.
func parseStrings(pool, data []byte) (texts []string, width int, err error) {
	if len(pool) < 4 {
		return nil, 0, fmt.Errorf("%w: pool of texts", ErrFormat)
	}
	width = 2
	if le.Uint32(pool)&0x80000000 != 0 {
		width = 3
	}
	texts = []string{""}
	for pool = pool[4:]; len(pool) >= 4; pool = pool[4:] {
		size, refs := int(le.Uint16(pool)), le.Uint16(pool[2:])
		if size == 0 && refs != 0 { // a long one: its size follows
			if len(pool) < 8 {
				break
			}
			pool = pool[4:]
			size = int(le.Uint32(pool))
		}
		if size > len(data) {
			return nil, 0, fmt.Errorf("%w: texts are cut short", ErrFormat)
		}
		texts = append(texts, string(data[:size]))
		data = data[size:]
	}
	return texts, width, nil
}

// table reads a stream by the name of its table.
func (p *Package) table(name string) ([]byte, error) {
	for _, e := range p.entries[1:] {
		if e.kind == kindStream && tableName(e.name) == "!"+name {
			return p.read(e, maxTable)
		}
	}
	return nil, fmt.Errorf("%w: no table %s", ErrFormat, name)
}

// tableName unpacks the name of a stream; "!" before it marks a table.
func tableName(units []uint16) string {
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
	var b strings.Builder
	for _, u := range units {
		switch {
		case u == 0x4840:
			b.WriteByte('!')
		case u >= 0x3800 && u < 0x4800:
			b.WriteByte(alphabet[(u-0x3800)&0x3f])
			b.WriteByte(alphabet[(u-0x3800)>>6&0x3f])
		case u >= 0x4800 && u < 0x4840:
			b.WriteByte(alphabet[u-0x4800])
		default:
			b.WriteString(string(utf16.Decode([]uint16{u})))
		}
	}
	return b.String()
}

// Signer verifies the package's signature and returns whose it is, under the rules of
// pe.File.Signer.
func (p *Package) Signer(ctx context.Context, trust pe.Trust, now time.Time) (string, error) {
	var sig, ex *entry
	for i := range p.entries {
		switch e := &p.entries[i]; string(utf16.Decode(e.name)) {
		case signature:
			sig = e
		case signatureEx:
			ex = e
		}
	}
	if sig == nil {
		return "", pe.ErrNotSigned
	}
	der, err := p.read(*sig, maxTable)
	if err != nil {
		return "", err
	}
	return pe.VerifySigned(der, func(hash crypto.Hash) ([]byte, error) {
		h := hash.New()
		if ex != nil { // the hash of the directory, where it was signed too
			b, err := p.read(*ex, maxTable)
			if err != nil {
				return nil, err
			}
			h.Write(b)
		}
		left := len(p.entries)
		if err := p.hash(ctx, h, 0, &left); err != nil {
			return nil, err
		}
		return h.Sum(nil), nil
	}, trust, now)
}

// hash feeds the streams below a storage in the order of their names, then its class.
func (p *Package) hash(ctx context.Context, h io.Writer, storage uint32, left *int) error {
	children, err := p.children(storage)
	if err != nil {
		return err
	}
	for _, at := range children {
		if *left--; *left < 0 {
			return fmt.Errorf("%w: a directory in circles", ErrFormat)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		e := p.entries[at]
		switch name := string(utf16.Decode(e.name)); {
		case name == signature || name == signatureEx:
		case e.kind == kindStorage:
			if err := p.hash(ctx, h, at, left); err != nil {
				return err
			}
		case e.kind == kindStream:
			if err := p.copy(h, e); err != nil {
				return err
			}
		}
	}
	_, err = h.Write(p.entries[storage].class[:])
	return err
}
