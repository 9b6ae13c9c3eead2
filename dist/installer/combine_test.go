package installer

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/archive"
	"x.go/tests/testenv"
)

// pack writes an archive. A member is "name content", "name -> target" or "name/".
func pack(t *testing.T, path string, members ...string) {
	t.Helper()
	f, err := os.Create(path)
	testenv.Must(t, err)
	z := gzip.NewWriter(f)
	w := tar.NewWriter(z)
	for _, m := range members {
		h := &tar.Header{Name: m, Typeflag: tar.TypeDir, Mode: 0o755}
		content := ""
		if name, target, ok := strings.Cut(m, " -> "); ok {
			h.Name, h.Linkname, h.Typeflag = name, target, tar.TypeSymlink
		} else if name, text, ok := strings.Cut(m, " "); ok {
			content = text
			h.Name, h.Typeflag, h.Size, h.Mode = name, tar.TypeReg, int64(len(text)), 0o644
		}
		testenv.Must(t, w.WriteHeader(h))
		_, err := w.Write([]byte(content))
		testenv.Must(t, err)
	}
	testenv.Must(t, errors.Join(w.Close(), z.Close(), f.Close()))
}

// sound are the members of an archive that can be combined.
var sound = []string{"p/", "p/components c\n", "p/rust-installer-version 3\n", "p/c/", "p/c/manifest.in file:f\n", "p/c/f x"}

// without returns the sound members but those that start with one of names.
func without(names ...string) []string {
	var out []string
	for _, m := range sound {
		keep := true
		for _, name := range names {
			keep = keep && !strings.HasPrefix(m, name)
		}
		if keep {
			out = append(out, m)
		}
	}
	return out
}

// combiner returns one for the archive p.tar.gz of a new directory, in which secret is
// the file of somebody else.
func combiner(t *testing.T, members ...string) Combiner {
	t.Helper()
	dir := testenv.WriteTree(t, "secret/f", "workdir/", "dist/")
	pack(t, filepath.Join(dir, "p.tar.gz"), members...)
	c := NewCombiner()
	c.Dir, c.Inputs, c.Compression.Formats = dir, []string{"p.tar.gz"}, []archive.Format{archive.GZ}
	return c
}

// Archives are strangers': what is wrong with them is an error in rust-installer's
// words, and nothing outside the work directory is read or written.
func TestCombineRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		members []string
		want    []string // "*" is any text
	}{
		{"renamed", []string{"q/", "q/components c\n"}, []string{"failed to read version in 'p.tar.gz'", "failed to open file './workdir/p/rust-installer-version'", "No such file or directory (os error 2)"}},
		{"no version", without("p/rust"), []string{"failed to read version in 'p.tar.gz'", "failed to open file './workdir/p/rust-installer-version'", "No such file or directory (os error 2)"}},
		{"no components", without("p/components"), []string{"failed to read components in 'p.tar.gz'", "failed to open file './workdir/p/components'", "No such file or directory (os error 2)"}},
		{"version 4", append(without("p/rust"), "p/rust-installer-version 4\n"), []string{"incorrect installer version in p.tar.gz"}},
		{"no directory", without("p/c/"), []string{"IO error for operation on ./workdir/p/c: No such file or directory (os error 2)", "No such file or directory (os error 2)"}},
		{"component that leads away", append(without("p/components"), "p/components ../../secret\n"), []string{"failed to read components in 'p.tar.gz'", "*"}},
		{"top is a link", []string{"p -> ../secret"}, []string{"failed to read version in 'p.tar.gz'", "failed to open file './workdir/p/rust-installer-version'", "*"}},
		{"component is a link", append(without("p/c/"), "p/c -> ../../secret"), []string{"IO error for operation on ./workdir/p/c: it is a symbolic link, want a directory: remove it", "*"}},
		{"components is a link", append(without("p/components"), "p/components -> ../../secret/f"), []string{"failed to read components in 'p.tar.gz'", "failed to open file './workdir/p/components'", "*"}},
		{"file below a link", append(without("p/c/f"), "p/c/d -> ../../../secret", "p/c/d/f evil"), []string{"unable to extract 'p.tar.gz' into './workdir'", "failed to iterate over archive", "*"}},
		{"name that leads away", append(without(), "p/../../secret/f evil"), []string{"unable to extract 'p.tar.gz' into './workdir'", "failed to iterate over archive", "*"}},
		{"component twice", append(without("p/components"), "p/components c\nc\n"), []string{"failed to create dir './workdir/package/c'", "File exists (os error 17)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := combiner(t, tt.members...)
			err := c.Run(t.Context())
			if err == nil {
				t.Fatal("got no error")
			}
			got := Causes(err)
			if n := len(tt.want) - 1; len(got) > n && tt.want[n] == "*" {
				got[n] = "*"
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("causes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]string{"f": "secret/f\n"}, testenv.Contents(t, filepath.Join(c.Dir, "secret"))); diff != "" {
				t.Errorf("the file of somebody else (-want +got):\n%s", diff)
			}
			if names := testenv.List(t, filepath.Join(c.Dir, "dist")); len(names) > 0 {
				t.Errorf("got archives %q", names)
			}
		})
	}
}

