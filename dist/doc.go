// Package dist holds the archives of a Rust distribution as values, in the
// vocabulary of rust-installer: an [Image] is the sorted files of a component, a
// [Component] gives it a name and bulk directories, a [Package] is what one
// archive holds. A [Rule] says what must and must not be in an image, and
// [CheckComponent] holds a component against the rules of its name.
//
// Nothing here touches an archive: package archive writes packages and reads them
// back, package install puts components into a prefix.
package dist
