package antivirus

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// cvdHeaderSize is the length of the text in front of a ClamAV database, in bytes.
const cvdHeaderSize = 512

// ErrCVD says that a file does not begin with the header of a ClamAV database.
var ErrCVD = errors.New("not a ClamAV database")

// CVDHeader is what a ClamAV database (.cvd as delivered, .cld as updated) says of itself.
type CVDHeader struct {
	BuiltAt    time.Time // UTC, to the second where the builder told it, else to the minute
	Version    int       // serial number of the database
	Signatures int64
	Level      int // functionality level an engine needs to use all of it
}

// ParseCVDHeader reads "ClamAV-VDB:time:version:signatures:level:md5:dsig:builder:stime",
// padded with spaces to 512 bytes (ClamAV, libclamav/cvd.c). It fails with ErrCVD, or
// with the error of r.
func ParseCVDHeader(r io.Reader) (CVDHeader, error) {
	buf := make([]byte, cvdHeaderSize)
	if _, err := io.ReadFull(r, buf); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return CVDHeader{}, fmt.Errorf("%w: shorter than its header of %d bytes", ErrCVD, cvdHeaderSize)
		}
		return CVDHeader{}, err
	}
	if bytes.IndexByte(buf, 0) >= 0 {
		return CVDHeader{}, fmt.Errorf("%w: a NUL in its header", ErrCVD)
	}
	f := strings.Split(strings.TrimRight(string(buf), " "), ":")
	if f[0] != "ClamAV-VDB" || len(f) < 8 {
		return CVDHeader{}, fmt.Errorf("%w: begins with %.20q", ErrCVD, buf)
	}
	var h CVDHeader
	var err error
	if h.Version, err = strconv.Atoi(f[2]); err != nil || h.Version < 0 {
		return CVDHeader{}, fmt.Errorf("%w: version %.20q", ErrCVD, f[2])
	}
	if h.Signatures, err = strconv.ParseInt(f[3], 10, 64); err != nil || h.Signatures < 0 {
		return CVDHeader{}, fmt.Errorf("%w: number of signatures %.20q", ErrCVD, f[3])
	}
	if h.Level, err = strconv.Atoi(f[4]); err != nil || h.Level < 0 {
		return CVDHeader{}, fmt.Errorf("%w: functionality level %.20q", ErrCVD, f[4])
	}
	if h.BuiltAt, err = cvdTime(f); err != nil {
		return CVDHeader{}, err
	}
	return h, nil
}

// cvdTime takes the seconds since 1970 where they are there, else the text
// ("16 Sep 2021 08-32 -0400").
func cvdTime(f []string) (time.Time, error) {
	if len(f) > 8 {
		if s, err := strconv.ParseInt(f[8], 10, 64); err == nil && s > 0 && s < 1<<36 {
			return time.Unix(s, 0).UTC(), nil
		}
	}
	at, err := time.Parse("02 Jan 2006 15-04 -0700", f[1])
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: built at %.40q", ErrCVD, f[1])
	}
	return at.UTC(), nil
}
