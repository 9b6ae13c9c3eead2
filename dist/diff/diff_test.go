package diff_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/diff"
)

func compare(t *testing.T, opts diff.Options) diff.Comparison {
	t.Helper()
	opts.TempDir = t.TempDir()
	c, err := diff.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(opts.TempDir); err != nil || len(left) > 0 {
		t.Errorf("got %v, %v in the temporary directory, want it empty", left, err)
	}
	return c
}

const stem = "rustfmt-1.95.0-x86_64-unknown-linux-gnu"

// Each change of an archive is named by its kind.
func TestArchives(t *testing.T) {
	tests := []struct {
		name   string
		ext    string // of B; A is gz
		mutate func(b *bundle)
		opts   diff.Options
		want   diff.Sameness
		kinds  []string
		text   string // in the first difference's B
	}{
		{name: "nothing", mutate: func(*bundle) {}, want: diff.SameBytes},
		{name: "format", ext: "xz", mutate: func(*bundle) {}, want: diff.SameContent, kinds: []string{"container"}, text: "xz: streams 1"},
		{name: "gzip header", mutate: func(b *bundle) { b.packed = func(z []byte) []byte { z[4] = 7; return z } },
			want: diff.SameContent, kinds: []string{"container"}, text: "time 7"},
		{name: "owner", mutate: func(b *bundle) { b.members[2].Uname = "me" },
			want: diff.SameContent, kinds: []string{"tar"}, text: `header field uname ("", "me")`},
		{name: "time", mutate: func(b *bundle) { b.members[b.at("version")].ModTime = time.Unix(1700000001, 0) },
			want: diff.Differs, kinds: []string{"time"}},
		{name: "fraction of a time", mutate: func(b *bundle) {
			m := &b.members[b.at("version")]
			m.ModTime, m.Format = time.Unix(1700000000, 250e6), tar.FormatPAX
		}, want: diff.Differs, kinds: []string{"time"}, text: "1700000000.25"},
		{name: "global header", mutate: func(b *bundle) {
			global := member{Header: tar.Header{Typeflag: tar.TypeXGlobalHeader, Format: tar.FormatPAX, PAXRecords: map[string]string{"comment": "0123abc"}}}
			b.members = slices.Insert(b.members, 0, global)
		}, want: diff.SameContent, kinds: []string{"tar"}, text: "header field name"},
		{name: "owner under another name", mutate: func(b *bundle) { b.rename("rustfmt-nightly"); b.members[2].Uname = "me" },
			want: diff.SameContent, kinds: []string{"tar"}, text: `header field uname ("", "me") of "` + stem + `/rustfmt-preview/bin/"`},
		{name: "another name", mutate: func(b *bundle) { b.rename("rustfmt-nightly") }, want: diff.SameContent, kinds: []string{"tar"}, text: "header field name of every member"},
		{name: "setuid", mutate: func(b *bundle) { b.members[b.at(comp+"bin/cargo-fmt")].Mode = 0o4755 }, want: diff.Differs, kinds: []string{"mode"}, text: "4755"},
		{name: "target of a link", mutate: func(b *bundle) {
			m := &b.members[b.at("version")]
			m.Typeflag, m.Linkname, m.data = tar.TypeSymlink, "components", nil
		}, want: diff.Differs, kinds: []string{"kind", "link"}},
		{name: "order", mutate: func(b *bundle) {
			m := b.members[b.at("components")]
			b.drop("components")
			b.members = append(b.members, m)
		}, want: diff.Differs, kinds: []string{"order"}},
		{name: "mode", mutate: func(b *bundle) { b.members[b.at(comp+"bin/cargo-fmt")].Mode = 0o644 }, want: diff.Differs, kinds: []string{"mode"}},
		{name: "new file", mutate: func(b *bundle) { b.add(comp+"bin/new", 0o755, "") }, want: diff.Differs, kinds: []string{"only-in-b"}},
		{name: "lost file", mutate: func(b *bundle) { b.drop(comp + "bin/cargo-fmt") }, want: diff.Differs, kinds: []string{"only-in-a"}},
		{name: "a file became a directory", mutate: func(b *bundle) {
			b.drop("version")
			b.members = slices.Insert(b.members, 1, b.member("version", tar.TypeDir, 0o755, ""))
		}, want: diff.Differs, kinds: []string{"kind", "mode"}, text: "directory"},
		{name: "content of a text", mutate: func(b *bundle) { b.replace("version", "1", "2") }, want: diff.Differs, kinds: []string{"content"}},
		{name: "content of a program", mutate: func(b *bundle) {
			b.replace(comp+"bin/cargo-fmt", "Linker: LLD 22.1.0", "Linker: LLD 22.1.1")
		}, want: diff.Differs, kinds: []string{"content"}, text: "first in .comment at byte"},
		{name: "linker of a program", mutate: func(b *bundle) {
			b.replace(comp+"bin/cargo-fmt", "Linker: LLD 22.1.0", "Linker: Wild 0.1.0")
		}, want: diff.Differs, kinds: []string{"content", "linker"}},
		{name: "RUNPATH of a program", mutate: func(b *bundle) {
			b.replace(comp+"bin/cargo-fmt", "$ORIGIN/../lib\x00", "$ORIGIN/../LIB\x00")
		}, want: diff.Differs, kinds: []string{"content", "runpath"}},
		{name: "size within the budget", opts: diff.Options{Budget: 50, IgnoreContent: true},
			mutate: func(b *bundle) { b.replace("version", "1", "11") }, want: diff.AllowedOnly},
		{name: "size over the budget", opts: diff.Options{Budget: 50, IgnoreContent: true},
			mutate: func(b *bundle) { b.replace("version", "1", strings.Repeat("1", 100)) }, want: diff.Differs, kinds: []string{"size"}},
		{name: "allowed", opts: diff.Options{Allow: []diff.Allowance{{Kind: "size", Pattern: "version", Reason: "it may"}}},
			mutate: func(b *bundle) { b.replace("version", "1", "11") }, want: diff.AllowedOnly, kinds: []string{"size"}},
		{name: "cut short", mutate: func(b *bundle) { b.packed = func(z []byte) []byte { return z[:len(z)/2] } },
			want: diff.Differs, kinds: []string{"unreadable"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ext := "gz"
			if tt.ext != "" {
				ext = tt.ext
			}
			a, b := newBundle(t, stem, "gz"), newBundle(t, stem, ext)
			tt.mutate(b)
			opts := tt.opts
			opts.A, opts.B = a.write(t, t.TempDir()), b.write(t, t.TempDir())
			c := compare(t, opts)
			var kinds []string
			for _, d := range c.Differences {
				kinds = append(kinds, d.Kind)
			}
			if c.Unreadable() != slices.Contains(tt.kinds, "unreadable") {
				t.Errorf("got unreadable %t", c.Unreadable())
			}
			if c.Sameness != tt.want {
				t.Errorf("got %q, want %q; differences %+v", c.Sameness, tt.want, c.Differences)
			}
			for _, k := range tt.kinds {
				if !slices.Contains(kinds, k) {
					t.Errorf("got kinds %q, want %s among them", kinds, k)
				}
			}
			if tt.text != "" && (len(c.Differences) == 0 || !strings.Contains(c.Differences[0].B, tt.text)) {
				t.Errorf("got %+v, want %q in the first", c.Differences, tt.text)
			}
		})
	}
}

