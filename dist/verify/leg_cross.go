package verify

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"x.go/targets"
)

// crossLeg is the leg of one other target whose standard library is there.
func crossLeg(target targets.Triple) leg {
	return leg{
		name: crossName, what: crossWhat, want: anyLinker,
		need:  func(b *bench) string { _, why := crossDriver(target, b.search); return why },
		build: func(ctx context.Context, b *bench) built { return b.linkCross(ctx, target) },
	}
}

const (
	crossName = "cross"
	crossWhat = "a program for each other target whose standard library is there"
)

// crossDriver finds what links for a target: nothing special for WebAssembly,
// which the shipped rust-lld links, else the C driver that Debian and Fedora
// name after the target without its vendor. why is the reason to skip.
func crossDriver(target targets.Triple, search string) (driver, why string) {
	if isWasm(target) {
		return "", ""
	}
	gnu := gnuTriple(target.String())
	if gnu == "" {
		return "", "nothing is known about linking for " + target.String()
	}
	driver, err := lookPath(gnu+"-gcc", search)
	if err != nil {
		return "", fmt.Sprintf("no C compiler for %s: %v: install package gcc-%s", target, err, strings.ReplaceAll(gnu, "_", "-"))
	}
	return driver, ""
}

// gnuTriple returns what Debian and Fedora call the machine of a target, in the names of
// cross compilers: "aarch64-linux-gnu". It is "" if none is known.
func gnuTriple(triple string) string {
	parts := strings.Split(triple, "-")
	if len(parts) < 4 {
		return ""
	}
	arch, system := parts[0], strings.Join(parts[2:], "-")
	switch {
	case system == "windows-gnu":
		system = "w64-mingw32"
	case parts[2] != "linux":
	case strings.HasPrefix(arch, "riscv64"):
		arch = "riscv64"
	case strings.HasPrefix(arch, "armv") && !strings.HasPrefix(arch, "armeb"), strings.HasPrefix(arch, "thumbv7"):
		arch = "arm"
	case arch == "i586":
		arch = "i686"
	}
	return arch + "-" + system
}

// isWasm reports whether a target is WebAssembly without a system around it,
// the one target that needs nothing but rust-lld.
func isWasm(target targets.Triple) bool { return target.String() == "wasm32-unknown-unknown" }

// linkCross links for a target. The result does not run here, but its format
// and machine are read.
func (b *bench) linkCross(ctx context.Context, target targets.Triple) built {
	driver, _ := crossDriver(target, b.search)
	flags := []string{"--target", target.String()}
	if isWasm(target) {
		out := filepath.Join(b.dir, "program")
		if r, err := b.compile(ctx, b.toolchain, libSource, out, append(flags, "--crate-type=cdylib")...); err != nil {
			return built{failure: err.Error()}
		} else if !r.ok() {
			return b.unbuilt(r)
		}
		head, err := os.ReadFile(out)
		if err != nil || !bytes.HasPrefix(head, []byte("\x00asm")) {
			return built{failure: fmt.Sprintf("the result is no WebAssembly module: %v", err)}
		}
		return built{refused: "a WebAssembly module"}
	}
	out := b.linkProgram(ctx, b.toolchain, helloProgram, append(flags, "-Clinker="+driver)...)
	for i := range out.products {
		out.products[i].run = nil
	}
	if len(out.products) == 1 && strings.HasSuffix(driver, "-mingw32-gcc") {
		return windowsProgram(out.products[0].path)
	}
	return out
}

// windowsProgram reads the program that was linked for Windows: rustc ends its name so.
func windowsProgram(path string) built {
	for _, name := range []string{path + ".exe", path} {
		if head, err := os.ReadFile(name); err == nil {
			if !bytes.HasPrefix(head, []byte("MZ")) {
				return built{failure: "the result is no program for Windows"}
			}
			return built{refused: "a program for Windows"}
		}
	}
	return built{failure: "the linker wrote no program"}
}
