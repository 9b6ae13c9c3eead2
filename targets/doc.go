// Package targets says what rustc's builtin targets are and how rustc picks a
// linker for them.
//
// It holds the target specs of whole compiler releases as embedded text
// ([Builtin], [Registry], [Snapshot], [Spec]) and one function, [Decide], that
// answers which program a given compiler starts to link for a target and a
// command line, with which LLD arguments, or with which error it stops. The
// rules are those of rustc_target/spec and rustc_codegen_ssa/back/link.rs in
// rust-lang/rust; recordings of real compilers in testdata pin them.
//
// The package is pure. It reads no file, no environment and runs no program;
// what a decision needs of the outside world is handed in as a [Compiler], a
// [Sysroots] and a list of arguments.
package targets
