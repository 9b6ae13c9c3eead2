package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/manifests"
	"x.go/targets"
	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// fullSysroot creates a tiny sysroot with something of all archives that a compiler of
// that host can have.
func fullSysroot(t *testing.T, dir string) {
	t.Helper()
	runx.TinySysroot(t, dir)
	const host = "lib/rustlib/x86_64-unknown-linux-gnu/"
	const enzyme = host + "lib/libEnzyme-22.so"
	program, err := os.ReadFile(filepath.Join(dir, "bin/cargo"))
	testenv.Must(t, err)
	files := map[string]string{
		"share/doc/rust/html/index.html": "docs", "share/doc/rust/json/core.json": "{}", "share/doc/rust/html/rustc-docs/index.html": "docs",
		host + "bin/self-contained/llvm-bitcode-linker": string(program), host + "analysis/core.json": "{}",
		host + "codegen-backends/librustc_codegen_cranelift-1.95.0.so": "backend", host + "codegen-backends/librustc_codegen_gcc-1.95.0.so": "backend",
		"lib/rustlib/wasm32-wasip1/lib/libcore-1.rlib": "core", "lib/rustlib/wasm32-wasip1/lib/libstd-1.rlib": "std",
		enzyme: "plugin",
	}
	for _, name := range strings.Fields("cargo-clippy clippy-driver cargo-fmt rustfmt miri cargo-miri rust-analyzer") {
		files["bin/"+name] = string(program)
	}
	for _, name := range strings.Fields("llvm-cov llvm-nm llvm-objcopy llvm-objdump llvm-profdata llvm-readobj llvm-size llvm-strip llvm-ar llvm-as llvm-dis llvm-link llc opt") {
		files[host+"bin/"+name] = string(program)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		mode := os.FileMode(0o755)
		if strings.HasPrefix(name, "share/") {
			mode = 0o644
		}
		testenv.Must(t, os.WriteFile(path, []byte(text), mode))
	}
	triple, err := targets.ParseTriple("x86_64-unknown-linux-gnu")
	testenv.Must(t, err)
	lists := map[string]string{}
	for name := range testenv.Tree(t, dir) {
		archive, target, owned := manifests.OwnerOf(name, triple)
		if name == enzyme {
			archive = "enzyme" // it has no files that x finds without a list
		}
		if spec, known := manifests.LookupComponent(archive); (owned || name == enzyme) && known && !strings.HasSuffix(name, "/") {
			lists["manifest-"+spec.InstalledName(target)] += "file:" + name + "\n"
		}
	}
	for name, text := range lists {
		testenv.Must(t, os.WriteFile(filepath.Join(dir, "lib/rustlib", name), []byte(text), 0o644))
	}
}

// effect is a setting of a key whose effect on archives x explain tells, and what
// becomes of the names that x dist --dry-run prints.
type effect struct {
	set       string
	less, add string // words of archives without their suffix
}

