// Package explain answers which linker a compiler runs, and why: a compiler
// asked ([Ask]), its flags with those that cargo adds, its answer
// ([Asked.Link]). It is what `x explain` and `x targets` print.
//
// The rules are those of package targets, and the flags of cargo those of
// package cargoflags, which are pure. This package looks at the machine for
// them: it runs the compiler where there is one, reads the build record of a
// toolchain that x built, cargo's configuration, argument files, and whether
// programs are there.
package explain