// An older unpacked copy does not stand in for what the archive lacks, nor stay in it.
func TestCombineRemovesOldCopies(t *testing.T) {
	t.Parallel()
	c := combiner(t, sound...)
	testenv.Must(t, c.Run(t.Context()))
	stale := filepath.Join(c.Dir, "workdir/p/c/stale")
	testenv.Must(t, os.WriteFile(stale, nil, 0o644))
	testenv.Must(t, c.Run(t.Context()))
	if _, err := os.Lstat(stale); err == nil {
		t.Errorf("got %q, want it removed", stale)
	}
	pack(t, filepath.Join(c.Dir, "p.tar.gz"), without("p/components")...)
	if err := c.Run(t.Context()); err == nil {
		t.Error("got no error for an archive without components")
	}
}

// What another top directory holds is not unpacked: it might be a package in the making.
func TestCombineUnpacksItsOwn(t *testing.T) {
	t.Parallel()
	c := combiner(t, append(without(), "package/evil x")...)
	testenv.Must(t, c.Run(t.Context()))
	want := []string{"c", "components", "install.sh", "rust-installer-version"}
	if diff := cmp.Diff(want, testenv.List(t, filepath.Join(c.Dir, "workdir/package"))); diff != "" {
		t.Errorf("package (-want +got):\n%s", diff)
	}
}

// Permissions are those of the image whatever the umask; a link in the place of the
// package is removed, not followed.
func TestGeneratePlace(t *testing.T) {
	t.Parallel()
	dir := testenv.WriteTree(t, "image/bin/x*", "other/mine", "workdir/package -> ../other")
	testenv.Must(t, os.Chmod(filepath.Join(dir, "image/bin/x"), os.ModeSetuid|0o751))
	g := NewGenerator()
	g.Dir, g.ImageDir, g.Compression.Formats = dir, "image", []archive.Format{archive.Zst}
	testenv.Must(t, g.Run(t.Context()))
	info, err := os.Lstat(filepath.Join(dir, "workdir/package/component/bin/x"))
	testenv.Must(t, err)
	if want := os.ModeSetuid | 0o751; info.Mode() != want {
		t.Errorf("got mode %v, want %v", info.Mode(), want)
	}
	if diff := cmp.Diff([]string{"mine"}, testenv.List(t, filepath.Join(dir, "other"))); diff != "" {
		t.Errorf("other (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"package.tar.zst"}, testenv.List(t, filepath.Join(dir, "dist"))); diff != "" {
		t.Errorf("dist (-want +got):\n%s", diff)
	}
}

func TestDebug(t *testing.T) {
	t.Parallel()
	if got, want := debug("a\\\"\xff\tü"), `"a\\\"\xFF\u{9}ü"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func ExampleGenerator() {
	g := NewGenerator()
	g.ImageDir = "no/image"
	fmt.Println(strings.Join(Causes(g.Run(context.Background())), "\n"))
	// Output:
	// IO error for operation on no/image: No such file or directory (os error 2)
	// No such file or directory (os error 2)
}
