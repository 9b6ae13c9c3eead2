package linkage_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/dist/linkage"
)

var buildRoots = []string{"/home/", "/root/", "/Users/", "/build/", "/builds/", "/checkout/", "/tmp/", "/var/tmp/", "/private/tmp/"}

func TestBuildPaths(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
	}{
		{"none", "/usr/lib\x00/rustc/59807616/library/core", []string{}},
		{"nul-ended", "x\x00/home/me/src/a.c\x00y", []string{"/home/me/src/a.c"}},
		{"first and last byte", "/tmp/x", []string{"/tmp/x"}},
		{"in a longer path", "/opt/home/me/x", []string{}},
		{"after an equals sign", "-L=/home/me/lib", []string{"/home/me/lib"}},
		{"the root alone", "/tmp/ is a directory", []string{}},
		{"twice", "/tmp/a\n/tmp/b\n/tmp/a", []string{"/tmp/a", "/tmp/b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := linkage.BuildPaths(strings.NewReader(tt.in), buildRoots, 10)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
		})
	}
}

// A path is found whole wherever it lies relative to the scanning window.
func TestBuildPathsAcrossWindows(t *testing.T) {
	const path = "/checkout/obj/build/file.rs"
	for _, at := range []int{0, 1, 256<<10 - 513, 256<<10 - 512, 256<<10 - 20, 256<<10 - 1, 256 << 10, 300 << 10} {
		b := make([]byte, 600<<10)
		copy(b[at:], path)
		got, err := linkage.BuildPaths(bytes.NewReader(b), buildRoots, 10)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{path}, got); diff != "" {
			t.Errorf("path at %d (-want +got):\n%s", at, diff)
		}
	}
}

func TestBuildPathsLimit(t *testing.T) {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "/tmp/%d\x00", i)
	}
	got, err := linkage.BuildPaths(strings.NewReader(b.String()), buildRoots, 7)
	if err != nil || len(got) != 7 {
		t.Errorf("got %d paths, %v; want 7", len(got), err)
	}
}

func FuzzBuildPaths(f *testing.F) {
	f.Add([]byte("x/home/a\x00/tmp/b c"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := linkage.BuildPaths(bytes.NewReader(b), buildRoots, 5)
		if err != nil || len(got) > 5 {
			t.Fatalf("got %d paths, %v", len(got), err)
		}
		for _, p := range got {
			if !bytes.Contains(b, []byte(p)) {
				t.Errorf("got %q, which the input does not hold", p)
			}
		}
	})
}
