// Package marks reads what the files of a toolchain say of its compiler, for a compiler
// that does not run here: the host from the format and the machine of bin/rustc, the
// release and the commit from what rustc leaves in all that it compiles.
//
// It also finds the emulator that runs such a compiler.
//
// The standard library of the host was compiled by the very compiler beside it: rustc
// refuses any other (error E0514). So the version in its metadata is the compiler's. The
// compiler's own files bear that of the compiler that built them, which is another one
// in stage 1. They serve where there is no standard library, and only if the compiler's
// library holds the same text, which `rustc -V` prints.
package marks
