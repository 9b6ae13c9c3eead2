// Package optouts finds where a tree of sources opts out of LLD, or asks for a
// linker, and says what each such option does.
//
// [Run] walks directories as ripgrep does, with their .gitignore files, and looks
// into what configures a build: cargo's and Rust's own files, CI, packaging,
// containers, build systems and scripts. Documentation and source code are read too,
// and told as such. What an option does comes from targets/link; why it is there, and
// whether that reason still holds, from the comment beside it and from Cargo.lock, by
// the rows of a table. [Report.Edits] removes what is not needed any more.
//
// The sources are a stranger's: reads are bounded, links are not followed, and a file
// that is no text is passed over.
package optouts
