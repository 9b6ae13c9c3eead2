package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/programs"
	"x.go/tests/testenv"
)

// bound returns the settings of a wrapper that bounds threads.
func bound(words string) []programs.Setting {
	return append(slices.Clip(lld), programs.Setting{Name: "threads", Value: words})
}

// The list of symbols that rustc writes for a crate of procedural macros, and for others.
const (
	macros = "{\n  global:\n    __rustc_proc_macro_decls_457948a390457f9a__;\n    rust_metadata_m_457948a390457f9a;\n\n  local:\n    *;\n};\n"
	others = "{\n  global:\n    rust_metadata_m_457948a390457f9a;\n\n  local:\n    *;\n};\n"
)

// The settings bound the threads of LLD, unless the user chooses them. Both programs tell
// the same of it.
func TestThreads(t *testing.T) {
	free := min(runtime.NumCPU(), 16) // what LLD chooses
	script := "build/p-0123456789abcdef/build_script_build-0123456789abcdef"
	for _, tt := range []struct {
		words string
		args  string // FILE is a response file, LIST and OTHER lists of symbols
		file  string
		want  int // 0: no option
		log   string
	}{
		{words: "serial", args: "-o a", want: 1, log: "a: N, the cap"},
		{words: "serial", args: "", want: 1, log: "a.out: N, the cap"},
		{words: "3", args: "-oa", want: 3, log: "a: N, the cap"},
		{words: "4096", args: "--output=a", want: 4096, log: "a: N, as LLD chooses"},
		{words: "leaf", args: "-o target/debug/deps/app", want: free, log: "target/debug/deps/app: N, as LLD chooses"},
		{words: "leaf", args: "-o /t/debug/" + script, want: 1, log: "/t/debug/" + script + ": N, a build script"},
		{words: "leaf", args: "-o t/build/p/0123456789abcdef/out/build_script_main", want: 1, log: "t/build/p/0123456789abcdef/out/build_script_main: N, a build script"},
		{words: "leaf", args: "-o build/build_script_build", want: free, log: "build/build_script_build: N, as LLD chooses"},
		{words: "leaf", args: "-o /home/build/p/target/debug/deps/build_script_utils-0123456789abcdef", want: free,
			log: "/home/build/p/target/debug/deps/build_script_utils-0123456789abcdef: N, as LLD chooses"},
		{words: "leaf", args: "-shared -o libm.so --version-script=LIST", want: 1, log: "libm.so: N, procedural macros"},
		{words: "leaf", args: "-shared -o libm.so -version-script LIST", want: 1, log: "libm.so: N, procedural macros"},
		{words: "leaf", args: "-shared -o libm.so --dynamic-list=LIST", want: 1, log: "libm.so: N, procedural macros"},
		{words: "leaf", args: "-shared -o libm.so --export-dynamic-symbol=__rustc_proc_macro_decls_0__", want: 1, log: "libm.so: N, procedural macros"},
		{words: "leaf", args: "-shared -o libm.so --version-script=OTHER", want: free, log: "libm.so: N, as LLD chooses"},
		{words: "leaf", args: "-shared -o libm.so --version-script=none", want: free, log: "libm.so: N, as LLD chooses"},
		{words: "3,leaf", args: "-o a", want: 3, log: "a: N, the cap"},
		{words: "3,leaf", args: "-o " + script, want: 1, log: script + ": N, a build script"},
		{words: "leaf", args: "@FILE", file: "-o 'build/p-0/build_script_build-0' a.o", want: 1, log: "build/p-0/build_script_build-0: N, a build script"},
		{words: "leaf", args: "-o @FILE", file: "-o build/p-0/build_script_build-0", want: free, log: "@FILE: N, as LLD chooses"},
		{words: "leaf", args: "@FILE", file: "@FILE -o b", want: free, log: "b: N, as LLD chooses"},
		{words: "leaf", args: "@none @. @/dev/null -o b", want: free, log: "b: N, as LLD chooses"},
		{words: "serial", args: "-r a.o -o b", want: 1, log: "b: N, the cap"},
		{words: "serial", args: "--threads=7 -o b", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "-threads=7 -o b", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "--threads 7 -o b", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "-o b -threads 7", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "-o b --no-threads", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "-o b @FILE", file: "a.o\n\"--threads=7\"", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "-o b @FILE", file: "a.o\n-threads\n7", log: "b: no option, the user chooses the threads"},
		{words: "serial", args: "-o b --threadsx --no-threadsx", want: 1, log: "b: N, the cap"},
	} {
		each(t, func(t *testing.T, in *implementation) {
			root := t.TempDir()
			install(t, in.wrapper(t, bound(tt.words)...), root+"/gcc-ld/ld.lld")
			write(t, root+"/rust-lld", "#!/bin/sh\nprintf '<%s>' \"$@\"\n", 0o755)
			write(t, root+"/LIST", macros, 0o644)
			write(t, root+"/OTHER", others, 0o644)
			names := strings.NewReplacer("FILE", root+"/FILE", "LIST", root+"/LIST", "OTHER", root+"/OTHER")
			write(t, root+"/FILE", names.Replace(tt.file), 0o644)
			args := strings.Fields(names.Replace(tt.args))
			r := run(t, []string{"X_LLD_LOG=" + root + "/log"}, append([]string{root + "/gcc-ld/ld.lld"}, args...)...)
			want, n := "<-flavor><gnu>", min(tt.want, free)
			if 0 < tt.want && n < free {
				want += fmt.Sprintf("<--threads=%d>", n)
			}
			for _, arg := range args {
				want += "<" + arg + ">"
			}
			if diff := cmp.Diff(result{0, want, ""}, r); diff != "" {
				t.Errorf("threads %s, %s (-want +got):\n%s", tt.words, tt.args, diff)
			}
			count := fmt.Sprintf("%d threads", n)
			if n == 1 {
				count = "1 thread"
			}
			log := names.Replace(strings.Replace(tt.log, "N,", count+",", 1)) + "\n"
			if n == free {
				log = strings.Replace(log, "the cap", "as LLD chooses", 1)
			}
			if got := string(read(t, root+"/log")); got != log && free > 1 {
				t.Errorf("threads %s, %s: got the log %q, want %q", tt.words, tt.args, got, log)
			}
		})
	}
}

