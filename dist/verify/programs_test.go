package verify_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"x.go/dist/verify"
)

// Files that linkers wrote are judged one by one, and against what is expected.
func TestPrograms(t *testing.T) {
	fixture := func(name string) string { return filepath.Join("..", "linkage", "testdata", name) }
	dir := t.TempDir()
	for from, to := range map[string]string{"lld.so": "a", "gold.so": "sub/b"} {
		b, err := os.ReadFile(fixture(from))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "script"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("sub", filepath.Join(dir, "again")); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut")
	if err := os.WriteFile(cut, []byte("\x7fELF\x02\x01"), 0o644); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		path   string
		opts   verify.Options
		want   verify.Status
		linker []verify.Status // of program/linker, in order
	}{
		{"any", fixture("bfd.so"), verify.Options{}, verify.Pass, []verify.Status{verify.Pass}},
		{"LLD as expected", fixture("lld.so"), verify.Options{Expect: verify.ExpectLLD}, verify.Pass, []verify.Status{verify.Pass}},
		{"BFD instead of LLD", fixture("bfd.so"), verify.Options{Expect: verify.ExpectLLD}, verify.Fail, []verify.Status{verify.Fail}},
		{"LLD instead of another", fixture("lld.so"), verify.Options{Expect: verify.ExpectSystem}, verify.Fail, []verify.Status{verify.Fail}},
		{"mold is not LLD", fixture("mold-norelro.so"), verify.Options{Expect: verify.ExpectSystem}, verify.Pass, []verify.Status{verify.Pass}},
		{"no mark, laid out as LLD's", fixture("lld-nocomment.so"), verify.Options{Expect: verify.ExpectLLD}, verify.Skip, []verify.Status{verify.Skip}},
		{"no mark, laid out as GNU ld's", fixture("bfd-nocomment.so"), verify.Options{Expect: verify.ExpectLLD}, verify.Fail, []verify.Status{verify.Fail}},
		{"contradicting witnesses", fixture("mold-then-bfd.so"), verify.Options{}, verify.Fail, []verify.Status{verify.Fail}},
		{"a directory", dir, verify.Options{Expect: verify.ExpectLLD}, verify.Fail, []verify.Status{verify.Pass, verify.Fail}},
		{"no group for it", dir, verify.Options{Groups: []verify.Group{verify.Link}}, verify.Skip, nil},
		{"cut short", cut, verify.Options{}, verify.Fail, nil},
		{"no ELF file", text, verify.Options{}, verify.Fail, nil},
		{"a directory without any", filepath.Dir(text), verify.Options{}, verify.Fail, nil},
		{"a device", os.DevNull, verify.Options{}, verify.Fail, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.opts.Inputs = []string{tt.path}
			report := verifyAll(t, tt.opts)
			var got []verify.Status
			for _, c := range report.Checks {
				if c.Name == "program/linker" {
					got = append(got, c.Status)
				}
			}
			if diff := cmp.Diff(tt.linker, got); diff != "" || report.Status() != tt.want {
				t.Errorf("got %s, want %s; program/linker (-want +got):\n%s", report.Status(), tt.want, diff)
			}
		})
	}
}
