package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"x.go/dist"
	"x.go/dist/xz"
	"x.go/manifests"
)

// TestReadBackFindsDamage damages outputs between compressor and name.
func TestReadBackFindsDamage(t *testing.T) {
	var img dist.Image
	if err := img.AddBytes("file", []byte(strings.Repeat("some text to compress, ", 5000)), dist.ModeFile); err != nil {
		t.Fatal(err)
	}
	damages := []struct {
		name   string
		damage func(data []byte) []byte
		want   string
	}{
		{"nothing", func(d []byte) []byte { return d }, ""},
		{"a flipped bit", func(d []byte) []byte { d[len(d)/2] ^= 1; return d }, "reading back"},
		{"cut short", func(d []byte) []byte { return d[:len(d)-3] }, "reading back"},
		{"a byte more", func(d []byte) []byte { return append(d, 1) }, "reading back"},
		{"another stream", func([]byte) []byte {
			return []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00")
		}, "reading back"},
	}
	for _, f := range []Format{GZ, XZ, Zst} {
		for _, d := range damages {
			t.Run(string(f)+", "+d.name, func(t *testing.T) {
				dir := t.TempDir()
				root, err := os.OpenRoot(dir)
				if err != nil {
					t.Fatal(err)
				}
				defer root.Close()
				o, err := dist.CreateFile(root, "archive"+f.Ext())
				if err != nil {
					t.Fatal(err)
				}
				defer o.Discard()
				job, err := Writer{Formats: []Format{f}}.planImages([]namedImage{{"archive", img}})
				if err != nil {
					t.Fatal(err)
				}
				sum, err := job.tasks[0].compress(t.Context(), []*dist.NewFile{o}, &meter{})
				if err != nil {
					t.Fatal(err)
				}
				data, err := os.ReadFile(o.TempPath())
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(o.TempPath(), d.damage(data), 0o644); err != nil {
					t.Fatal(err)
				}
				err = job.readBack(t.Context(), job.tasks[0], []*dist.NewFile{o}, sum)
				if d.want == "" && err != nil || d.want != "" && (err == nil || !strings.Contains(err.Error(), d.want)) {
					t.Errorf("got %v, want %q", err, d.want)
				}
			})
		}
	}
}

// TestWriteBCJ writes an archive with the branch filter and reads it.
func TestWriteBCJ(t *testing.T) {
	code := []byte(strings.Repeat("\xe8\x10\x20\x00\x00\x90\x90", 4000))
	p := dist.Package{Name: "cargo-1.95.0-x86_64-unknown-linux-gnu", Components: []dist.Component{{Name: "cargo"}}}
	if err := p.Components[0].Image.AddBytes("bin/cargo", code, dist.ModeExec); err != nil {
		t.Fatal(err)
	}
	sums := map[xz.BCJ]manifests.Hash{}
	for _, bcj := range []xz.BCJ{xz.BCJNone, xz.BCJX86} {
		arts, err := Writer{Formats: []Format{XZ}, BCJ: bcj}.Write(t.Context(), filepath.Join(t.TempDir(), "dist"), p)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(arts[0].Path)
		if err != nil {
			t.Fatal(err)
		}
		if sums[bcj], err = hashTar(t.Context(), bytes.NewReader(data), arts[0].Path, maxReadMemory); err != nil {
			t.Fatal(err)
		}
	}
	if sums[xz.BCJNone] != sums[xz.BCJX86] {
		t.Error("the filter changed the content")
	}
}