// Other flavors than that of ELF have other options, and no file can be written that
// is a directory.
func TestThreadsElsewhere(t *testing.T) {
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		for _, f := range flavors {
			install(t, in.wrapper(t, bound("serial")...), root+"/gcc-ld/"+f.name)
		}
		write(t, root+"/rust-lld", "#!/bin/sh\nprintf '<%s>' \"$@\"\n", 0o755)
		for _, f := range flavors {
			want := "<-flavor><" + f.flavor + ">"
			if f.flavor == "gnu" && runtime.NumCPU() > 1 {
				want += "<--threads=1>"
			}
			got := run(t, []string{"X_LLD_LOG=" + root}, root+"/gcc-ld/"+f.name, "a")
			if diff := cmp.Diff(result{0, want + "<a>", ""}, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", f.name, diff)
			}
		}
	})
}

// A site's wrapper comes before LLD, and the option still behind the flavor.
func TestThreadsWithSite(t *testing.T) {
	if runtime.NumCPU() == 1 {
		testenv.Missing(t, "a second processor")
	}
	each(t, func(t *testing.T, in *implementation) {
		root := t.TempDir()
		site := filepath.Join(dir, "site")
		write(t, site, "#!/bin/sh\nprintf '<%s>' \"$@\"\n", 0o755)
		settings := append(bound("serial"), programs.Setting{Name: "site", Value: site})
		install(t, in.wrapper(t, settings...), root+"/gcc-ld/ld.lld")
		want := "<" + root + "/rust-lld><-flavor><gnu><--threads=1><-o><a>"
		if diff := cmp.Diff(result{0, want, ""}, run(t, []string{"PATH=" + os.Getenv("PATH")}, root+"/gcc-ld/ld.lld", "-o", "a")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
