package diff_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ulikunitz/xz"

	"x.go/tests/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// program is the smallest program of the toolchain on PATH, an ELF file that LLD
// linked.
var program = sync.OnceValues(func() ([]byte, error) {
	out, err := exec.Command("rustc", "--print", "sysroot").Output()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "bin", "cargo-fmt"))
})

// bundle is an archive to be changed: its members, then the compressed file.
type bundle struct {
	stem    string // of the file name, and the top directory
	ext     string
	members []member
	packed  func([]byte) []byte
}

type member struct {
	tar.Header
	data []byte
}

// comp is the component directory of a bundle.
const comp = "rustfmt-preview/"

// newBundle returns an archive of one component with one program.
func newBundle(t *testing.T, stem, ext string) *bundle {
	t.Helper()
	testenv.Need(t, "rustc")
	elf, err := program()
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{stem: stem, ext: ext}
	for _, dir := range []string{"", comp, comp + "bin/"} {
		b.members = append(b.members, b.member(dir, tar.TypeDir, 0o755, ""))
	}
	b.add(comp+"bin/cargo-fmt", 0o755, string(elf))
	b.add(comp+"manifest.in", 0o644, "file:bin/cargo-fmt\n")
	b.add("components", 0o644, strings.TrimSuffix(comp, "/")+"\n")
	b.add("install.sh", 0o755, "#!/bin/sh\n")
	b.add("rust-installer-version", 0o644, "3\n")
	b.add("version", 0o644, "1.95.0\n")
	return b
}

func (b *bundle) member(name string, typ byte, mode int64, data string) member {
	return member{tar.Header{Name: b.stem + "/" + name, Typeflag: typ, Mode: mode, ModTime: time.Unix(1700000000, 0)}, []byte(data)}
}

// add appends a file.
func (b *bundle) add(name string, mode int64, data string) {
	b.members = append(b.members, b.member(name, tar.TypeReg, mode, data))
}

func (b *bundle) at(name string) int {
	i := slices.IndexFunc(b.members, func(m member) bool { return m.Name == b.stem+"/"+name })
	if i < 0 {
		panic("the fixture has no member " + name)
	}
	return i
}

func (b *bundle) drop(name string) { i := b.at(name); b.members = slices.Delete(b.members, i, i+1) }

// rename gives the archive and its top directory another name.
func (b *bundle) rename(stem string) {
	for i := range b.members {
		b.members[i].Name = stem + strings.TrimPrefix(b.members[i].Name, b.stem)
	}
	b.stem = stem
}

// replace changes the first occurrence of from in a member.
func (b *bundle) replace(name, from, to string) {
	m := &b.members[b.at(name)]
	if !bytes.Contains(m.data, []byte(from)) {
		panic(fmt.Sprintf("the fixture's %s has no %q", name, from))
	}
	m.data = bytes.Replace(m.data, []byte(from), []byte(to), 1)
}

// write writes the archive to dir, and returns its path.
func (b *bundle) write(t *testing.T, dir string) string {
	t.Helper()
	data, err := b.encode()
	if err != nil {
		t.Fatal(err)
	}
	if b.packed != nil {
		data = b.packed(data)
	}
	path := filepath.Join(dir, b.stem+".tar."+b.ext)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func (b *bundle) encode() ([]byte, error) {
	var buf bytes.Buffer
	var z io.WriteCloser
	var err error
	if b.ext == "xz" {
		z, err = xz.WriterConfig{DictCap: 1 << 20, NoCheckSum: true}.NewWriter(&buf)
	} else {
		z, err = gzip.NewWriterLevel(&buf, gzip.BestSpeed)
	}
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	for _, m := range b.members {
		m.Size = int64(len(m.data))
		if m.Format == tar.FormatUnknown {
			m.Format = tar.FormatGNU
		}
		if err := w.WriteHeader(&m.Header); err != nil {
			return nil, err
		}
		if _, err := w.Write(m.data); err != nil {
			return nil, err
		}
	}
	err = errors.Join(w.Close(), z.Close())
	return buf.Bytes(), err
}
