package main

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/programs"
)

func TestTargetPrefix(t *testing.T) {
	for driver, want := range map[string]string{
		"":                           "",
		"gcc":                        "",
		"cc":                         "",
		"/usr/bin/gcc-12":            "",
		"/usr/bin/c++":               "",
		"aarch64-linux-gnu-gcc":      "aarch64-linux-gnu-",
		"/x/aarch64-linux-gnu-g++":   "aarch64-linux-gnu-",
		"aarch64-linux-gnu-gcc-12":   "aarch64-linux-gnu-",
		"x86_64-w64-mingw32-gcc.exe": "x86_64-w64-mingw32-",
		"arm-none-eabi-c++":          "arm-none-eabi-",
		"musl-gcc":                   "musl-",
		"my-gccish":                  "",
	} {
		if got := targetPrefix(driver); got != want {
			t.Errorf("targetPrefix(%q): got %q, want %q", driver, got, want)
		}
	}
}

func TestEmulation(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-o a b.o", ""},
		{"-m elf_x86_64 -o a", "elf_x86_64"},
		{"-X -EL -maarch64linux --fix-cortex-a53-843419", "aarch64linux"},
		{"-melf_i386", "elf_i386"},
		{"-m elf_x86_64 -m elf_i386", "elf_i386"},
		{"a -m", ""},
		{"--march -mllvm x", ""},
	} {
		if got := emulation(strings.Fields(tt.args)); got != tt.want {
			t.Errorf("emulation(%q): got %q, want %q", tt.args, got, tt.want)
		}
	}
}

