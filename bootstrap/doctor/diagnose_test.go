package doctor

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// diagnose returns the causes in a log.
func diagnose(t *testing.T, log string) []Cause {
	t.Helper()
	r, err := Diagnose(context.Background(), "log", strings.NewReader(log), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Causes()
}

// failure is a link that LLD refuses, as rustc shows it.
const failure = `   Compiling m v0.1.0 (/home/me/m)
error: linking with ` + "`cc`" + ` failed: exit status: 1
  |
  = note:  "cc" "-m64" "/tmp/rustcX/symbols.o" "<2 object files omitted>" "-Wl,--as-needed" "-Wl,-Bstatic" "-lcount" "-Wl,-Bdynamic" "-lc" "-B<sysroot>/lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld" "-fuse-ld=lld" "-Wl,--eh-frame-hdr" "-o" "m"
  = note: some arguments are omitted. use ` + "`--verbose`" + ` to show all linker arguments
  = note: rust-lld: error: undefined symbol: __stop_cslice
          >>> referenced by lib.c
          >>>               lib.o:(count) in archive ./libcount.a

          rust-lld: error: undefined symbol: __start_cslice
          >>> referenced by lib.c
          >>>               lib.o:(count) in archive ./libcount.a
          >>> the encapsulation symbol needs to be retained under --gc-sections properly; consider -z nostart-stop-gc (see https://lld.llvm.org/ELF/start-stop-gc)
          collect2: error: ld returned 1 exit status

error: could not compile ` + "`m`" + ` (bin "m") due to 1 previous error
`

// TestWrappings hides one failure in the ways in which logs come.
func TestWrappings(t *testing.T) {
	t.Parallel()
	each := func(f func(i int, line string) string) string {
		var out strings.Builder
		for i, line := range strings.Split(failure, "\n") {
			out.WriteString(f(i, line) + "\n")
		}
		return out.String()
	}
	quoted, err := json.Marshal(failure)
	if err != nil {
		t.Fatal(err)
	}
	red := strings.ReplaceAll(failure, "rust-lld: error: ", "rust-lld: \x1b[0;31merror: \x1b[0m")
	for name, log := range map[string]string{
		"plain":            failure,
		"no end":           strings.TrimRight(failure, "\n"),
		"carriage returns": each(func(_ int, l string) string { return l + "\r" }),
		"progress":         strings.ReplaceAll(failure, "   Compiling", "\r\x1b[K    Building [=>  ] 1/2: m\r\x1b[K   Compiling"),
		"colours":          red,
		"hyperlinks":       strings.ReplaceAll(failure, "lib.c", "\x1b]8;;file:///lib.c\x1b\\lib.c\x1b]8;;\x07"),
		"times":            each(func(i int, l string) string { return fmt.Sprintf("2026-03-01T10:00:%02d.1234567Z %s", i%60, l) }),
		"docker":           each(func(i int, l string) string { return fmt.Sprintf("#12 %d.45 %s", i, l) }),
		"crater":           each(func(_ int, l string) string { return "[INFO] [stderr] " + l }),
		"log of docker": each(func(_ int, l string) string {
			b, _ := json.Marshal(map[string]string{"log": l + "\n", "stream": "stderr"})
			return string(b)
		}),
		"make":               each(func(_ int, l string) string { return l + "\nmake[2]: Entering directory '/x'" }),
		"json of cargo":      `{"reason":"compiler-message","message":{"rendered":` + string(quoted) + `,"children":[]}}` + "\n",
		"json of rustc":      `{"$message_type":"diagnostic","message":"linking with` + " `cc` failed" + `","rendered":` + string(quoted) + "}\n",
		"json cut off":       `{"reason":"compiler-message","message":{"rendered":` + string(quoted[:len(quoted)-100]),
		"utf-16":             utf16Text(failure, binary.LittleEndian),
		"utf-16, big endian": utf16Text(failure, binary.BigEndian),
	} {
		r, err := Diagnose(context.Background(), "log", strings.NewReader(log), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Cause{StartStopGC}, r.Causes()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		} else if r.Findings[0].Confidence != High || r.Target.String() != "x86_64-unknown-linux-gnu" {
			t.Errorf("%s: got %s for %s, want high for x86_64-unknown-linux-gnu", name, r.Findings[0].Confidence, r.Target)
		}
	}
}

func utf16Text(s string, order binary.AppendByteOrder) string {
	b := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// TestEvidence compares all that is said of a failure.
func TestEvidence(t *testing.T) {
	t.Parallel()
	r, err := Diagnose(context.Background(), "build.log", strings.NewReader(failure), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, e := range r.Findings[0].Evidence {
		lines = append(lines, e.Line)
		if e.File != "build.log" {
			t.Errorf("got evidence in %q, want build.log", e.File)
		}
	}
	if diff := cmp.Diff([]int{6, 10, 13}, lines); diff != "" {
		t.Errorf("lines of evidence (-want +got):\n%s", diff)
	}
	first := r.Findings[0].Remedies[0]
	if first.Option != "-Clink-arg=-Wl,-z,nostart-stop-gc" || !first.Stable {
		t.Errorf("got first remedy %+v, want -z nostart-stop-gc, stable", first)
	}
}

// TestOptOut asks which flags turn LLD off, and whether they are stable.
func TestOptOut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		target, release string
		want            []string
	}{
		{"x86_64-unknown-linux-gnu", "1.95.0", []string{"-Clinker-features=-lld stable", "-Clink-arg=-fuse-ld=bfd stable"}},
		{"aarch64-unknown-linux-gnu", "1.95.0", []string{"-Clink-arg=-fuse-ld=bfd stable", "-Clinker-features=-lld unstable"}},
		{"x86_64-unknown-linux-gnu", "1.85.0", []string{"-Clink-arg=-fuse-ld=bfd stable"}},
	} {
		log := strings.ReplaceAll(failure, "x86_64-unknown-linux-gnu", test.target)
		log = strings.ReplaceAll(log, "<2 object", "<sysroot>/lib/rustlib/"+test.target+"/lib/{libstd-*}.rlib\" \"<2 object")
		log = "rustc " + test.release + " (abcdef012 2025-01-01)\n" + log
		r, err := Diagnose(context.Background(), "log", strings.NewReader(log), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range r.Findings[0].Remedies {
			if strings.Contains(m.Option, "lld") || strings.Contains(m.Option, "bfd") {
				got = append(got, m.Option+map[bool]string{true: " stable", false: " unstable"}[m.Stable])
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", test.target, test.release, diff)
		}
	}
}

// TestCauses holds the tables to each other: every cause of a rule has a row that says
// what to do, and no remedy is what links and then computes something else.
func TestCauses(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		if !slices.ContainsFunc(causeRows, func(c causeRow) bool { return c.cause == r.cause }) {
			t.Errorf("cause %s has no row", r.cause)
		}
	}
	for _, c := range causeRows {
		if c.summary == "" || len(c.remedies) == 0 || len(c.sources) == 0 {
			t.Errorf("cause %s: got summary %q, %d remedies, %d sources, want all", c.cause, c.summary, len(c.remedies), len(c.sources))
		}
		for _, m := range c.remedies {
			if m.effect == "" || strings.Contains(m.option, "muldefs") || strings.Contains(m.option, "ignore-all") {
				t.Errorf("cause %s: got remedy %q with effect %q", c.cause, m.option, m.effect)
			}
		}
	}
	if n := len(messageRows); n > 128 {
		t.Errorf("got %d rows of messages, want at most 128, the size of an anchorSet", n)
	}
}

// TestOrdinary: mistakes that every linker refuses, and what other linkers say.
func TestOrdinary(t *testing.T) {
	t.Parallel()
	for _, log := range []string{
		"", "\n", "error[E0308]: mismatched types\n",
		"/usr/bin/ld: main.o: in function `main':\nmain.c:(.text+0x5): undefined reference to `nowhere'\ncollect2: error: ld returned 1 exit status\n",
		"rust-lld: error: undefined symbol: nowhere\n>>> referenced by main.rs\n",
		"rust-lld: error: unable to find library -lfoo\ncollect2: error: ld returned 1 exit status\n",
		"mold: error: undefined symbol: __start_foo\n>>> referenced by main.c\n",
		"mold: error: duplicate symbol: main: a.o: b.o\n",
		"/usr/bin/ld: b.o: in function `f': multiple definition of `f'; a.o: first defined here\n",
		"/usr/bin/ld: skipping incompatible ./libforeign.a when searching for -lforeign\n/usr/bin/ld: cannot find -lforeign: No such file or directory\n",
		"/usr/bin/ld: unknown architecture of input file `foreign.o' is incompatible with i386:x86-64 output\n",
		"error: linker flavor `msvc` is incompatible with the current target\n",
		"warning: linker stderr: /usr/bin/ld: ./libodd.so: .dynsym local symbol at index 7 (>= sh_info of 1)\n",
		"rust-lld: error: undefined symbol: operator new(unsigned long)\nrust-lld: error: undefined symbol: __gxx_personality_v0\n>>> referenced by a.o:(.eh_frame)\n",
		"error: linking with `cc` failed: exit status: 1\n  = note: collect2: fatal error: ld terminated with signal 11 [Segmentation fault]\n",
		"error: could not compile `big`\nCaused by:\n  process didn't exit successfully: `rustc --crate-name big` (signal: 9, SIGKILL: kill)\n",
		"error: linking with `cc` failed: exit status: 1\n  = note: \"cc\" \"a.o\" \"-o\" \"m\" \"-Wl,--gc-sections\" \"-fuse-ld=bfd\"\n  = note: collect2: fatal error: cannot find 'ld'\n",
		"error: failed to write: No space left on device (os error 28)\nrust-lld: error: x\ncollect2: fatal error: ld terminated with signal 7 [Bus error], core dumped\n",
		"test result: FAILED. signal: 11, SIGSEGV: invalid memory reference\n",
		"./prog: error while loading shared libraries: libssl.so.3: cannot open shared object file: No such file or directory\n",
	} {
		if got := diagnose(t, log); len(got) != 0 {
			t.Errorf("got %v, want nothing, for:\n%s", got, log)
		}
	}
}

// TestTexts leads texts to their causes.
func TestTexts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		want Cause
		log  string
	}{
		// LLD's words for one mistake have changed.
		{ShlibUndefined, "ld.lld: error: ./.libs/libslapd.so: undefined reference to __rust_probestack [--no-allow-shlib-undefined]"},
		{ShlibUndefined, "ld.lld: error: undefined reference due to --no-allow-shlib-undefined: numa_sched_setaffinity\n>>> referenced by /opt/rocm/lib/libamdhip64.so"},
		{ShlibUndefined, "/usr/bin/ld.lld-20: error: undefined reference: lz_decode\n>>> referenced by ./libptracey.so (disallowed by --no-allow-shlib-undefined)"},
		{InvalidLocalSymbol, "ld.lld: error: found local symbol '_edata' in global part of symbol table in file /usr/lib/liba.so"},
		{InvalidLocalSymbol, "rust-lld: error: ./libodd.so: invalid local symbol 'odd' in global part of symbol table"},
		{CompressedDebug, "rust-lld: error: a.o: contains a compressed section, but zlib is not available"},
		{CompressedDebug, "rust-lld: error: /usr/lib/libc.a(write.lo):(.debug_info) is compressed with ELFCOMPRESS_ZLIB, but lld is not built with zlib support"},
		{CompressedDebug, "rust-lld: error: --compress-debug-sections: LLVM was not built with LLVM_ENABLE_ZSTD or did not find zstd at build time"},
		{TextRelocation, "ld.lld: error: can't create dynamic relocation R_X86_64_64 against local symbol in readonly segment; recompile object files with -fPIC or pass '-Wl,-z,notext' to allow text relocations in the output"},
		{TextRelocation, "rust-lld: error: relocation R_X86_64_64 cannot be used against local symbol; recompile with -fPIC"},
		{Incompatible, "ld.lld: error: /x/libnrf.a(a.c.o) is incompatible with elf_x86_64"},
		{Incompatible, "ld: error: libfoo.a(bar.o) is incompatible with main.o"},
		{LostVersion, "ld.lld: error: version script assignment of 'GCC_3.0' to symbol '_Unwind_DeleteException' failed: symbol not defined"},
		{StartStopGC, "ld.lld: error: undefined hidden symbol: __start_linkme_BENCHMARKS\n>>> referenced by x\n>>> the encapsulation symbol needs to be retained under --gc-sections properly"},
		{UnresolvedAtRunTime, "warning: linker stderr: rust-lld: warning: undefined symbol: nowhere"},
		{UnresolvedAtRunTime, "RUSTFLAGS=-Clink-arg=-Wl,--warn-unresolved-symbols\n./m: symbol lookup error: ./m: undefined symbol: napi_typeof"},
		{BitcodeVersion, "ld.lld: error: a.o: Unknown attribute kind (91) (Producer: 'LLVM19.1.0-rust-1.83.0-stable' Reader: 'LLVM 18.1.8')"},
		{LinkerOption, "rust-lld: error: unknown argument '--no-keep-memory'"},
		// Programs around LLD.
		{NoLLD, "clang: error: invalid linker name in argument '-fuse-ld=lld'"},
		{NoLLD, "clang-15: error: invalid linker name in '-fuse-ld=lld'"},
		{NoLLD, "collect2: fatal error: cannot find 'ld'\ncompilation terminated."},
		{NoLLD, "collect2: schwerwiegender Fehler: »ld« kann nicht gefunden werden\nKompilierung beendet."},
		{NoLLD, "collect2: erreur fatale: « ld » introuvable"},
		{NoLLD, "collect2: 致命的エラー: ‘ld’ が見つかりません"},
		{NoLLD, "error: the self-contained linker was requested, but it wasn't found in the target's sysroot, or in rustc's sysroot"},
		{NoLLD, "lld-wrapper: could not exec rust-lld: No such file or directory (os error 2)"},
		{NoLLD, "/x/rust-lld: error while loading shared libraries: libLLVM.so.22.1-rust-1.95.0-stable: cannot open shared object file"},
		{NoLLD, "error: linker `rust-lld` not found\n  |\n  = note: No such file or directory (os error 2)"},
		{OldDriver, "gcc: error: unrecognized command line option '-fuse-ld=lld'"},
		{OldDriver, "gcc: Fehler: nicht erkannte Kommandozeilenoption »-fuse-ld=lld«"},
		{OldDriver, "cc: error: unrecognized command line option ‘\x1b[01m\x1b[K-fuse-ld=lld\x1b[m\x1b[K’"},
		{Memory, "error: linking with `cc` failed: exit status: 1\n  = note: \"cc\" \"a.o\" \"-fuse-ld=lld\" \"-o\" \"m\"\n  = note: collect2: fatal error: ld terminated with signal 9 [Killed]"},
		{Memory, "collect2: schwerwiegender Fehler: ld mit Signal 9 [Getötet] beendet"},
		{Memory, "error: linking with `rust-lld` failed: signal: 9 (SIGKILL)\n"},
		{Memory, "clang: error: unable to execute command: Bus error (core dumped)"},
		{Memory, "error: linking with `cc` failed: exit status: 1\n  = note: LLVM ERROR: out of memory"},
		{Gold, "warning: the gold linker is deprecated and has known bugs with Rust"},
		{NoDriver, "error: linking with `rust-lld` failed: exit status: 1\n  = note: rust-lld: error: unable to find library -lgcc_s"},
		{SelfContainedCrash, "     Running `rustc --crate-name m -Clink-self-contained=y`\nerror: test failed\n  (signal: 11, SIGSEGV: invalid memory reference)"},
		{LTOObjects, "ar: a.o: plugin needed to handle lto object\nrust-lld: error: undefined symbol: SpdmInit"},
		{LostRunPath, "PATH=/nix/store/x-gcc/bin\ntarget/debug/m: error while loading shared libraries: libssl.so.3: cannot open shared object file"},
	} {
		if diff := cmp.Diff([]Cause{test.want}, diagnose(t, test.log+"\n")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.log, diff)
		}
	}
}
