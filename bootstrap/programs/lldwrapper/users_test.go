package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

const noLLD = "lld-wrapper: could not find the LLD that -fuse-ld=lld asks for: no ld.lld in COMPILER_PATH or PATH, " +
	"and the default of this toolchain is the system linker; install lld\n"

// Each case has options as gcc tells them, with ld and ld.lld in PATH.
func TestUsersLLD(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		for _, name := range []string{"ld.lld", "ld64.lld"} {
			install(t, in.wrapper(t, system...), root+"/gcc-ld/"+name)
			install(t, in.wrapper(t, system...), root+"/other/gcc-ld/"+name)
		}
		for _, name := range []string{"bin/ld", "bin/ld.lld", "bin/ld64.lld", "bin/t-ld.lld", "cross/ld.lld", "none/ld", "loop/ld"} {
			write(t, root+"/"+name, ld, 0o755)
		}
		symlink(t, "../gcc-ld/ld.lld", root+"/loop/ld.lld")
		for _, tt := range []struct{ name, options, env, run, want string }{
			{name: "rustc's", options: "'-m64' '-B' '~/gcc-ld' '-fuse-ld=lld' '-o' 'a'", want: "ld"},
			{name: "rustc's, joined", options: "'-B~/gcc-ld' '-fuse-ld=lld'", want: "ld"},
			{name: "rustc's, two directories", options: "'-B' '~/other/gcc-ld' '-B' '~/gcc-ld/' '-fuse-ld=lld'", want: "ld"},
			{name: "the user's, later", options: "'-B' '~/gcc-ld' '-o' 'a' '-fuse-ld=lld'", want: "ld.lld"},
			{name: "both", options: "'-B' '~/gcc-ld' '-fuse-ld=lld' '-fuse-ld=lld'", want: "ld.lld"},
			{name: "bfd before", options: "'-fuse-ld=bfd' '-B' '~/gcc-ld' '-fuse-ld=lld'", want: "ld"},
			{name: "without a directory", options: "'-fuse-ld=lld'", want: "ld.lld"},
			{name: "another directory between", options: "'-B' '~/gcc-ld' '-B' '/usr/lib' '-fuse-ld=lld'", want: "ld.lld"},
			{name: "a name like it", options: "'-B' '~/my-gcc-ld' '-fuse-ld=lld'", want: "ld.lld"},
			{name: "a value like the option", options: "'-B' '-fuse-ld=lld' '-o' 'a'", want: "ld"},
			{name: "quotes", options: `'-DA='\''-fuse-ld=lld'\''' '-o' 'a b'`, want: "ld"},
			{name: "blanks in the directory", options: "'-B' '~/a b/gcc-ld' '-fuse-ld=lld'", want: "ld"},
			{name: "another linker last", options: "'-fuse-ld=lld' '-fuse-ld=bfd'", want: "ld"},
			{name: "no options", want: "ld"},
			{name: "of the cross compiler", options: "'-fuse-ld=lld'", env: "COLLECT_GCC=/usr/bin/t-gcc-12 PATH=~/bin", want: "t-ld.lld"},
			{name: "in COMPILER_PATH", options: "'-fuse-ld=lld'", env: "COLLECT_GCC=gcc COMPILER_PATH=~/gcc-ld/:~/cross/ PATH=~/bin", want: "~/cross/ld.lld"},
			{name: "none", options: "'-fuse-ld=lld'", env: "COLLECT_GCC=gcc PATH=~/none", want: noLLD},
			{name: "none but wrappers", options: "'-fuse-ld=lld'", env: "COLLECT_GCC=gcc COMPILER_PATH=~/gcc-ld:~/other/gcc-ld PATH=~/loop", want: noLLD},
			{name: "for darwin", options: "'-fuse-ld=lld'", run: "ld64.lld", want: "ld64.lld"},
		} {
			t.Run(tt.name, func(t *testing.T) {
				here := func(s string) string { return strings.ReplaceAll(s, "~", root) }
				env := []string{"COLLECT_GCC_OPTIONS=" + here(tt.options)}
				if tt.env == "" {
					tt.env = "PATH=~/bin"
				}
				if tt.run == "" {
					tt.run = "ld.lld"
				}
				r := run(t, append(env, strings.Fields(here(tt.env))...), root+"/gcc-ld/"+tt.run, "-o", "a")
				want := result{Out: here(tt.want) + " -o a\n"}
				switch {
				case tt.want == noLLD:
					want = result{1, "", noLLD}
				case !strings.HasPrefix(tt.want, "~"):
					want.Out = root + "/bin/" + want.Out
				}
				if diff := cmp.Diff(want, r); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	})
}

// The drivers tell the shim whose -fuse-ld=lld it is, each in its way, in response
// files too.
func TestUsersLLDOfDrivers(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		shim := gccLD(t, in.wrapper(t, system...))
		for _, driver := range []string{"gcc", "clang"} {
			t.Run(driver, func(t *testing.T) {
				program := testenv.Need(t, driver)
				dir := t.TempDir()
				write(t, dir+"/a.c", hello, 0o644)
				write(t, dir+"/bin/ld.lld", "#!/bin/sh\necho '<the LLD of the system>'\n", 0o755)
				write(t, dir+"/users", "-L. '-fuse-ld=lld'\n", 0o644)
				write(t, dir+"/all", "\"-B"+shim+"\" -fuse-ld=lld\n-Wl,--eh-frame-hdr\n-o "+dir+"/a\n", 0o644)
				rustcs := "-B" + shim + " -fuse-ld=lld -Wl,--eh-frame-hdr -o " + dir + "/a"
				for options, want := range map[string]bool{
					rustcs:                              false,
					rustcs + " -fuse-ld=lld":            true,
					rustcs + " @" + dir + "/users":      true,
					"@" + dir + "/all":                  false,
					"@" + dir + "/all -L. -fuse-ld=lld": true,
				} {
					env := []string{"PATH=" + dir + "/bin:" + os.Getenv("PATH"), "LC_ALL=C", "TMPDIR=" + os.TempDir()}
					r := run(t, env, append([]string{program, dir + "/a.c"}, strings.Fields(options)...)...)
					if got := strings.Contains(r.Out, "<the LLD of the system>"); r.Code != 0 || got != want {
						// clang prefers an LLD beside itself.
						if _, err := os.Stat(dir + "/a"); want && driver == "clang" && err == nil && strings.Contains(comment(t, dir+"/a"), "LLD") {
							continue
						}
						t.Errorf("%s: got the user's LLD %v, want %v: %+v", options, got, want, r)
					}
				}
			})
		}
	})
}

// Every emulation that the program in Go knows leads the guest program to the same
// linkers.
func TestEmulationsAlike(t *testing.T) {
	needGuest(t)
	root := t.TempDir()
	for i, in := range []*implementation{&inGo, &guest} {
		install(t, in.wrapper(t, system...), root+"/"+[]string{"go", "guest"}[i]+"/gcc-ld/ld.lld")
	}
	write(t, root+"/plain/ld", ld, 0o755)
	for _, e := range emulations {
		for triple := range strings.FieldsSeq(e.triples) {
			dir := root + "/" + triple
			write(t, dir+"/"+triple+"-ld", ld, 0o755)
			env := []string{"PATH=" + dir + ":" + root + "/plain"}
			want := run(t, env, root+"/go/gcc-ld/ld.lld", "-m", e.name)
			if diff := cmp.Diff(want, run(t, env, root+"/guest/gcc-ld/ld.lld", "-m", e.name)); diff != "" || want.Code != 0 {
				t.Errorf("%s, %s (-go +guest):\n%s", e.name, triple, diff)
			}
		}
	}
}
