package toolchain

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/testenv"
)

// realInputs reads rustup's toolchains, each once for all tests.
var realInputs = map[string]func(sysroot string) (toolchainInput, error){"stable": readOnce(), "nightly": readOnce()}

type toolchainInput struct {
	Toolchain
	Input
}

func readOnce() func(string) (toolchainInput, error) {
	var once sync.Once
	var ti toolchainInput
	var err error
	return func(sysroot string) (toolchainInput, error) {
		once.Do(func() {
			ti.Toolchain, err = Find(context.Background(), Source{Sysroot: sysroot, Env: os.Environ()})
			if err == nil {
				ti.Input, err = ReadInput(ti.Toolchain)
			}
		})
		return ti, err
	}
}

// eachReal runs a test on rustup's stable and nightly toolchains.
func eachReal(t *testing.T, test func(t *testing.T, tc Toolchain, in Input)) {
	for name, read := range realInputs {
		t.Run(name, func(t *testing.T) {
			ti, err := read(testenv.Sysroot(t, name))
			if err != nil {
				t.Fatal(err)
			}
			test(t, ti.Toolchain, ti.Input)
		})
	}
}

// TestOwnersAgreeWithLists sorts the same tree by its lists and by the table of
// owners, which serves for trees without lists.
func TestOwnersAgreeWithLists(t *testing.T) {
	eachReal(t, func(t *testing.T, tc Toolchain, listed Input) {
		for _, c := range listed.Components {
			for e := range c.Image.Entries() {
				archive, _, ok := manifests.OwnerOf(e.Name, tc.Host)
				if archive != c.Spec.Archive || !ok {
					t.Errorf("owner of %q: got %q, want %q", e.Name, archive, c.Spec.Archive)
				}
			}
		}
	})
}

