package runx

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"x.go/tests/testenv"
)

// tinyRustc answers what x asks a compiler, and under another name the version that x asks cargo and
// other tools for.
const tinyRustc = `
#include <stdio.h>
#include <string.h>
int main(int n, char **args) {
	for (int i = 1; i < n; i++) {
		if (!strcmp(args[i], "-vV")) {
			puts("rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860\n"
				"commit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2");
			return 0;
		}
		if (!strcmp(args[i], "target-spec-json")) {
			puts("{\"arch\": \"x86_64\", \"env\": \"gnu\", \"os\": \"linux\", \"linker-flavor\": \"gnu-lld-cc\", \"link-self-contained\": {\"components\": [\"linker\"]},"
				"\"llvm-target\": \"x86_64-unknown-linux-gnu\", \"data-layout\": \"e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128\","
				"\"target-family\": [\"unix\"], \"target-pointer-width\": 64, \"dynamic-linking\": true, \"crt-static-respected\": true, \"max-atomic-width\": 64}");
			return 0;
		}
	}
	if (!strstr(args[0], "bin/rustc")) {
		puts("cargo 1.95.0 (f2d3ce0bd 2026-03-21)");
		return 0;
	}
	return 1;
}
`

// TinySysroot creates a sysroot in dir that x takes for a toolchain: its compiler says
// what it is, and the other files are text.
func TinySysroot(t *testing.T, dir string) {
	t.Helper()
	const host = "lib/rustlib/x86_64-unknown-linux-gnu/"
	for _, name := range []string{
		"bin/rustdoc", "lib/librustc_driver-0123.so", host + "lib/libstd-0123.rlib", host + "lib/libcore-0123.rlib",
		host + "bin/rust-lld", host + "bin/gcc-ld/ld.lld", host + "bin/gcc-ld/ld64.lld", host + "bin/gcc-ld/lld-link", host + "bin/gcc-ld/wasm-ld",
		"lib/rustlib/etc/lldb_commands",
	} {
		path := filepath.Join(dir, name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		var text strings.Builder
		for i := range 300 {
			fmt.Fprintln(&text, name, i)
		}
		testenv.Must(t, os.WriteFile(path, []byte(text.String()), 0o755))
	}
	program, err := compiledRustc(testenv.Need(t, "gcc"))
	testenv.Must(t, err)
	for _, name := range []string{"bin/rustc", "bin/cargo"} {
		testenv.Must(t, writeProgram(filepath.Join(dir, name), program))
	}
}

// writeProgram writes an executable file. No concurrent fork may inherit a descriptor of
// it, or it could not be run.
func writeProgram(path string, program []byte) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	return os.WriteFile(path, program, 0o755)
}

// compiledRustc compiles [tinyRustc] once for all tests of a package.
func compiledRustc(gcc string) ([]byte, error) {
	rustcOnce.Do(func() {
		out := filepath.Join(Scratch, "tiny-rustc")
		cmd := exec.Command(gcc, "-x", "c", "-O1", "-s", "-o", out, "-")
		cmd.Stdin = strings.NewReader(tinyRustc)
		if text, err := cmd.CombinedOutput(); err != nil {
			rustcErr = fmt.Errorf("%w: %s", err, text)
			return
		}
		rustcProgram, rustcErr = os.ReadFile(out)
	})
	return rustcProgram, rustcErr
}

var (
	rustcOnce    sync.Once
	rustcProgram []byte
	rustcErr     error
)
