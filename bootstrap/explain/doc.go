// Package explain answers which linker a compiler runs, and why. [Ask] finds the
// compiler; [Asked.Link] answers for its flags, with those that cargo adds.
// `x explain` and `x targets` print the answers.
//
// The rules are those of package link, and the flags of cargo those of package
// cargoflags. Both are pure. This package reads the machine for them: it runs the
// compiler if there is one, and reads the build record of a toolchain that x built,
// cargo's configuration and argument files, and which programs exist.
package explain
