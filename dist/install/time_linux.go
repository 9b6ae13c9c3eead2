package install

import (
	"io/fs"
	"syscall"
	"time"
)

// changeTime returns when a file was changed last or got its name. No program can give
// it another time.
func changeTime(info fs.FileInfo) time.Time {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return info.ModTime()
	}
	return time.Unix(s.Ctim.Unix())
}
