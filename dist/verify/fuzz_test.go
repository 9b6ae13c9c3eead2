package verify

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist/archive"
	"x.go/manifests"
)

// tarOf makes a tar of files, for seeds.
func tarOf(t testing.TB, files ...tar.Header) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, h := range files {
		data := h.Linkname
		if h.Typeflag == tar.TypeReg {
			h.Linkname, h.Size = "", int64(len(data))
		}
		h.Format = tar.FormatGNU
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// file is a regular member; its content stands in Linkname until written.
func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Linkname: content}
}

// FuzzUnpack scans, judges, unpacks and installs any tar, and then looks at a
// canary beside the root: nothing may be written outside, whatever the names.
func FuzzUnpack(f *testing.F) {
	const top = "rustc-1.95.0-x86_64-unknown-linux-gnu"
	head := []tar.Header{file(top+"/components", "rustc\n"), file(top+"/rust-installer-version", "3\n")}
	f.Add(tarOf(f, append(head, file(top+"/rustc/manifest.in", "file:bin/rustc\n"), file(top+"/rustc/bin/rustc", "x"))...))
	f.Add(tarOf(f, append(head, file(top+"/rustc/manifest.in", "file:../../canary\ndir:../..\nfile:/tmp/x\n"), file(top+"/canary", "evil"))...))
	f.Add(tarOf(f, file(top+"/../../canary", "evil"), file("/canary", "evil"), file("../canary", "evil")))
	f.Add(tarOf(f, tar.Header{Name: top + "/rustc", Typeflag: tar.TypeSymlink, Linkname: "../../.."}, file(top+"/rustc/canary", "evil")))
	f.Add(tarOf(f, file(top+"/a", "x"), file(top+"/a/b", "x"), tar.Header{Name: top + "/a", Typeflag: tar.TypeDir, Mode: 0o755}))
	f.Add(tarOf(f, append(head, file(top+"/rustc/manifest.in", "dir:bin\nfile:bin/x\ndir:.\nfile:\n"), file(top+"/rustc/bin/x", "x"))...))
	f.Fuzz(func(t *testing.T, b []byte) {
		outer := t.TempDir()
		if err := os.WriteFile(filepath.Join(outer, "canary"), []byte("alive"), 0o644); err != nil {
			t.Fatal(err)
		}
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(b); err != nil || z.Close() != nil {
			t.Fatal("compressing a seed")
		}
		path := filepath.Join(outer, top+".tar.gz")
		if err := os.WriteFile(path, packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		unpackAll(t, outer, path, filepath.Base(path))
		entries, err := os.ReadDir(outer)
		if err != nil {
			t.Fatal(err)
		}
		if canary, err := os.ReadFile(filepath.Join(outer, "canary")); err != nil || string(canary) != "alive" {
			t.Errorf("the canary is %q, %v", canary, err)
		}
		if len(entries) != 2 {
			t.Errorf("got %d files outside the root, want the archive and the canary", len(entries))
		}
	})
}

// unpackAll takes one archive through everything that writes.
func unpackAll(t *testing.T, outer, path, name string) {
	t.Helper()
	work, err := newWorkspace(outer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := work.close(); err != nil {
			t.Error(err)
		}
	}()
	limits := archive.Limits{Unpacked: 1 << 20, Members: 100}
	f := archiveFile{path, name, strings.TrimSuffix(name, ".tar.gz"), manifests.GZ}
	a, err := scan(t.Context(), f, limits, func(Event) {}, work.unpackSink(unpackedDir(0)))
	if err != nil {
		t.Fatalf("an archive's fault came as an error of the machine: %v", err)
	}
	l := checkArchive(a, manifests.ArchiveName{})
	if err := work.install(unpackedDir(0), l, "prefix", false); err != nil {
		t.Logf("installing: %v", err) // a finding of the caller
	}
	if !a.Complete && !a.subject.failed(archiveReadable, archiveLimits, archiveName) {
		t.Error("the archive was not read to its end, and no check says why")
	}
}
