package verify

import (
	"context"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// cargoProject has cargo link three kinds of files for the host: a build script, a
// procedural macro (a shared object that rustc loads) and a program.
var cargoProject = map[string]string{
	"Cargo.toml": `[package]
name = "x-verify"
version = "0.0.0"
edition = "2021"
build = "build.rs"
[dependencies]
x-verify-macro = { path = "macro" }
[workspace]
`,
	"build.rs": `fn main() {
    println!("cargo:rustc-env=X_VERIFY_BUILD=built");
}
`,
	"src/main.rs": `fn main() {
    println!("{} {}", env!("X_VERIFY_BUILD"), x_verify_macro::word!());
}
`,
	"macro/Cargo.toml": `[package]
name = "x-verify-macro"
version = "0.0.0"
edition = "2021"
[lib]
proc-macro = true
`,
	"macro/src/lib.rs": `use proc_macro::TokenStream;
#[proc_macro]
pub fn word(_: TokenStream) -> TokenStream {
    "\"expanded\"".parse().unwrap()
}
`,
}

// cargoLeg builds the project by the archives' own cargo, offline.
func cargoLeg(ctx context.Context, b *bench) built {
	if b.foreign.lender != nil {
		return built{skipped: "the cargo of the archives does not run here"}
	}
	for _, name := range slices.Sorted(maps.Keys(cargoProject)) {
		if _, err := b.write(name, cargoProject[name], 0o644); err != nil {
			return built{failure: err.Error()}
		}
	}
	t := *b.toolchain
	t.more = []string{"RUSTC=" + b.compiler}
	r := t.own(ctx, b.dir, b.path("bin", "cargo"+b.exe), "build", "--offline")
	if why := b.cannotRun(r); why != "" {
		return built{skipped: why}
	}
	if !r.ok() {
		return built{failure: "running cargo build: " + r.why()}
	}
	products, missing := cargoProducts(filepath.Join(b.dir, "target", "debug"))
	if missing != "" {
		return built{failure: "cargo build wrote no " + missing}
	}
	return built{products: products}
}

// cargoProducts finds what cargo linked below its target directory.
func cargoProducts(dir string) (products []product, missing string) {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case name == "build-script-build":
			found["build script"] = path
		case strings.HasPrefix(name, "libx_verify_macro-") && strings.HasSuffix(name, ".so"):
			found["procedural macro"] = path
		case path == filepath.Join(dir, "x-verify"):
			found["program"] = path
		}
		return nil
	})
	if err != nil {
		return nil, "readable target directory: " + err.Error()
	}
	for _, kind := range []string{"build script", "procedural macro", "program"} {
		path, ok := found[kind]
		if !ok {
			return nil, kind
		}
		p := product{path: path}
		if kind == "program" {
			p.run, p.want = []string{}, "built expanded\n"
		}
		products = append(products, p)
	}
	return products, ""
}
