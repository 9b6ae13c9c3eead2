//go:build !linux

package install

import (
	"io/fs"
	"time"
)

// changeTime returns when a file was changed last.
func changeTime(info fs.FileInfo) time.Time { return info.ModTime() }
