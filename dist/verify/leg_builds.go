package verify

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// program is Rust source and what it prints.
type program struct {
	source string
	prints string
}

var helloProgram = program{
	source: `fn main() {
    let words: Vec<String> = ["linked", "and", "run"].iter().map(|w| w.to_string()).collect();
    println!("{}", words.join(" "));
}
`,
	prints: "linked and run\n",
}

// sectionProgram needs the linker to keep a section whose only references are
// its encapsulation symbols: LLD drops it unless rustc marks it retained
// (rust-lang/rust#140872).
var sectionProgram = program{
	source: `#[used]
#[link_section = "x_verify"]
static FIRST: u32 = 40;
#[used]
#[link_section = "x_verify"]
static SECOND: u32 = 2;
extern "C" {
    static __start_x_verify: u32;
    static __stop_x_verify: u32;
}
fn main() {
    let sum: u32 = unsafe {
        let start = std::ptr::addr_of!(__start_x_verify);
        let stop = std::ptr::addr_of!(__stop_x_verify);
        std::slice::from_raw_parts(start, stop.offset_from(start) as usize).iter().sum()
    };
    println!("{}", sum);
}
`,
	prints: "42\n",
}

// write writes a file into the leg's directory and returns its path.
func (b *bench) write(name, text string, mode fs.FileMode) (string, error) {
	path := filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, []byte(text), mode)
}

// compile compiles source and returns the output of the compiler.
func (b *bench) compile(ctx context.Context, t *toolchain, source, out string, flags ...string) (result, error) {
	in, err := b.write("main.rs", source, 0o644)
	if err != nil {
		return result{}, err
	}
	args := append([]string{"--edition=2021", in, "-o", out}, flags...)
	return t.rustc(ctx, b.dir, append(args, t.witnessFlags()...)...), nil
}

// rustcLeg compiles, links and runs one program.
func rustcLeg(p program, flags ...string) func(context.Context, *bench) built {
	return func(ctx context.Context, b *bench) built {
		return b.linkProgram(ctx, b.toolchain, p, flags...)
	}
}

func (b *bench) linkProgram(ctx context.Context, t *toolchain, p program, flags ...string) built {
	out := filepath.Join(b.dir, "program")
	r, err := b.compile(ctx, t, p.source, out, flags...)
	if err != nil {
		return built{failure: err.Error()}
	}
	if !r.ok() {
		return t.unbuilt(r)
	}
	return built{products: []product{{out, []string{}, p.prints}}, witness: findWitness(r.output)}
}

// systemLLDLeg puts an ld.lld into PATH that is the archives' own.
func systemLLDLeg(ctx context.Context, b *bench) built {
	bin := filepath.Join(b.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return built{failure: err.Error()}
	}
	if err := os.Symlink(b.wrapperPath("ld.lld"), filepath.Join(bin, "ld.lld")); err != nil {
		return built{failure: err.Error()}
	}
	t := *b.toolchain
	t.search = bin + ":" + t.search
	return b.linkProgram(ctx, &t, helloProgram, "-Clink-self-contained=-linker")
}

// noSystemLLDLeg must fail: rustc drops the directory of its own LLD, but still
// asks for -fuse-ld=lld. A link that succeeds used another linker silently. The
// machine's own LLD is hidden from it: in PATH, and in a sandbox where the C compiler has
// one of its own.
func noSystemLLDLeg(ctx context.Context, b *bench) built {
	hidden, err := hideLLD(b.path("bin")+":"+b.search, filepath.Join(b.dir, "path"))
	if err != nil {
		return built{failure: err.Error()}
	}
	t := *b.toolchain
	t.wholePath = hidden
	for lld := t.unhiddenLLD(ctx, b.dir); lld != ""; lld = t.unhiddenLLD(ctx, b.dir) {
		more := t.box.hiding(lld)
		if more == nil {
			return built{skipped: fmt.Sprintf("this machine has %s, which a PATH cannot hide from its C compiler", lld)}
		}
		t.box = more
	}
	out := b.linkProgram(ctx, &t, helloProgram, "-Clink-self-contained=-linker")
	if strings.Contains(out.failure, "cannot find 'ld'") || strings.Contains(out.failure, "invalid linker name") {
		return built{refused: "refused, as there is no ld.lld: " + out.failure}
	}
	return out
}

