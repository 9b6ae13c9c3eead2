// Package dist has the content of a Rust distribution's archives as values, in
// rust-installer's vocabulary. An [Image] is a sorted file tree, a [Component] gives
// it a name and bulk directories, and a [Package] is the content of one archive. A
// [Rule] says what must and must not be in an image; [CheckComponent] checks a
// component by the rules for its name.
//
// Nothing here reads or writes an archive: package archive does, and package install
// installs components into a prefix.
package dist
