package toolchain

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/manifests"
	"x.go/targets"
)

// TestWanted sets each key whose effect is that archives are left out, as
// `x explain KEY` says.
func TestWanted(t *testing.T) {
	host := triple(t, "x86_64-unknown-linux-gnu")
	for _, tt := range []struct{ set, gone string }{
		{"build.docs=false", "rust-docs rust-docs-json"},
		{"build.compiler-docs=false", "rustc-docs"},
		{"build.extended=false", "cargo clippy llvm-bitcode-linker llvm-tools miri rust-analysis rust-analyzer rustfmt"},
		{`build.tools=["cargo"]`, "clippy llvm-bitcode-linker llvm-tools miri rust-analysis rust-analyzer rustfmt"},
		{"rust.llvm-tools=false", "llvm-tools"},
		{"rust.llvm-tools=true", ""},
		{`target.x86_64-unknown-linux-gnu.llvm-config="/usr/bin/llvm-config"`, "llvm-tools rust-dev"},
		{`target.aarch64-unknown-linux-gnu.llvm-config="/usr/bin/llvm-config"`, ""},
		{"rust.llvm-bitcode-linker=false", "llvm-bitcode-linker"},
		{"llvm.enzyme=false", "enzyme"},
		{"llvm.enzyme=true", ""},
		{`rust.codegen-backends=["llvm"]`, "rustc-codegen-cranelift rustc-codegen-gcc"},
		{`rust.codegen-backends=["llvm", "cranelift"]`, "rustc-codegen-gcc"},
		{`target.x86_64-unknown-linux-gnu.codegen-backends=["llvm", "gcc"]`, "rustc-codegen-cranelift"},
		{"dist.include-mingw-linker=false", "rust-mingw"},
		{`build.target=["wasm32-wasip1"]`, ""}, // the host's is always there
		{"target.x86_64-unknown-linux-gnu.no-std=true", "rust-std"},
	} {
		cfg, err := config.Load(config.Source{
			Host: host, Release: targets.Release{}, Sets: []string{tt.set},
			ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist }, Getenv: func(string) string { return "" },
		})
		if err != nil {
			t.Errorf("%s: %v", tt.set, err)
			continue
		}
		var gone []string
		for _, spec := range manifests.Components() {
			if !(InputComponent{Spec: spec, Target: host}).Wanted(cfg, host) {
				gone = append(gone, spec.Archive)
			}
		}
		slices.Sort(gone)
		if diff := cmp.Diff(strings.Fields(tt.gone), gone, cmp.Transformer("nil", func(s []string) string { return strings.Join(s, " ") })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.set, diff)
		}
	}
}