// Archives are paired by component, target and format, and not by release.
func TestDirectories(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, name := range []string{"cargo-1.95.0-x86_64-unknown-linux-gnu", stem} {
		newBundle(t, name, "gz").write(t, a)
		newBundle(t, name, "xz").write(t, a)
	}
	if c := compare(t, diff.Options{A: a, B: a}); c.Sameness != diff.SameBytes || c.Compared != 4 {
		t.Errorf("itself: got %q of %d archives, want same bytes of 4", c.Sameness, c.Compared)
	}
	newBundle(t, "cargo-1.94.0-x86_64-unknown-linux-gnu", "gz").write(t, b)
	newBundle(t, "cargo-1.94.0-x86_64-unknown-linux-gnu", "xz").write(t, b)
	newBundle(t, stem, "xz").write(t, b)
	c := compare(t, diff.Options{A: a, B: b})
	const renamed = "header field name of every member: the top directories have other names"
	want := []diff.Difference{
		{Kind: "tar", In: "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.gz", B: renamed},
		{Kind: "tar", In: "cargo-1.95.0-x86_64-unknown-linux-gnu.tar.xz", B: renamed},
		{Kind: "only-in-a", In: stem + ".tar.gz"},
	}
	if d := cmp.Diff(want, c.Differences); d != "" || c.Same() || c.Compared != 3 {
		t.Errorf("got %q of %d archives; differences (-want +got):\n%s", c.Sameness, c.Compared, d)
	}
}

