// Package archive turns packages into compressed archives, and archives back into
// packages without trust.
//
// A [Writer] lays packages out as a [Job], a value that says how each archive will
// be compressed and what that takes; [Job.Write] performs it: one tar stream per
// package, all formats from one pass, a temporary name, a flush, a rename. Equal
// packages give equal bytes, whatever the machine.
//
// [Scan] reads an archive once and gives its facts and all its problems.
// [Open], [Unpack] and [ReadPackage] are strict: the first problem that rustup
// would not live with is their error. Every read keeps to [Limits].
package archive