// effects has settings of each such key.
var effects = map[string][]effect{
	"build.host":                  {{`build.host=["x86_64-unknown-linux-gnu"]`, "", ""}},
	"build.target":                {{`build.target=["x86_64-unknown-linux-gnu"]`, "rust-std-wasm32-wasip1", ""}},
	"build.docs":                  {{"build.docs=false", "rust-docs rust-docs-json", ""}},
	"build.compiler-docs":         {{"build.compiler-docs=false", "rustc-docs", ""}},
	"build.extended":              {{"build.extended=false", "cargo clippy llvm-bitcode-linker llvm-tools miri rust rust-analysis rust-analyzer rustfmt", ""}},
	"build.tools":                 {{`build.tools=["cargo"]`, "clippy llvm-bitcode-linker llvm-tools miri rust-analysis rust-analyzer rustfmt", ""}},
	"dist.compression-formats":    {{`dist.compression-formats=["gz", "xz", "zst"]`, "", "zst"}},
	"dist.compression-profile":    {{"dist.compression-profile=best", "", ""}},
	"dist.include-mingw-linker":   {{"dist.include-mingw-linker=false", "", ""}}, // none on Linux
	"target.*.llvm-config":        {{`target.x86_64-unknown-linux-gnu.llvm-config="/usr/bin/llvm-config"`, "llvm-tools", ""}},
	"target.*.no-std":             {{"target.wasm32-wasip1.no-std=true", "rust-std-wasm32-wasip1", ""}},
	"target.*.codegen-backends":   {{`target.x86_64-unknown-linux-gnu.codegen-backends=["llvm", "gcc"]`, "rustc-codegen-cranelift", ""}},
	"rust.codegen-backends":       {{`rust.codegen-backends=["llvm"]`, "rustc-codegen-cranelift rustc-codegen-gcc", ""}},
	"rust.llvm-bitcode-linker":    {{"rust.llvm-bitcode-linker=false", "llvm-bitcode-linker", ""}},
	"rust.llvm-tools":             {{"rust.llvm-tools=false", "llvm-tools", ""}},
	"llvm.enzyme":                 {{"llvm.enzyme=false", "enzyme", ""}},
	"rust.channel":                {{"rust.channel=stable", "", ""}},
	"rust.lld":                    {{"rust.lld=false", "", ""}, {"rust.lld=true", "", ""}},
	"rust.bootstrap-override-lld": {{"rust.bootstrap-override-lld=false", "", ""}},
	"rust.use-lld":                {{"rust.use-lld=false", "", ""}},
	"lld.binary":                  nil, // content of the rustc archive, as the next ones
	"lld.wrapper":                 nil,
	"lld.site-wrapper":            nil,
	"lld.threads":                 nil,
	"lld.jobserver":               nil,
	"lld.baked-default":           nil,
	"dist.max-memory":             {{"dist.max-memory=1GiB", "", ""}},
	"dist.bcj":                    {{"dist.bcj=true", "", ""}},
}

// TestEffects holds x dist to the effects on archives that x explain tells of keys.
func TestEffects(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	sysroot := filepath.Join(dir, "usr")
	fullSysroot(t, sysroot)
	plan := func(set string) []string {
		t.Helper()
		args := []string{"dist", "--dry-run", "--json", "--sysroot", sysroot}
		if set != "" {
			args = append(args, "--set", set)
		}
		var actions []struct{ Object string }
		testenv.Must(t, json.Unmarshal([]byte(runx.Must(t, dir, nil, args...).Stdout), &actions))
		var names []string
		for _, a := range actions {
			if name, format, ok := strings.Cut(filepath.Base(a.Object), ".tar."); ok {
				name, _, _ = strings.Cut(name, "-1.95.0-x86_64")
				names = append(names, strings.Replace(name, "-1.95.0-", "-", 1)+" "+format)
			}
		}
		slices.Sort(names)
		return names
	}
	all := plan("")
	for _, key := range config.Schema() {
		cases, known := effects[key.ID()]
		if !known && strings.Contains(key.Effect, "archive") {
			t.Errorf("x explain %s says %q: want a row of what dist does", key.ID(), key.Effect)
		}
		if known && key.Effect == "" {
			t.Errorf("x explain %s says nothing of archives: want no row", key.ID())
		}
		for _, e := range cases {
			var want []string
			less := strings.Fields(e.less)
			for _, archive := range less {
				if !slices.Contains(all, archive+" gz") {
					t.Errorf("archive %q, which %s leaves out, is not there without it", archive, e.set)
				}
			}
			for _, name := range all {
				archive, _, _ := strings.Cut(name, " ")
				if slices.Contains(less, archive) {
					continue
				}
				want = append(want, name)
				if e.add != "" {
					want = append(want, archive+" "+e.add)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(slices.Compact(want), plan(e.set)); diff != "" {
				t.Errorf("x dist --set %s (-want +got):\n%s", e.set, diff)
			}
		}
	}
	for key := range effects {
		if _, ok := config.LookupKey(key); !ok {
			t.Errorf("a row for %s, which is no key", key)
		}
	}
}
