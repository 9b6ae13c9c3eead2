package manifests

import (
	"testing"

	"x.go/targets"
)

func TestOwnersAreComponents(t *testing.T) {
	for _, o := range owners {
		if _, ok := LookupComponent(o.component); !ok {
			t.Errorf("owners table names %q, which is no component", o.component)
		}
	}
}

func TestOwnerOf(t *testing.T) {
	const host = "x86_64-unknown-linux-gnu"
	tests := []struct{ name, component, target string }{
		{"bin/rustc", "rustc", host},
		{"bin/rustc/x", "", ""},
		{"bin/ls", "", ""},
		{"bin/cargo-fmt", "rustfmt", host},
		{"bin/cargo-clippy", "clippy", host},
		{"lib/librustc_driver-6108105cd7e839cf.so", "rustc", host},
		{"lib/libLLVM.so.22.1-rust-1.95.0-stable", "rustc", host},
		{"lib/libc.so.6", "", ""},
		{"lib/aarch64-linux-gnu/librustc_driver-1.so", "rustc", host},
		{"lib/aarch64-linux-gnu/libstd-1.so", "rustc", host},
		{"lib/aarch64-linux-gnu/libLLVM-14.so.1", "", ""},
		{"lib64/librustc_driver-1.so", "rustc", host},
		{"lib64/rustlib/wasm32-wasip1/lib/libcore-1.rlib", "rust-std", "wasm32-wasip1"},
		{"lib/aarch64-linux-gnu/rustlib/etc/lldb_commands", "rustc", host},
		{"lib/other/rustlib/etc/lldb_commands", "", ""},
		{"lib/rustlib/x86_64-unknown-linux-gnu/bin/rust-lld", "rustc", host},
		{"lib/rustlib/x86_64-unknown-linux-gnu/bin/gcc-ld/ld.lld", "rustc", host},
		{"lib/rustlib/x86_64-unknown-linux-gnu/bin/llvm-nm", "llvm-tools", host},
		{"lib/rustlib/aarch64-unknown-linux-gnu/bin/rust-lld", "", ""},
		{"lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-1.rlib", "rust-std", host},
		{"lib/rustlib/x86_64-unknown-linux-gnu/lib/librustc_ast-1.rmeta", "rustc-dev", host},
		{"lib/rustlib/wasm32-wasip1/lib/self-contained/crt1.o", "rust-std", "wasm32-wasip1"},
		{"lib/rustlib/src/rust/library/std/Cargo.toml", "rust-src", host},
		{"share/doc/rust/html/std/index.html", "rust-docs", host},
		{"share/doc/rust/html/rustc-docs/index.html", "rustc-docs", host},
		{"share/doc/rust/licenses/MIT.txt", "rustc", host},
		{"share/man/man1/cargo-add.1", "cargo", host},
		{"share/man/man1/rustc.1.gz", "rustc", host},
	}
	for _, tt := range tests {
		component, target, ok := OwnerOf(tt.name, mustTriple(host))
		if ok != (tt.component != "") || component != tt.component || ok && target.String() != tt.target {
			t.Errorf("OwnerOf(%q): got %q for %q (%v), want %q for %q", tt.name, component, target, ok, tt.component, tt.target)
		}
	}
}

func TestInstallerFilesBelongToNobody(t *testing.T) {
	for _, name := range []string{"lib/rustlib/components", "lib/rustlib/manifest-rustc-x86_64-unknown-linux-gnu", "lib/rustlib/uninstall.sh"} {
		if !IsInstallerFile(name) {
			t.Errorf("IsInstallerFile(%q): got false, want true", name)
		}
		if c, _, ok := OwnerOf(name, mustTriple("x86_64-unknown-linux-gnu")); ok {
			t.Errorf("OwnerOf(%q): got %q, want none", name, c)
		}
	}
}

func mustTriple(s string) targets.Triple {
	t, err := targets.ParseTriple(s)
	if err != nil {
		panic(err)
	}
	return t
}
