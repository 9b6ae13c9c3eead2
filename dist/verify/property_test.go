package verify_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/verify"
	"x.go/manifests"
)

var (
	packageCount = flag.Int("verify.packages", 40, "packages drawn")
	packageSeed  = flag.Uint64("verify.seed", 1, "seed of the packages drawn")
)

// randomImage puts files, empty directories and a bulk directory below dir, which
// no other component has. Names, sizes and modes are those that formats treat
// specially: long, odd, at the edge of a block.
func randomImage(t *testing.T, r *rand.Rand, dir string) (img dist.Image, bulk []string) {
	t.Helper()
	elements := []string{"a", "b.rlib", "x y", "é:z", "...", "-", strings.Repeat("n", 90), strings.Repeat("ü", 60), "c", "d.so"}
	sizes := []int{0, 1, 511, 512, 513, 1024, 5000}
	add := func(name string) {
		mode := dist.ModeFile
		if r.IntN(3) == 0 {
			mode = dist.ModeExec
		}
		data := make([]byte, sizes[r.IntN(len(sizes))])
		for i := range data {
			data[i] = byte(r.IntN(4))
		}
		_ = img.AddBytes(name, data, mode) // the name may be taken: then there is a file less
	}
	if err := img.AddBytes("bin/"+dir, []byte("#!"), dist.ModeExec); err != nil {
		t.Fatal(err)
	}
	for range r.IntN(12) {
		name := "lib/" + dir
		for range 1 + r.IntN(4) {
			name += "/" + elements[r.IntN(len(elements))]
		}
		if r.IntN(5) == 0 {
			_ = img.AddDir(name)
		} else {
			add(name)
		}
	}
	if r.IntN(2) == 0 {
		name := "share/doc/" + dir
		if err := img.AddDir(name + "/empty"); err != nil {
			t.Fatal(err)
		}
		for range r.IntN(4) {
			add(name + "/html/" + elements[r.IntN(len(elements))])
		}
		bulk = append(bulk, name)
	}
	return img, bulk
}

func randomPackage(t *testing.T, r *rand.Rand) dist.Package {
	t.Helper()
	p := dist.Package{Name: "rustfmt-1.95.0-x86_64-unknown-linux-gnu", Product: "Rust's", SuccessMessage: "rustfmt installed."}
	for i := range 1 + r.IntN(3) {
		c := dist.Component{Name: fmt.Sprintf("part_%d-%x.y", i, r.IntN(1000))}
		c.Image, c.BulkDirs = randomImage(t, r, c.Name)
		p.Components = append(p.Components, c)
	}
	for name, text := range map[string]string{"version": "1.95.0 (59807616e 2026-04-14)", "LICENSE-MIT": "MIT", "git-commit-hash": "59807616e1"} {
		if err := p.Overlay.AddBytes(name, []byte(text), dist.ModeFile); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// flat is a package as values that can be compared.
type flat struct {
	Name, Product, SuccessMessage string
	Overlay                       map[string]string
	Components                    []flatComponent
}

type flatComponent struct {
	Name  string
	Bulk  []string
	Files map[string]string // mode and content
}

func flatten(t *testing.T, p dist.Package) flat {
	t.Helper()
	files := func(img dist.Image) map[string]string {
		out := map[string]string{}
		for e := range img.Entries() {
			out[e.Name] = e.Mode.String()
			if !e.IsRegular() {
				continue
			}
			r, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(r)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if err != nil || int64(len(data)) != e.Size {
				t.Fatalf("%q: got %d bytes, %v, want %d", e.Name, len(data), err, e.Size)
			}
			out[e.Name] += " " + string(data)
		}
		for e := range img.Entries() { // a directory that holds something needs no entry
			for dir := path.Dir(e.Name); dir != "."; dir = path.Dir(dir) {
				delete(out, dir)
			}
		}
		return out
	}
	out := flat{p.Name, p.Product, p.SuccessMessage, files(p.Overlay), nil}
	for _, c := range p.Components {
		out.Components = append(out.Components, flatComponent{c.Name, c.BulkDirs, files(c.Image)})
	}
	return out
}

// TestWrittenPackages holds Writer, verify and ReadPackage against each other:
// what is written passes, comes back as it was, and becomes the same bytes again. A larger
// run is
//
//	go test ./dist/verify -run WrittenPackages -verify.packages 3000 -verify.seed 7
func TestWrittenPackages(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(*packageSeed, 0))
	for n := 0; n < *packageCount && !t.Failed(); n++ {
		p := randomPackage(t, r)
		w := archive.Writer{Formats: manifests.Formats()[r.IntN(3):][:1], Profile: archive.Fast}
		checkWritten(t, w, p)
	}
}

func checkWritten(t *testing.T, w archive.Writer, p dist.Package) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	artifacts, err := w.Write(ctx, dir, p)
	if err != nil {
		t.Fatal(err)
	}
	report, err := verify.Run(ctx, verify.Options{Inputs: []string{dir}, Groups: []verify.Group{verify.Static}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		if c.Status != verify.Pass {
			t.Errorf("got %s %s: %s", c.Status, c.Name, c.Detail)
		}
	}
	back, err := archive.ReadPackage(ctx, artifacts[0].Path, archive.ReadOptions{TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(flatten(t, p), flatten(t, back.Package)); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	again, err := w.Write(ctx, t.TempDir(), back.Package)
	if err != nil {
		t.Fatal(err)
	}
	want, err1 := os.ReadFile(artifacts[0].Path)
	got, err2 := os.ReadFile(again[0].Path)
	if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
		t.Errorf("written again: got %d bytes, want the same %d: %v, %v", len(got), len(want), err1, err2)
	}
	if err := back.Close(); err != nil {
		t.Error(err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "x-package-*")); err != nil || len(left) > 0 {
		t.Errorf("got %q left after closing, %v", left, err)
	}
}
