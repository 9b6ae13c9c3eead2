// Package dist makes and reads Rust dist archives. An archive starts as a
// value: an [Image] per component, checked by [Rule] rows, put together as a
// [Package] in the tree that rust-installer (src/tools/rust-installer in
// rust-lang/rust) defines. A [archive.Writer] turns packages into compressed files,
// [archive.Scan] judges such files without trusting them, [archive.Unpack] and [archive.ReadPackage] read
// them back, [install.Install] lays components out under a prefix, and a [recompress.Recompressor]
// compresses archives once more for a release.
//
// Equal packages give equal bytes: nothing in an archive depends on the
// directory, the umask, the clock, the locale or the number of threads.
package dist
