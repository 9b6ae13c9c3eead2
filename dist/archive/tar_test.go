package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/tests/testenv"
)

// oddImage has the cases that a tar header treats specially: names of 99 to 101
// bytes and more, a character across the end of the name field, sizes around a
// block, an empty directory, modes with group and other bits, links.
func oddImage(t testing.TB) dist.Image {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "odd-1.0")
	files := map[string]struct {
		mode fs.FileMode
		size int
	}{
		"bin/tool":                           {0o775, 513},
		"bin/tool.sh":                        {0o700, 20},
		"lib/empty":                          {0o600, 0},
		"lib/block":                          {0o664, 512},
		"lib/almost":                         {0o444, 511},
		"lib/" + strings.Repeat("a", 87):     {0o644, 1}, // 99 bytes with the top directory
		"lib/" + strings.Repeat("b", 88):     {0o644, 2}, // 100
		"lib/" + strings.Repeat("c", 89):     {0o644, 3}, // 101
		"lib/" + strings.Repeat("é", 60):     {0o644, 4},
		"lib/x" + strings.Repeat("é", 60):    {0o755, 5},
		"deep/" + strings.Repeat("dir/", 60): {0, -1},
		"share/doc/rust/html/a.b":            {0o644, 6},
		"share/doc/rust/html/a/b":            {0o644, 7},
		"share/doc/rust/html.d/z":            {0o644, 8},
		"share/colon:name with space":        {0o644, 9},
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, name)
		f := files[name]
		if f.size < 0 {
			must(t, os.MkdirAll(path, 0o755))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(strings.Repeat("x", f.size)), 0o644))
		must(t, os.Chmod(path, f.mode))
	}
	var img dist.Image
	must(t, img.AddTree("odd-1.0", dir, nil))
	for name, target := range map[string]string{
		"bin/link": "tool", "bin/long-link": strings.Repeat("up/", 40), "lib/" + strings.Repeat("l", 100): "x",
	} {
		must(t, img.AddSymlink("odd-1.0/"+name, target))
	}
	return img
}

// oddTarball is the tar stream of oddImage, with the time of a commit.
func oddTarball(t testing.TB) []byte {
	t.Helper()
	img := oddImage(t)
	plan, err := planTarball(img, ReversedPath, 1776124800)
	must(t, err)
	var out bytes.Buffer
	must(t, plan.write(t.Context(), &out))
	if got := int64(out.Len()); got != plan.size {
		t.Errorf("planned size: got %d, want %d", plan.size, got)
	}
	return out.Bytes()
}

// TestTarBytesOfTheCrate compares with what the crate tar 0.4.45 wrote, by the
// program testdata/tar-crate/main.rs, from the files of oddImage in D:
//
//	main D odd-1.0 1776124800 | gzip -9n >testdata/odd-1.0.tar.gz
func TestTarBytesOfTheCrate(t *testing.T) {
	f, err := os.Open("testdata/odd-1.0.tar.gz")
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	want, err := io.ReadAll(z)
	must(t, err)
	got := oddTarball(t)
	if bytes.Equal(got, want) {
		return
	}
	for i := 0; i+tarBlock <= min(len(got), len(want)); i += tarBlock {
		if g, w := got[i:i+tarBlock], want[i:i+tarBlock]; !bytes.Equal(g, w) {
			t.Fatalf("first difference in the block at %d:\ngot  %q\nwant %q", i, g, w)
		}
	}
	t.Fatalf("got %d bytes, want %d", len(got), len(want))
}

func TestTarHeaderFields(t *testing.T) {
	tests := []struct {
		name    string
		entry   dist.Entry
		modTime int64
		offset  int
		want    string
	}{
		{"file mode", dist.Entry{Name: "f", Mode: dist.ModeFile}, 0, 100, "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00"},
		{"size and time", dist.Entry{Name: "f", Mode: dist.ModeExec, Size: 8}, 1776124800, 100, "0000755\x000000000\x000000000\x0000000000010\x0015167301600\x00"},
		{"largest octal size", dist.Entry{Name: "f", Mode: dist.ModeFile, Size: 1<<33 - 1}, 0, 124, "77777777777\x00"},
		{"8 GiB", dist.Entry{Name: "f", Mode: dist.ModeFile, Size: 1 << 33}, 0, 124, "\x80\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"},
		{"directory has its own time", dist.Entry{Name: "d", Mode: dist.ModeDir}, 1776124800, 136, "10461020230\x00"},
		{"directory without a slash", dist.Entry{Name: "d", Mode: dist.ModeDir}, 0, 0, "d\x00"},
		{"magic", dist.Entry{Name: "f", Mode: dist.ModeFile}, 0, 257, "ustar  \x00\x00"},
		{"link", dist.Entry{Name: "l", Mode: dist.ModeSymlink, Link: "to"}, 0, 156, "2to\x00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tarHeaders(tt.entry, tt.modTime)
			if got := string(got[tt.offset : tt.offset+len(tt.want)]); got != tt.want {
				t.Errorf("bytes at %d: got %q, want %q", tt.offset, got, tt.want)
			}
			if got := int64(len(got)); got != headerSize(tt.entry) {
				t.Errorf("headerSize: got %d, want %d", headerSize(tt.entry), got)
			}
		})
	}
}

