// Package archive writes packages as compressed archives, and reads archives back
// without trusting them.
//
// [Writer.Plan] lays packages out as a [Job], a value that says how each archive
// will be compressed and how much memory that takes. [Job.Prepare] writes them: one
// tar stream per package, all formats in one pass, under a temporary name, flushed,
// then renamed. Equal packages give equal bytes on every machine.
//
// [Scan] reads an archive once and returns its facts and all its problems. [Open],
// [Unpack] and [ReadPackage] are strict: they return the first problem that rustup
// would not accept as an error. Every read keeps to [Limits].
package archive
