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
		need:  func(b *bench) string { _, why := b.crossDriver(target); return why },
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
func (b *bench) crossDriver(target targets.Triple) (driver, why string) {
	parts := strings.Split(target.String(), "-")
	if len(parts) < 4 {
		if isWasm(target) {
			return "", ""
		}
		return "", "nothing is known about linking for " + target.String()
	}
	name := parts[0] + "-" + strings.Join(parts[2:], "-") + "-gcc"
	driver, err := lookPath(name, b.search)
	if err != nil {
		return "", fmt.Sprintf("no C compiler for %s: %v", target, err)
	}
	return driver, ""
}

// isWasm reports whether a target is WebAssembly without a system around it,
// the one target that needs nothing but rust-lld.
func isWasm(target targets.Triple) bool { return target.String() == "wasm32-unknown-unknown" }

// linkCross links for a target. The result does not run here, but its format
// and machine are read.
func (b *bench) linkCross(ctx context.Context, target targets.Triple) built {
	driver, _ := b.crossDriver(target)
	flags := []string{"--target", target.String()}
	if isWasm(target) {
		out := filepath.Join(b.dir, "program")
		if r, err := b.compile(ctx, b.toolchain, libSource, out, append(flags, "--crate-type=cdylib")...); err != nil {
			return built{failure: err.Error()}
		} else if !r.ok() {
			return built{failure: r.why()}
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
	return out
}
