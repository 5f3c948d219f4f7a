package software

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"vigia/agent/internal/rootfs"
)

const aptListDir = "/var/lib/apt/lists"

// aptList is one index of packages that apt fetched.
type aptList struct {
	file   string // name below aptListDir
	size   int64
	mtime  time.Time
	origin string // Origin of its Release file, else its Label, else the host it came from
}

// listEndings are the forms of an index this program can read. Lists kept as .xz
// (never apt's own choice) are passed over.
var listEndings = [...]string{"_Packages", "_Packages.lz4", "_Packages.gz", "_Packages.zst"}

// aptLists returns the indexes that are there, sorted by name; none where apt has
// fetched nothing, as in slim images.
func aptLists(root *rootfs.FS) ([]aptList, error) {
	entries, err := root.ReadDir(aptListDir)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	releases := make(map[string]string)
	for _, e := range entries {
		for _, ending := range [...]string{"Release", "InRelease"} { // InRelease wins: it is the later one
			if prefix, ok := strings.CutSuffix(e.Name(), "_"+ending); ok {
				releases[prefix] = e.Name()
			}
		}
	}
	var lists []aptList
	for _, e := range entries {
		if !e.Type().IsRegular() || !isList(e.Name()) {
			continue
		}
		info, err := root.Lstat(path.Join(aptListDir, e.Name()))
		if err != nil {
			return nil, err
		}
		lists = append(lists, aptList{
			file: e.Name(), size: info.Size(), mtime: info.ModTime(),
			origin: listOrigin(root, releases, e.Name()),
		})
	}
	return lists, nil
}

func isList(name string) bool {
	for _, ending := range listEndings {
		if strings.HasSuffix(name, ending) {
			return true
		}
	}
	return false
}

// listOrigin reads the Release file with the longest name that the list's name
// starts with: "HOST_PATH_dists_SUITE" belongs to "HOST_PATH_dists_SUITE_main_…".
func listOrigin(root *rootfs.FS, releases map[string]string, list string) string {
	for prefix := list; ; {
		i := strings.LastIndexByte(prefix, '_')
		if i < 0 {
			break
		}
		prefix = prefix[:i]
		if file, ok := releases[prefix]; ok {
			f, err := root.Open(path.Join(aptListDir, file))
			if err != nil {
				break
			}
			defer f.Close()
			if origin := ParseReleaseOrigin(f); origin != "" {
				return origin
			}
			break
		}
	}
	host, _, _ := strings.Cut(list, "_")
	return host
}

// ParseReleaseOrigin returns the Origin field of a Release or InRelease file, or its
// Label, or "". It reads the head only: 64 KiB at most, up to the first list of hashes.
func ParseReleaseOrigin(r io.Reader) string {
	sc := bufio.NewScanner(io.LimitReader(r, 64<<10))
	label := ""
	for sc.Scan() {
		field, value, _ := strings.Cut(sc.Text(), ":")
		value = strings.TrimSpace(value)
		switch field {
		case "Origin":
			if value != "" {
				return value[:min(len(value), maxStringLen)]
			}
		case "Label":
			label = value[:min(len(value), maxStringLen)]
		case "MD5Sum", "SHA1", "SHA256", "SHA512":
			return label
		}
	}
	return label
}

// fingerprint changes whenever a list does.
func fingerprint(lists []aptList, vendor string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", vendor)
	for _, l := range lists {
		fmt.Fprintf(h, "%s %d %d %s\n", l.file, l.size, l.mtime.UnixNano(), l.origin)
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}

// scanList calls stanza with the text of each entry of a list, without its last line
// feed; the text is valid during the call only.
func scanList(ctx context.Context, root *rootfs.FS, l aptList, stanza func([]byte)) error {
	f, err := root.Open(path.Join(aptListDir, l.file))
	if err != nil {
		return err
	}
	defer f.Close()
	next, stop, err := blocksOf(l.file, f)
	if err == nil {
		defer stop()
		err = splitStanzas(ctx, next, stanza)
	}
	if err != nil {
		return fmt.Errorf("apt list %s: %w", l.file, err)
	}
	return nil
}

// blocksOf returns a function that gives the content block by block, until io.EOF,
// and one that frees what it holds.
func blocksOf(name string, r io.Reader) (next func() ([]byte, error), stop func(), err error) {
	stop = func() {}
	switch path.Ext(name) {
	case ".lz4":
		frame, err := newLZ4Frame(r)
		if err != nil {
			return nil, stop, err
		}
		return frame.next, stop, nil
	case ".gz":
		if r, err = gzip.NewReader(r); err != nil {
			return nil, stop, err
		}
	case ".zst":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(8<<20))
		if err != nil {
			return nil, stop, err
		}
		r, stop = d, d.Close
	}
	buf := make([]byte, 64<<10)
	return func() ([]byte, error) {
		n, err := io.ReadFull(r, buf)
		if n > 0 && (err == nil || errors.Is(err, io.ErrUnexpectedEOF)) {
			return buf[:n], nil
		}
		return nil, err
	}, stop, nil
}

// maxStanza bounds one entry of a list; a longer one is passed over.
const maxStanza = 1 << 20

// splitStanzas cuts blocks into entries at empty lines.
func splitStanzas(ctx context.Context, next func() ([]byte, error), stanza func([]byte)) error {
	gap := []byte("\n\n")
	var rest []byte  // the beginning of an entry whose end is in a later block
	tooLong := false // what rest began is longer than maxStanza: skip to its end
	for {
		block, err := next()
		if errors.Is(err, io.EOF) {
			if len(rest) > 0 && !tooLong {
				stanza(bytes.TrimSuffix(rest, gap[:1]))
			}
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		for {
			i := bytes.Index(block, gap)
			skip := 2
			if n := len(rest); n > 0 && rest[n-1] == '\n' && block[0] == '\n' { // the gap lies across two blocks
				i, skip, rest = 0, 1, rest[:n-1]
			}
			if i < 0 {
				break
			}
			switch {
			case tooLong:
			case len(rest) > 0:
				stanza(append(rest, block[:i]...))
			default:
				stanza(block[:i])
			}
			if block, rest, tooLong = block[i+skip:], rest[:0], false; len(block) == 0 {
				break
			}
		}
		if len(rest)+len(block) > maxStanza {
			rest, tooLong = rest[:0], true
		}
		rest = append(rest, block...)
	}
}
