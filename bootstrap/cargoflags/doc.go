// Package cargoflags says which flags cargo gives to rustc for a target, and
// where each comes from.
//
// The rules are cargo's (src/cargo/core/compiler/build_context/target_info.rs
// and src/cargo/util/context in rust-lang/cargo): CARGO_ENCODED_RUSTFLAGS, else
// RUSTFLAGS, else target.TRIPLE.rustflags and every matching
// target.'cfg(…)'.rustflags, else build.rustflags. The linker has keys of its own
// and comes first. The package reads only through its [Source].
package cargoflags
