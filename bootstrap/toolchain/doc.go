// Package toolchain reads what goes into a distribution: what a compiler says of
// itself, a [Toolchain], and the files of its sysroot sorted into components, an
// [Input]. It asks and reads, and never guesses.
package toolchain
