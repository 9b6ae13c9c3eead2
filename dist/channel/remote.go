package channel

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"x.go/manifests"
)

// remote is another server as the files of a distribution server. Its files cannot
// seek.
type remote struct {
	ctx      context.Context
	manifest string // its place
}

// Open implements [fs.FS].
func (r remote) Open(name string) (fs.File, error) {
	place := rewrite(r.manifest, manifests.OfficialServer+"/"+name)
	if base := path.Base(name); path.Dir(name) == "dist" && strings.HasPrefix(base, "channel-rust-") {
		place = r.manifest[:strings.LastIndex(r.manifest, "/")+1] + base
	}
	resp, err := standard.get(r.ctx, place)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	return remoteFile{resp.Body, path.Base(name)}, nil
}

// remoteFile is what a server sends. The size is not asked for.
type remoteFile struct {
	io.ReadCloser
	name string
}

// Stat implements [fs.File].
func (f remoteFile) Stat() (fs.FileInfo, error) { return remoteInfo{f.name}, nil }

type remoteInfo struct{ name string }

func (i remoteInfo) Name() string     { return i.name }
func (remoteInfo) Size() int64        { return -1 }
func (remoteInfo) Mode() fs.FileMode  { return 0o444 }
func (remoteInfo) ModTime() time.Time { return time.Time{} }
func (remoteInfo) IsDir() bool        { return false }
func (remoteInfo) Sys() any           { return nil }
