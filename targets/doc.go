// Package targets describes rustc's builtin targets and its releases, and how
// one compiler sees a target.
//
// It holds the target specs of whole compiler releases as embedded text:
// [Builtin] is a [Registry] of them, a [Snapshot] one release, and a [Spec] one
// target as a [Compiler] sees it. The rules are those of rustc_target/spec in
// rust-lang/rust.
//
// The package is pure: it reads no file and no environment, and runs no
// program.
package targets
