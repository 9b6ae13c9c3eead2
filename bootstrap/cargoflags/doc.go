// Package cargoflags says which flags cargo gives to rustc for a target, and
// where each comes from.
//
// The rules are cargo's (src/cargo/core/compiler/build_context/target_info.rs
// and src/cargo/util/context in rust-lang/cargo): CARGO_ENCODED_RUSTFLAGS, else
// RUSTFLAGS, else target.TRIPLE.rustflags and every matching
// target.'cfg(…)'.rustflags, else build.rustflags; the linker comes apart from
// them and first. The package reads only what its [Source] hands in.
package cargoflags
