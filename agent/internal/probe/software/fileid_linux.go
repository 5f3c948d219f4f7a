package software

import (
	"io/fs"
	"syscall"
	"time"
)

// idOf returns what tells one content of one file from every other.
func idOf(info fs.FileInfo) fileID {
	id := fileID{size: info.Size(), mtime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		id.dev, id.ino = uint64(st.Dev), st.Ino
		id.ctime = time.Unix(st.Ctim.Unix()).UnixNano()
	}
	return id
}
