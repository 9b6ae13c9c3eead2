package verify_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// maxSmall bounds the files of the small dist, in bytes: it holds wrappers,
// scripts, documents and small libraries, but no compiler that runs.
const maxSmall = 64 << 10

// smallDist is a directory with the components of the toolchain without their
// large files, each as gz, xz and zst, and the combined archive, made once.
var smallDist = sync.OnceValues(func() (string, error) {
	c, err := thisCompiler()
	if err != nil {
		return "", err
	}
	dir, err := scratch()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(dir, "small")
	whole := dist.Package{Name: "rust-" + c.version.PackageVersion() + "-" + c.host.String(), Product: "Rust"}
	var packs []dist.Package
	for _, name := range []string{"rustc", "rust-std", "cargo", "rustfmt", "clippy"} {
		p, err := c.pack(name)
		if err != nil {
			return "", err
		}
		image := &p.Components[0].Image
		*image = image.Filter(func(e dist.Entry) bool { return e.Size < maxSmall || e.Name == "bin/cargo-fmt" })
		packs = append(packs, p)
		whole.Components = append(whole.Components, p.Components...)
		whole.Overlay = p.Overlay
	}
	packs = append(packs, whole)
	_, err = archive.Writer{Formats: manifests.Formats()}.Write(context.Background(), dir, packs...)
	return dir, err
})

// rawMember is a member of a tar as it is stored.
type rawMember struct {
	tar.Header
	data []byte
}

// mutant is an archive to be broken: its members, then its tar, then its file.
type mutant struct {
	stem    string // of the file name and of the top directory
	file    string // name to write it under
	members []rawMember
	tar     func([]byte) []byte
	packed  func([]byte) []byte
	// codec compresses in place of the one that the name tells.
	codec string
	// checksum writes the .sha256; the default writes a right one.
	checksum func(path string, sum string) error
	// extra changes the directory at the end.
	extra func(dir string) error
}

// readTar reads the members of a gz archive.
func readTar(path string) ([]rawMember, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	tr := tar.NewReader(z)
	var out []rawMember
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return nil, err
		}
		out = append(out, rawMember{*h, data})
	}
}

// encode writes the members, whatever they are.
func encode(members []rawMember) ([]byte, error) {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	for _, m := range members {
		h := m.Header
		h.Size = int64(len(m.data))
		if h.Typeflag != tar.TypeReg {
			h.Size = 0
		}
		h.Format = tar.FormatGNU
		if err := tw.WriteHeader(&h); err != nil {
			return nil, err
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := tw.Write(m.data); err != nil {
				return nil, err
			}
		}
	}
	err := tw.Close()
	return buf.Bytes(), err
}

func compress(codec string, b []byte) ([]byte, error) {
	var buf bytes.Buffer
	var w io.WriteCloser
	var err error
	switch codec {
	case "gz":
		w, err = gzip.NewWriterLevel(&buf, 1)
	case "xz":
		w, err = xz.WriterConfig{DictCap: 1 << 20, NoCheckSum: true}.NewWriter(&buf)
	case "zst":
		w, err = zstd.NewWriter(&buf, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	case "zst-wide":
		w, err = zstd.NewWriter(&buf, zstd.WithWindowSize(256<<20), zstd.WithLowerEncoderMem(true), zstd.WithEncoderConcurrency(1))
	default:
		return b, nil
	}
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return buf.Bytes(), err
}

// write makes the directory that is verified.
func (m *mutant) write(dir string) error {
	b, err := encode(m.members)
	if err != nil {
		return err
	}
	if m.tar != nil {
		b = m.tar(b)
	}
	codec := m.codec
	if codec == "" {
		codec = strings.TrimPrefix(filepath.Ext(m.file), ".")
	}
	if b, err = compress(codec, b); err != nil {
		return err
	}
	if m.packed != nil {
		b = m.packed(b)
	}
	path := filepath.Join(dir, m.file)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		return err
	}
	checksum := m.checksum
	if checksum == nil {
		checksum = func(path, sum string) error {
			return os.WriteFile(path, fmt.Appendf(nil, "%s  %s\n", sum, m.file), 0o644)
		}
	}
	if err := checksum(path+".sha256", fmt.Sprintf("%x", sha256.Sum256(b))); err != nil {
		return err
	}
	if m.extra != nil {
		return m.extra(dir)
	}
	return nil
}

// at returns the index of the member called name below the top directory.
func (m *mutant) at(name string) int {
	i := slices.IndexFunc(m.members, func(r rawMember) bool { return strings.TrimSuffix(r.Name, "/") == m.stem+"/"+name })
	if i < 0 {
		panic("the fixture has no member " + name)
	}
	return i
}

// edit changes one member; pass a name below the top directory.
func (m *mutant) edit(name string, f func(*rawMember)) { f(&m.members[m.at(name)]) }

func (m *mutant) drop(name string) {
	i := m.at(name)
	m.members = slices.Delete(m.members, i, i+1)
}

// text replaces the content of a member.
func (m *mutant) text(name, from, to string) {
	m.edit(name, func(r *rawMember) {
		if !bytes.Contains(r.data, []byte(from)) {
			panic(fmt.Sprintf("the fixture's %s has no %q", name, from))
		}
		r.data = bytes.Replace(r.data, []byte(from), []byte(to), 1)
	})
}

// add appends a file to the archive.
func (m *mutant) add(name string, mode int64, data string) {
	h := tar.Header{Name: m.stem + "/" + name, Typeflag: tar.TypeReg, Mode: mode, ModTime: m.members[m.at("install.sh")].ModTime}
	m.members = append(m.members, rawMember{h, []byte(data)})
}

// addDir puts a directory in front of the files.
func (m *mutant) addDir(name string) {
	h := m.members[0].Header
	h.Name = m.stem + "/" + name
	i := slices.IndexFunc(m.members, func(r rawMember) bool { return r.Typeflag == tar.TypeReg })
	m.members = slices.Insert(m.members, i, rawMember{Header: h})
}

// addLink appends a member that is no file.
func (m *mutant) addLink(name string, typ byte, target string) {
	h := tar.Header{Name: m.stem + "/" + name, Typeflag: typ, Mode: 0o644, Linkname: target, ModTime: m.members[m.at("install.sh")].ModTime}
	m.members = append(m.members, rawMember{Header: h})
}

// newMutant returns the unbroken rustfmt archive of format ext.
func newMutant(t testing.TB, ext string) *mutant {
	t.Helper()
	testenv.Need(t, "rustc")
	dir, err := smallDist()
	if err != nil {
		t.Fatal(err)
	}
	c, err := thisCompiler()
	if err != nil {
		t.Fatal(err)
	}
	return mutantOf(t, dir, "rustfmt-"+c.version.PackageVersion()+"-"+c.host.String(), ext)
}

// tarCache holds the members of the archives that mutants start from, by path.
var tarCache sync.Map

// mutantOf returns the archive stem of dir, to be written in format ext.
func mutantOf(t testing.TB, dir, stem, ext string) *mutant {
	t.Helper()
	path := filepath.Join(dir, stem+".tar.gz")
	cached, ok := tarCache.Load(path)
	if !ok {
		members, err := readTar(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range members {
			members[i].Name = strings.TrimSuffix(members[i].Name, "/")
		}
		cached, _ = tarCache.LoadOrStore(path, members)
	}
	// Contents are shared: a mutation replaces them, and never writes into one.
	return &mutant{stem: stem, file: stem + ".tar." + ext, members: slices.Clone(cached.([]rawMember))}
}
