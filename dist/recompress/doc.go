// Package recompress compresses archives once more, harder than a build has time
// for: the step of rust-lang/promote-release between CI and the public server
// (src/recompress.rs there). It reads .tar, .tar.gz, .tar.xz and .tar.zst files
// and keeps the tar stream inside as it is, to the byte.
//
// [Plan] looks at the files and returns a [Job], which says what there is to do;
// [Job.Run] does it. No input is lost: an archive replaces one only after it was
// read back. A killed run is resumed: its record says what is done.
//
// [Split] plans the same as [Tasks] for many machines. [Tasks.Perform] does one of them,
// and keeps the outputs in a store by what their bytes depend on; [Tasks.Collect] gathers
// them.
package recompress
