package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCompress compresses in every format and profile, and reads it back.
func TestCompress(t *testing.T) {
	content := bytes.Repeat([]byte("a stream to compress, "), 2000)
	for _, f := range []Format{GZ, XZ, Zst} {
		for _, p := range []Profile{"", Fast, Balanced, Best} {
			var packed, got bytes.Buffer
			w := Writer{Profile: p, Jobs: 1}
			if err := w.Compress(t.Context(), f, &packed, bytes.NewReader(content), int64(len(content))); err != nil {
				t.Fatal(err)
			}
			format, err := Decompress(t.Context(), &got, bytes.NewReader(packed.Bytes()), "stream", Limits{})
			if err != nil || format != f || !bytes.Equal(got.Bytes(), content) {
				t.Errorf("%s, profile %q: got format %q, error %v, equal %v", f, p, format, err, bytes.Equal(got.Bytes(), content))
			}
			if packed.Len() > len(content)/10 {
				t.Errorf("%s, profile %q: got %d bytes of %d", f, p, packed.Len(), len(content))
			}
		}
	}
}

// TestCompressAsArchive compares with the archives of the same Writer.
func TestCompressAsArchive(t *testing.T) {
	for _, f := range []Format{GZ, XZ, Zst} {
		w := Writer{Formats: []Format{f}, Profile: Balanced}
		arts, err := w.Write(t.Context(), t.TempDir(), samplePackage(t))
		must(t, err)
		archive, err := os.ReadFile(arts[0].Path)
		must(t, err)
		var tarball, again bytes.Buffer
		_, err = Decompress(t.Context(), &tarball, bytes.NewReader(archive), filepath.Base(arts[0].Path), Limits{})
		must(t, err)
		must(t, w.Compress(t.Context(), f, &again, &tarball, int64(tarball.Len())))
		if !bytes.Equal(again.Bytes(), archive) {
			t.Errorf("%s: got %d bytes that differ from the archive's %d", f, again.Len(), len(archive))
		}
	}
}

func TestCompressErrors(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	src := func() io.Reader { return strings.NewReader("text") }
	tests := []struct {
		name   string
		ctx    context.Context
		w      Writer
		format Format
		dst    io.Writer
		want   string
	}{
		{"no-op", t.Context(), Writer{Profile: NoOp}, XZ, io.Discard, `compressing: got profile "no-op"`},
		{"unknown format", t.Context(), Writer{}, "lz", io.Discard, `"lz"`},
		{"ended", ended, Writer{}, GZ, io.Discard, "context canceled"},
		{"full", t.Context(), Writer{}, GZ, fullWriter{}, "no space"},
	}
	for _, tt := range tests {
		if err := tt.w.Compress(tt.ctx, tt.format, tt.dst, src(), 0); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestDecompressErrors(t *testing.T) {
	var packed bytes.Buffer
	must(t, Writer{}.Compress(t.Context(), GZ, &packed, strings.NewReader(strings.Repeat("text", 1000)), 0))
	whole := packed.Bytes()
	tests := []struct {
		name   string
		limits Limits
		data   []byte
		want   string
	}{
		{"cut short", Limits{}, whole[:len(whole)-2], `decompressing "a": `},
		{"another kind", Limits{}, []byte("BZh91AY"), `opening archive "a": not a gz, xz or zst file`},
		{"more behind it", Limits{}, append(bytes.Clone(whole), whole...), `decompressing "a": `},
		{"too long", Limits{Unpacked: 100}, whole, "the unpacked stream is too long"},
	}
	for _, tt := range tests {
		_, err := Decompress(t.Context(), io.Discard, bytes.NewReader(tt.data), "a", tt.limits)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestNewDecoder(t *testing.T) {
	t.Parallel()
	for _, format := range []Format{GZ, XZ, Zst} {
		var part bytes.Buffer
		if err := (Writer{Profile: Fast}).Compress(t.Context(), format, &part, strings.NewReader("some text\n"), 0); err != nil {
			t.Fatal(err)
		}
		for name, tt := range map[string]struct {
			tail string
			want string
			bad  bool
		}{
			"one":  {"", "some text\n", false},
			"two":  {part.String(), "some text\nsome text\n", false},
			"junk": {"junk that is no stream", "some text\n", true},
		} {
			d, err := NewDecoder(strings.NewReader(part.String()+tt.tail), format, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(d)
			if errClose := d.Close(); errClose != nil || string(got) != tt.want || (err != nil) != tt.bad {
				t.Errorf("%s, %s: got %q, %v", format, name, got, err)
			}
		}
	}
}
