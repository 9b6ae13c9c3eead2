// Package link says which linker rustc runs.
//
// One function, [Decide], knows it: for a compiler, a target and a command line
// it returns the program that rustc starts and the arguments that choose LLD, or
// the error that rustc stops with. [Explain] adds the reasons, and [Batch]
// answers many questions as JSON lines. The rules are those of rustc_session and
// rustc_codegen_ssa/back/link.rs in rust-lang/rust; recordings of real compilers
// in testdata pin them.
//
// The package reads no file and no environment: a [Query] holds all that a
// decision depends on.
package link
