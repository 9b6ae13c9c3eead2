package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"path"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

const (
	maxText     = 4 << 20 // bytes of a file whose text is kept
	maxAllTexts = 256 << 20
	headSize    = 64
)

// Listing is what a source archive holds, below its top directory.
type Listing struct {
	// Version is the version in the archive's name; "" if that tells none.
	Version string
	// GPL says that it is the archive that may have GCC's source.
	GPL   bool
	Files map[string]File
	Links map[string]string // the targets of symbolic links
	// Dirs are the directories, also those that only what they hold tells of.
	Dirs map[string]bool
	// Texts are the contents of the files that describe the tree: see [Listing.Take].
	Texts map[string][]byte
	// Made are files that a compiler or a linker has made, each with its format.
	Made map[string]string

	kept int // bytes of Texts
}

// File is a file of a [Listing].
type File struct {
	Size   int64 // bytes
	Digest manifests.Hash
}

// NewListing returns an empty listing.
func NewListing() *Listing {
	return &Listing{Files: map[string]File{}, Links: map[string]string{}, Dirs: map[string]bool{}, Texts: map[string][]byte{}, Made: map[string]string{}}
}

// List reads an image: that of [Tree.Plain].
func List(ctx context.Context, img dist.Image) (*Listing, error) {
	l := NewListing()
	buf := make([]byte, 128<<10)
	for _, dir := range img.Dirs() {
		l.Dirs[dir] = true
	}
	for e := range img.Entries() {
		switch {
		case e.Mode == dist.ModeSymlink:
			l.Links[e.Name] = e.Link
		case e.IsRegular():
			if err := l.add(ctx, e, buf); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

func (l *Listing) add(ctx context.Context, e dist.Entry, buf []byte) error {
	r, err := e.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	sum := sha256.New()
	take := l.Take(e.Name, e.Size)
	if err := dist.CopyExactly(ctx, io.MultiWriter(sum, take), r, e.Size, buf); err != nil {
		return err
	}
	l.Files[e.Name] = File{e.Size, manifests.Hash(sum.Sum(nil))}
	return take.Close()
}

// Take returns the writer for the content of a file of size bytes. It keeps the text of
// those that describe the tree, as far as it is no more than is sane, and the beginning
// of the others.
func (l *Listing) Take(name string, size int64) io.WriteCloser {
	w := &taker{l: l, name: name, max: headSize}
	if describes(name) && size <= maxText && l.kept+int(size) <= maxAllTexts {
		w.max, w.text = int(size), true
		l.kept += int(size)
	}
	return w
}

// describes reports whether the text of a file is needed to judge the tree.
func describes(name string) bool {
	dir, base := path.Split(name)
	switch {
	case inVendor(name):
		return (base == "Cargo.toml" || base == checksumFile) && vendorCrate(name)+"/" == dir
	case isLock(name), base == "Cargo.toml" && !isTest(name):
		return true
	}
	return slices.Contains([]string{versionFile, channelFile, recordFile, LacksFile, hashFile, infoFile, cargoDir + "/" + hashFile, cargoDir + "/" + infoFile}, name) ||
		path.Base(path.Clean(dir)) == ".cargo" && base == "config.toml" && !isTest(name) || base == cacheTag
}

// vendorCrate returns the directory of the crate that a name in one of the [vendorDirs]
// belongs to, or "".
func vendorCrate(name string) string {
	for _, dir := range vendorDirs {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			if crate, _, ok := strings.Cut(rest, "/"); ok {
				return dir + "/" + crate
			}
		}
	}
	return ""
}

// testWords are parts of paths below which lies what tests take in.
var testWords = []string{
	"test", "tests", "testsuite", "testdata", "test_data", "test-data", "test_files", "unittests", "fixtures", "Inputs", "ui", "benches", "examples", "compile-benchmarks",
	"runtime-benchmarks",
}

// isTest reports whether a name lies below a directory of tests.
func isTest(name string) bool {
	for part := range strings.SplitSeq(path.Dir(name), "/") {
		if slices.Contains(testWords, part) {
			return true
		}
	}
	return false
}

// taker keeps the beginning of a file.
type taker struct {
	l    *Listing
	name string
	max  int // bytes to keep
	text bool
	buf  []byte
}

// Write implements [io.Writer].
func (w *taker) Write(p []byte) (int, error) {
	if room := w.max - len(w.buf); room > 0 {
		w.buf = append(w.buf, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// Close implements [io.Closer].
func (w *taker) Close() error {
	if w.text {
		w.l.Texts[w.name] = w.buf
	} else if format := madeFormat(w.buf); format != "" {
		w.l.Made[w.name] = format
	}
	return nil
}

// madeFormats are the beginnings of files that nobody writes by hand.
var madeFormats = []struct{ magic, format string }{
	{"\x7fELF", "an ELF file"},
	{"\xfe\xed\xfa\xce", "a Mach-O file"},
	{"\xfe\xed\xfa\xcf", "a Mach-O file"},
	{"\xce\xfa\xed\xfe", "a Mach-O file"},
	{"\xcf\xfa\xed\xfe", "a Mach-O file"},
	{"!<arch>\n", "a static library"},
	{"!<thin>\n", "a static library"},
	{"BC\xc0\xde", "LLVM bitcode"},
	{"rust\x00\x00\x00", "metadata of rustc"},
}

func madeFormat(head []byte) string {
	for _, f := range madeFormats {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.format
		}
	}
	// "MZ" alone also begins texts.
	if bytes.HasPrefix(head, []byte("MZ")) && len(head) == headSize && bytes.IndexByte(head, 0) >= 0 {
		return "a Windows program"
	}
	return ""
}

func readEntry(e dist.Entry, limit int64) ([]byte, error) {
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return dist.ReadAll(r, e.Name, limit)
}