// Names that hold a hash or a release are matched, and told.
func TestTrees(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	write := func(root, name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(a, "lib/librustc_driver-6108105cd7e839cf.so", "same")
	write(b, "lib/librustc_driver-b5a965480ee51f9a.so", "same")
	write(a, "lib/libLLVM.so.22.1-rust-1.95.0-stable", "one")
	write(b, "lib/libLLVM.so.23.1-rust-1.97.0-nightly", "two")
	write(a, "lib/rustlib/x", "")
	write(b, "lib/rustlib/x", "")
	if err := os.Symlink("x", filepath.Join(a, "lib/rustlib/l")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("y", filepath.Join(b, "lib/rustlib/l")); err != nil {
		t.Fatal(err)
	}
	c := compare(t, diff.Options{A: a, B: b})
	var got []string
	for _, d := range c.Differences {
		got = append(got, d.Kind+" "+d.Path)
	}
	want := []string{
		"name lib/libLLVM.so.22.1-rust-1.95.0-stable", "content lib/libLLVM.so.22.1-rust-1.95.0-stable",
		"name lib/librustc_driver-6108105cd7e839cf.so", "link lib/rustlib/l",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
	var text bytes.Buffer
	if err := c.WriteText(&text); err != nil || !strings.HasSuffix(text.String(), "\ndifferent\n") {
		t.Errorf("got text %q, %v; want it to end in the verdict", text.String(), err)
	}
	if c := compare(t, diff.Options{A: a, B: a}); c.Sameness != diff.SameBytes {
		t.Errorf("itself: got %q", c.Sameness)
	}
	if _, err := diff.Run(t.Context(), diff.Options{A: a, B: filepath.Join(b, "none"), TempDir: t.TempDir()}); err == nil {
		t.Error("a missing operand: got no error")
	}
}

// All twelve bits of a mode count.
func TestSpecialModes(t *testing.T) {
	for mode, want := range map[os.FileMode]string{os.ModeSetuid: "4755", os.ModeSetgid: "2755", os.ModeSticky: "1755", os.ModeSetuid | os.ModeSticky: "5755"} {
		for _, name := range []string{"d", "d/f"} {
			a, b := t.TempDir(), t.TempDir()
			for _, dir := range []string{a, b} {
				if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, "d", "f"), nil, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(filepath.Join(b, name), mode|0o755); err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(filepath.Join(b, name)); err != nil || info.Mode()&mode != mode {
				continue // as FreeBSD with the sticky bit of a file, for others than root
			}
			c := compare(t, diff.Options{A: a, B: b})
			if d := cmp.Diff([]diff.Difference{{Kind: "mode", Path: name, A: "0755", B: want}}, c.Differences); d != "" {
				t.Errorf("%v of %s (-want +got):\n%s", mode, name, d)
			}
		}
	}
}

// What is neither a directory nor a file is not opened: a FIFO would never answer.
func TestNoFile(t *testing.T) {
	_, err := diff.Run(t.Context(), diff.Options{A: os.DevNull, B: t.TempDir(), TempDir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "neither a directory nor a regular file") {
		t.Errorf("got %v", err)
	}
}

func TestParseAllow(t *testing.T) {
	got, err := diff.ParseAllow([]byte("# intro\n\nonly-in-b share/** # new docs\n* bin/cargo # rewritten\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []diff.Allowance{
		{Kind: "only-in-b", Pattern: "share/**", Reason: "new docs", Line: 3},
		{Kind: "*", Pattern: "bin/cargo", Reason: "rewritten", Line: 4},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("allowances (-want +got):\n%s", d)
	}
	_, err = diff.ParseAllow([]byte("size x\nsizes x # y\nsize # z\nmode [ # bad\nsize **/**/**/**/**/x # slow\n"))
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"line 1: no reason", `line 2: got kind "sizes"`, "line 3: got 1 words", "line 4: malformed glob", "line 5: malformed glob"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func FuzzParseAllow(f *testing.F) {
	f.Add([]byte("only-in-b share/** # new docs\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		allow, err := diff.ParseAllow(b)
		if err != nil && allow != nil {
			t.Error("got both allowances and an error")
		}
		for _, a := range allow {
			if a.Reason == "" || a.Pattern == "" {
				t.Errorf("got %+v without a reason or a pattern", a)
			}
		}
	})
}
