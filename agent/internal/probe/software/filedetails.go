package software

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"vigia/agent/internal/rootfs"
	"vigia/internal/fsatomic"
)

const (
	fileDetailsFile = "file-details"
	detailsHead     = "vigia file details 1\n"
	maxHashed       = 512 << 20 // bytes of a file that is hashed; a larger one has no hash
)

// fileDetail is what costs reading a file to know.
type fileDetail struct{ version, sha256 string }

// fileDetails keeps details between runs by the identity of the content, so that each
// file is read once. It is safe for concurrent use.
type fileDetails struct {
	file string // "" keeps nothing
	hash bool

	mu    sync.Mutex
	known map[fileID]fileDetail
	used  map[fileID]fileDetail
	dirty bool
}

// openDetails reads the cache; one that cannot be used is as good as none.
func openDetails(file string, hash bool) *fileDetails {
	d := &fileDetails{file: file, hash: hash, known: map[fileID]fileDetail{}, used: map[fileID]fileDetail{}}
	if file == "" {
		return d
	}
	info, err := os.Stat(file)
	if err != nil || info.Size() > maxOriginCache {
		return d
	}
	b, err := os.ReadFile(file)
	text, ok := strings.CutPrefix(string(b), detailsHead)
	if err != nil || !ok {
		return d
	}
	for line := range strings.Lines(text) {
		var id fileID
		var v fileDetail
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 3 {
			continue
		}
		if n, _ := fmt.Sscanf(f[0], "%d %d %d %d %d", &id.dev, &id.ino, &id.size, &id.mtime, &id.ctime); n == 5 {
			v.version, v.sha256 = f[1], f[2]
			d.known[id] = v
		}
	}
	return d
}

// of returns the details of f, reading it where they are not known.
func (d *fileDetails) of(ctx context.Context, root *rootfs.FS, f foundExec) fileDetail {
	d.mu.Lock()
	v, ok := d.known[f.id]
	d.mu.Unlock()
	if !ok || (d.hash && v.sha256 == "" && f.id.size <= maxHashed) {
		v = readDetail(ctx, root, f, d.hash)
		d.mu.Lock()
		d.dirty = true
		d.mu.Unlock()
	}
	d.mu.Lock()
	d.used[f.id] = v
	d.mu.Unlock()
	if !d.hash {
		v.sha256 = ""
	}
	return v
}

func readDetail(ctx context.Context, root *rootfs.FS, f foundExec, hash bool) fileDetail {
	var v fileDetail
	file, err := root.Open(f.path)
	if err != nil {
		return v
	}
	defer file.Close()
	if now, err := file.Stat(); err != nil || idOf(now) != f.id { // swapped for another file meanwhile
		return v
	}
	if f.kind == execELF {
		if info, err := buildinfo.Read(file); err == nil && info.Main.Version != "(devel)" {
			v.version = strings.TrimPrefix(info.Main.Version, "v")
		}
	}
	if hash && f.id.size <= maxHashed {
		h := sha256.New()
		section := io.NewSectionReader(file, 0, maxHashed)
		if _, err := io.Copy(h, &ctxReader{ctx, section}); err == nil {
			v.sha256 = hex.EncodeToString(h.Sum(nil))
		}
	}
	v.version = strings.Map(func(r rune) rune {
		if r < ' ' {
			return -1
		}
		return r
	}, v.version)
	return v
}

// save keeps what this run used, and no more.
func (d *fileDetails) save() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == "" || (!d.dirty && len(d.used) == len(d.known)) {
		return nil
	}
	b := bytes.NewBufferString(detailsHead)
	for id, v := range d.used {
		fmt.Fprintf(b, "%d %d %d %d %d\t%s\t%s\n", id.dev, id.ino, id.size, id.mtime, id.ctime, v.version, v.sha256)
	}
	if err := fsatomic.WriteFile(d.file, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("keeping details of files: %w", err)
	}
	return nil
}

// ctxReader ends with the context.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