// tree writes a sysroot from names: "a" is a file, "a/" an empty directory,
// "a -> b" a symbolic link, "a = text" a file with that text and a line feed.
func tree(t *testing.T, names ...string) Toolchain {
	t.Helper()
	root := t.TempDir()
	for _, n := range names {
		name, link, isLink := strings.Cut(n, " -> ")
		name, text, _ := strings.Cut(name, " = ")
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch {
		case isLink:
			err = os.Symlink(link, p)
		case strings.HasSuffix(name, "/"):
			err = os.MkdirAll(p, 0o755)
		default:
			err = os.WriteFile(p, []byte(text+"\n"), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return Toolchain{Sysroot: root, Host: triple(t, "x86_64-unknown-linux-gnu")}
}

// listing returns the files of an input as "component: name".
func listing(in Input) []string {
	var out []string
	for _, c := range in.Components {
		for e := range c.Image.Entries() {
			out = append(out, c.Spec.Dir(c.Target)+": "+e.Name)
		}
	}
	for _, n := range in.Unowned {
		out = append(out, "-: "+n)
	}
	return out
}

func TestReadInputByTable(t *testing.T) {
	const libs = "lib/rustlib/x86_64-unknown-linux-gnu/lib/"
	stage2 := []string{
		"bin/rustc", "bin/cargo", "bin/mine", "lib/librustc_driver-1.so", libs + "libstd-1.so", libs + "libcore-1.rlib",
		libs + "libcopy-1.so -> libstd-1.so", "lib/rustlib/src/rust -> ../../../bin", "lib/rustlib/components", "README",
		"lib/rustlib/wasm32-wasip1/lib/libcore-2.rlib",
	}
	want := []string{
		"cargo: bin/cargo",
		"rust-std-wasm32-wasip1: lib/rustlib/wasm32-wasip1/lib/libcore-2.rlib",
		"rust-std-x86_64-unknown-linux-gnu: " + libs + "libcopy-1.so",
		"rust-std-x86_64-unknown-linux-gnu: " + libs + "libcore-1.rlib",
		"rust-std-x86_64-unknown-linux-gnu: " + libs + "libstd-1.so",
		"rustc: bin/rustc",
		"rustc: lib/librustc_driver-1.so",
	}
	alone := append(want[:len(want):len(want)], "-: README", "-: bin/mine", "-: lib/rustlib/src/rust")
	tests := []struct {
		name  string
		extra []string
		want  []string
	}{
		{"a sysroot of its own", nil, alone},
		{"a sysroot shared with a system", []string{"sbin/init", "lib/libc.so", "share/doc/other/README", "lib/rustlib/odd"},
			append(want[:len(want):len(want)], "-: lib/rustlib/odd", "-: lib/rustlib/src/rust")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := ReadInput(tree(t, append(stage2, tt.extra...)...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, listing(in)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadInputByLists(t *testing.T) {
	lists := map[string]string{
		"as rustup has them":     "file:bin/cargo\nfile:etc/cargo",
		"as install.sh has them": "file:/opt/rust/bin/cargo\nfile:/opt/rust/etc/cargo",
		"with a bulk directory":  "dir:etc\nfile:bin/cargo",
	}
	for name, list := range lists {
		for _, record := range []string{"manifest-cargo-x86_64-unknown-linux-gnu", "manifest-cargo"} {
			t.Run(name+", "+record, func(t *testing.T) {
				in, err := ReadInput(tree(t, "bin/cargo", "etc/cargo", "bin/extra", "lib/rustlib/"+record+" = "+list))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]string{"cargo: bin/cargo", "cargo: etc/cargo", "-: bin/extra"}, listing(in)); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestReadInputErrors(t *testing.T) {
	const manifest = "lib/rustlib/manifest-"
	tests := []struct {
		name  string
		files []string
		want  []string
	}{
		{"unknown component", []string{manifest + "frobnicator = file:bin/x"}, []string{`got component "frobnicator"`}},
		{"bad directive", []string{manifest + "cargo = exec:bin/x"}, []string{`want file:PATH or dir:PATH`}},
		{"escape", []string{manifest + "cargo = file:../x"}, []string{`got path "../x"`}},
		{"two owners", []string{manifest + "cargo = file:bin/cargo", manifest + "rustc = file:bin/cargo", "bin/cargo"},
			[]string{`file "bin/cargo" belongs to both cargo and rustc`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadInput(tree(t, tt.files...))
			if err == nil {
				t.Fatal("got no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %v, want an error with %q", err, w)
				}
			}
		})
	}
}

// TestBrokenFiles has files that cannot be packaged: they are those of one component.
func TestBrokenFiles(t *testing.T) {
	const manifest = "lib/rustlib/manifest-"
	tests := []struct {
		name  string
		files []string
		want  []string // of the first component, in order
	}{
		{"absent file", []string{manifest + "cargo = file:bin/cargo\nfile:bin/gone", "bin/cargo"}, []string{`names "bin/gone", which the sysroot does not have`}},
		{"absent directory", []string{manifest + "rust-docs = dir:share/doc/rust/html"}, []string{`names "share/doc/rust/html", which the sysroot does not have`}},
		{"link loop", []string{"bin/rustc -> rustdoc", "bin/rustdoc -> rustc"}, []string{"too many levels of symbolic links", "too many levels of symbolic links"}},
		{"dangling link", []string{"bin/rustc -> gone"}, []string{"no such file or directory: repair or remove the link"}},
		{"dangling link of a list", []string{manifest + "cargo = file:bin/cargo", "bin/cargo -> gone"}, []string{"no such file or directory: repair or remove the link"}},
		{"link in a listed directory", []string{manifest + "rust-docs = dir:share/doc/rust/html", "share/doc/rust/html/a -> b"}, []string{"a symbolic link"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := ReadInput(tree(t, tt.files...))
			if err != nil {
				t.Fatal(err)
			}
			if got := in.Components[0].Broken; len(got) != len(tt.want) {
				t.Fatalf("got %v, want %q", got, tt.want)
			}
			for i, w := range tt.want {
				if got := in.Components[0].Broken[i].Err.Error(); !strings.Contains(got, w) {
					t.Errorf("got %v, want an error with %q", got, w)
				}
			}
		})
	}
}

// TestComponentVersions compares what the tools say with the versions that the
// official channel has for them.
func TestComponentVersions(t *testing.T) {
	eachReal(t, func(t *testing.T, tc Toolchain, in Input) {
		data, err := os.ReadFile(filepath.Join(tc.Sysroot, "lib/rustlib/multirust-channel-manifest.toml"))
		if err != nil {
			t.Fatal(err)
		}
		channel, err := manifests.ParseChannel(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range in.Components {
			got, err := tc.ComponentVersion(t.Context(), c.Spec)
			if err != nil {
				t.Error(err)
			}
			if want := channel.Packages[c.Spec.Package].Version; got != want {
				t.Errorf("version of %s: got %q, want %q", c.Spec.Archive, got, want)
			}
		}
	})
}

func triple(t testing.TB, s string) targets.Triple {
	t.Helper()
	tr, err := targets.ParseTriple(s)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
