// Package link says which linker rustc runs.
//
// One function, [Decide], answers which program a compiler starts to link for a
// target and a command line, with which LLD arguments, or with which error it
// stops; [Explain] says why, and [Batch] answers many questions as JSON lines.
// The rules are those of rustc_session and rustc_codegen_ssa/back/link.rs in
// rust-lang/rust; recordings of real compilers in testdata pin them.
//
// The package is pure: what a decision needs of the outside is in its [Query].
package link