func TestLinkerNames(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Log("the table below is for amd64")
		return
	}
	for _, tt := range []struct {
		name, driver, args string
		want               []string
	}{
		{"no hint", "", "", []string{"ld"}},
		{"native", "gcc", "-m elf_x86_64", []string{"ld"}},
		{"32 bits, which the native ld can", "gcc", "-m elf_i386", []string{"ld"}},
		{"foreign, unknown driver", "", "-m elf64_s390", []string{"s390x-linux-gnu-ld", "ld"}},
		{"foreign, telling driver", "s390x-linux-gnu-gcc", "-m elf64_s390", []string{"s390x-linux-gnu-ld", "ld"}},
		{"telling driver of a vendor", "s390x-ibm-linux-gnu-gcc", "-m elf64_s390", []string{"s390x-ibm-linux-gnu-ld", "s390x-linux-gnu-ld", "ld"}},
		{"unknown emulation", "", "-m elf64alpha", []string{"ld"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, linkerNames(tt.driver, strings.Fields(tt.args))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// ld is a system linker that says where it is.
const ld = "#!/bin/sh\necho \"$0 $*\"\n"

const notFound = "lld-wrapper: could not find the system linker: no % in COMPILER_PATH or PATH; install binutils\n"

// Each case has the wrapper at ~/gcc-ld and calls ld.lld with "-o a", "~" being a
// scratch directory.
func TestSystemLinker(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		for _, tt := range []struct {
			name  string
			files string // system linkers
			links string // "to from": hard link; "to -> from": symlink
			env   string
			args  string
			want  string // what the linker says, or the error
			code  int
		}{
			{name: "PATH", files: "bin/ld", env: "PATH=~/bin", want: "~/bin/ld -o a\n"},
			{name: "first of PATH", files: "b/ld c/ld", env: "PATH=~/a:~/b:~/c", want: "~/b/ld -o a\n"},
			{name: "COMPILER_PATH before PATH", files: "bin/ld cross/bin/ld", env: "COMPILER_PATH=~/gcc-ld/:~/lib/:~/cross/bin/ PATH=~/bin", want: "~/cross/bin/ld -o a\n"},
			{name: "collect-ld before ld", files: "a/ld b/collect-ld", env: "COMPILER_PATH=~/a/:~/b/", want: "~/b/collect-ld -o a\n"},
			{name: "cross driver", files: "bin/ld bin/t-ld", env: "COLLECT_GCC=/usr/bin/t-gcc-12 PATH=~/bin", want: "~/bin/t-ld -o a\n"},
			{name: "cross driver without a linker of its own", files: "bin/ld", env: "COLLECT_GCC=t-gcc PATH=~/bin", want: "~/bin/ld -o a\n"},
			{name: "emulation", files: "bin/ld bin/s390x-linux-gnu-ld", env: "PATH=~/bin", args: "-m elf64_s390", want: "~/bin/s390x-linux-gnu-ld -o a -m elf64_s390\n"},
			{name: "COMPILER_PATH has no names with targets", files: "a/t-ld b/ld", env: "COLLECT_GCC=t-gcc COMPILER_PATH=~/a PATH=~/b", want: "~/b/ld -o a\n"},
			{name: "none", env: "PATH=~/bin", want: option("ld"), code: 1},
			{name: "none, with other names", env: "COLLECT_GCC=t-gcc PATH=~/bin", want: option("t-ld or ld"), code: 1},
			{name: "no PATH", want: option("ld"), code: 1},
			{name: "empty directories are not the current one", files: "cwd/ld", env: "PATH=: COMPILER_PATH=:", want: option("ld"), code: 1},
			{name: "not executable", files: "b/ld", links: "a/ld -> ../text", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "a directory", files: "a/ld/x b/ld", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "symlink to nothing", files: "b/ld", links: "a/ld -> nothing", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "symlink to a linker", files: "b/ld.bfd", links: "a/ld -> ../b/ld.bfd", env: "PATH=~/a", want: "~/a/ld -o a\n"},
			{name: "symlink to the wrapper", files: "b/ld", links: "a/ld -> ../gcc-ld/ld.lld", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "symlink to another name of the wrapper", files: "b/ld", links: "a/ld -> ../gcc-ld/wasm-ld", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "hard link to the wrapper", files: "b/ld", links: "a/ld gcc-ld/ld.lld", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "wrapper named ld in its directory", files: "b/ld", links: "gcc-ld/ld gcc-ld/lld-link", env: "COMPILER_PATH=~/gcc-ld PATH=~/gcc-ld:~/b", want: "~/b/ld -o a\n"},
			{name: "its directory behind a symlink", files: "b/ld gcc-ld/ld", links: "a -> gcc-ld", env: "PATH=~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "wrapper of another toolchain", files: "other/gcc-ld/ld b/ld", links: "a/ld -> ../other/gcc-ld/ld", env: "PATH=~/other/gcc-ld:~/a:~/b", want: "~/b/ld -o a\n"},
			{name: "nothing but wrappers", links: "a/ld -> ../gcc-ld/ld.lld", env: "COMPILER_PATH=~/gcc-ld PATH=~/a:~/gcc-ld", want: option("ld"), code: 1},
		} {
			t.Run(tt.name, func(t *testing.T) {
				root := t.TempDir()
				here := func(s string) string { return strings.ReplaceAll(s, "~", root) }
				for _, f := range flavors {
					install(t, in.wrapper(t, system...), root+"/gcc-ld/"+f.name)
				}
				write(t, root+"/text", ld, 0o644)
				for name := range strings.FieldsSeq(tt.files) {
					write(t, root+"/"+name, ld, 0o755)
				}
				if name, to, ok := strings.Cut(tt.links, " -> "); ok {
					symlink(t, to, root+"/"+name)
				} else if name, to, ok := strings.Cut(tt.links, " "); ok {
					write(t, root+"/"+name, "", 0o644)
					if err := os.Remove(root + "/" + name); err != nil {
						t.Fatal(err)
					}
					if err := os.Link(root+"/"+to, root+"/"+name); err != nil {
						t.Fatal(err)
					}
				}
				argv := append([]string{root + "/gcc-ld/ld.lld", "-o", "a"}, strings.Fields(tt.args)...)
				r := run(t, strings.Fields(here(tt.env)), argv...)
				want := result{Code: tt.code, Out: here(tt.want)}
				if tt.code != 0 {
					want.Out, want.Stderr = "", tt.want
				}
				if diff := cmp.Diff(want, r); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}

func option(names string) string { return strings.ReplaceAll(notFound, "%", names) }

// No system linker writes WebAssembly or PE from these command lines: they stay LLD's.
func TestSystemModeOfOtherFlavors(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		for _, name := range []string{"lld-link", "wasm-ld"} {
			install(t, in.wrapper(t, system...), root+"/gcc-ld/"+name)
		}
		write(t, root+"/bin/ld", ld, 0o755)
		env := []string{"PATH=" + root + "/bin"}
		want := result{1, "", "lld-wrapper: could not exec rust-lld: No such file or directory (os error 2)\n"}
		if diff := cmp.Diff(want, run(t, env, root+"/gcc-ld/wasm-ld")); diff != "" {
			t.Errorf("without rust-lld (-want +got):\n%s", diff)
		}
		write(t, root+"/rust-lld", echo, 0o755)
		for name, flavor := range map[string]string{"lld-link": "link", "wasm-ld": "wasm"} {
			want := result{7, "<" + root + "/rust-lld><-flavor><" + flavor + "><a>", ""}
			if diff := cmp.Diff(want, run(t, env, root+"/gcc-ld/"+name, "a")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestSite(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		site := root + "/site wrapper"
		for mode, want := range map[string]string{
			"lld":    "<" + site + "><" + root + "/rust-lld><-flavor><gnu><-o><a b>",
			"system": "<" + site + "><" + root + "/bin/ld><-o><a b>",
		} {
			path := root + "/gcc-ld/ld.lld"
			install(t, in.wrapper(t, programs.Setting{Name: "mode", Value: mode}, programs.Setting{Name: "site", Value: site}), path)
			write(t, root+"/bin/ld", ld, 0o755)
			env := []string{"PATH=" + root + "/bin"}
			missing := result{1, "", "lld-wrapper: could not exec " + site + ": No such file or directory (os error 2)\n"}
			if diff := cmp.Diff(missing, run(t, env, path)); diff != "" {
				t.Errorf("%s, no site wrapper (-want +got):\n%s", mode, diff)
			}
			write(t, site, echo, 0o755)
			if diff := cmp.Diff(result{7, want, ""}, run(t, env, path, "-o", "a b")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", mode, diff)
			}
			if err := os.Remove(site); err != nil {
				t.Fatal(err)
			}
		}
	})
}