// unhiddenLLD returns the ld.lld that the C compiler finds although PATH has
// none: GCC and clang look in the directories of their own installation first.
func (t *toolchain) unhiddenLLD(ctx context.Context, dir string) string {
	if path, err := lookPath("ld.lld", t.wholePath); err == nil {
		return path // in a directory that cannot be listed
	}
	cc, err := lookPath("cc", t.wholePath)
	if err != nil {
		return ""
	}
	r := command{path: cc, args: []string{"-print-prog-name=ld.lld"}, dir: dir, env: t.env(), box: t.box}.run(ctx)
	if path := strings.TrimSpace(r.output); r.ok() && filepath.IsAbs(path) {
		return path
	}
	return ""
}

const libSource = `#[no_mangle]
pub extern "C" fn x_verify_answer() -> i32 {
    let parts = vec![40, 2];
    parts.iter().sum()
}
`

const libUser = `#include <stdio.h>
int x_verify_answer(void);
int main(void) { printf("%d\n", x_verify_answer()); return 0; }
`

// cdylibLeg links a C library in Rust and a C program against it.
func cdylibLeg(ctx context.Context, b *bench) built {
	lib := filepath.Join(b.dir, "libanswer.so")
	r, err := b.compile(ctx, b.toolchain, libSource, lib, "--crate-type=cdylib")
	if err != nil {
		return built{failure: err.Error()}
	}
	if !r.ok() {
		return b.unbuilt(r)
	}
	user, why := b.compileC(ctx, "-L"+b.dir, "-lanswer", "-Wl,-rpath,"+b.dir)
	if why != "" {
		return built{failure: why}
	}
	out := built{products: []product{{path: lib}}, witness: findWitness(r.output), unrun: b.runsNone(user)}
	if out.unrun != "" {
		return out
	}
	c := b.own(ctx, b.dir, user)
	if out.unrun = b.cannotRun(c, filepath.Base(lib)); out.unrun == "" && (!c.ok() || c.output != "42\n") {
		return built{failure: fmt.Sprintf("running a C program with the library: %s", c.why())}
	}
	return out
}

// staticlibLeg gives a Rust library to the C compiler to link.
func staticlibLeg(ctx context.Context, b *bench) built {
	lib := filepath.Join(b.dir, "libanswer.a")
	r, err := b.compile(ctx, b.toolchain, libSource, lib, "--crate-type=staticlib", "--print", "native-static-libs")
	if err != nil {
		return built{failure: err.Error()}
	}
	if !r.ok() {
		return b.unbuilt(r)
	}
	user, why := b.compileC(ctx, append([]string{lib}, nativeLibs(r.output)...)...)
	if why != "" {
		return built{failure: why}
	}
	return built{products: []product{{user, []string{}, "42\n"}}}
}

// nativeLibs reads what a staticlib needs from the compiler's note.
func nativeLibs(output string) []string {
	for line := range strings.Lines(output) {
		if _, libs, ok := strings.Cut(line, "native-static-libs: "); ok {
			return strings.Fields(libs)
		}
	}
	return nil
}

// compileC compiles the C program that calls the Rust library.
func (b *bench) compileC(ctx context.Context, flags ...string) (path, why string) {
	in, err := b.write("user.c", libUser, 0o644)
	if err != nil {
		return "", err.Error()
	}
	out := filepath.Join(b.dir, "user")
	r := command{path: b.cc, args: append([]string{in, "-o", out}, flags...), dir: b.dir, env: b.env(), box: b.box}.run(ctx)
	if !r.ok() {
		return "", "compiling a C program: " + r.why()
	}
	return out, ""
}

// oldDriver rejects -fuse-ld=lld in the words of GCC before 9. rustc then
// links once more without it and says nothing (rust-lang/rust#140964).
const oldDriver = `#!/bin/sh
for arg in "$@"; do
    if [ "$arg" = -fuse-ld=lld ]; then
        echo "gcc: error: unrecognized command line option '-fuse-ld=lld'" >&2
        exit 1
    fi
done
exec '%s' "$@"
`

// oldDriverLeg proves that verdicts do not rest on exit statuses: the link succeeds,
// but the product must show that LLD did not link it.
func oldDriverLeg(ctx context.Context, b *bench) built {
	driver, err := b.write("cc", fmt.Sprintf(oldDriver, strings.ReplaceAll(b.cc, "'", `'\''`)), 0o755)
	if err != nil {
		return built{failure: err.Error()}
	}
	return b.linkProgram(ctx, b.toolchain, helloProgram, "-Clinker="+driver)
}