// TestTarHeaderOfLargeFile has Go's reader as judge of sizes in both notations.
func TestTarHeaderOfLargeFile(t *testing.T) {
	for _, size := range []int64{0, 1, 1<<33 - 1, 1 << 33, 1 << 40} {
		h, err := tar.NewReader(bytes.NewReader(tarHeaders(dist.Entry{Name: "f", Mode: dist.ModeFile, Size: size}, 1<<34))).Next()
		if err != nil {
			t.Errorf("size %d: %v", size, err)
			continue
		}
		if h.Size != size || h.ModTime.Unix() != 1<<34 {
			t.Errorf("got size %d, time %d; want %d, %d", h.Size, h.ModTime.Unix(), size, 1<<34)
		}
	}
}

func TestOrder(t *testing.T) {
	paths := []string{"p/c/manifest.in", "p/c/lib/liba.so", "p/c/bin/a", "p/version", "p/c/lib/libb.so", "p/install.sh", "p/a", "a"}
	tests := []struct {
		order Order
		want  []string
	}{
		// Sorted with `rev | LC_ALL=C sort | rev`.
		{ReversedPath, []string{"a", "p/c/bin/a", "p/a", "p/install.sh", "p/c/manifest.in", "p/version", "p/c/lib/liba.so", "p/c/lib/libb.so"}},
		{PathOrder, []string{"a", "p/a", "p/c/bin/a", "p/c/lib/liba.so", "p/c/lib/libb.so", "p/c/manifest.in", "p/install.sh", "p/version"}},
		{KindOrder, []string{"a", "p/a", "p/c/bin/a", "p/c/manifest.in", "p/install.sh", "p/version", "p/c/lib/liba.so", "p/c/lib/libb.so"}},
	}
	for _, tt := range tests {
		got := slices.Clone(paths)
		slices.SortFunc(got, tt.order.compare)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("order %d (-want +got):\n%s", tt.order, diff)
		}
	}
}

// TestTarJudges has two readers that are not ours look at the odd tree.
func TestTarJudges(t *testing.T) {
	data := oddTarball(t)

	type member struct {
		Name, Link string
		Mode, Size int64
		Type       byte
	}
	var byGo []member
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		want := time.Unix(1776124800, 0)
		if h.Typeflag == tar.TypeDir {
			want = time.Unix(firstCommit, 0)
		}
		if !h.ModTime.Equal(want) || h.Uid != 0 || h.Uname != "" || h.Format != tar.FormatGNU {
			t.Errorf("member %q: got time %v, uid %d, user %q, format %v", h.Name, h.ModTime, h.Uid, h.Uname, h.Format)
		}
		byGo = append(byGo, member{h.Name, h.Linkname, h.Mode, h.Size, h.Typeflag})
	}

	file := filepath.Join(t.TempDir(), "odd.tar")
	must(t, os.WriteFile(file, data, 0o644))
	list := exec.Command(testenv.Need(t, "tar"), "--full-time", "--utc", "--quoting-style=literal", "-tvf", file)
	list.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	out, err := list.CombinedOutput()
	must(t, err)
	var want []string
	for _, m := range byGo {
		kind, when, tail := "-", "2026-04-14 00:00:00", ""
		mode := "rw-r--r--"
		if m.Mode == 0o755 {
			mode = "rwxr-xr-x"
		}
		switch m.Type {
		case tar.TypeDir:
			kind, when = "d", "2006-07-24 01:21:28"
		case tar.TypeSymlink:
			kind, tail = "l", " -> "+m.Link
		}
		want = append(want, fmt.Sprintf("%s%s 0/0 %d %s %s%s", kind, mode, m.Size, when, m.Name, tail))
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 3)
		got = append(got, fields[0]+" "+fields[1]+" "+strings.TrimLeft(fields[2], " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tar -tv (-want +got):\n%s", diff)
	}
}
