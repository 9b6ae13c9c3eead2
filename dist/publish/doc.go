// Package publish brings a composed channel into a store, from which rustup installs, and
// takes a release back.
//
// The layout is that of static.rust-lang.org: the files of a day below dist/YYYY-MM-DD,
// whose names never change their content; copies without date below dist; the files by
// which rustup finds a channel; manifests.txt. Nothing refers to a file before it has
// been read back, and rustup is told last. [New] plans, and compares with what the store
// offers now; [Plan.Run] does what is left to do, so that a killed run is finished by
// the same call.
//
// No store can replace two files at once. While channel-rust-NAME.toml is new and its
// .sha256 is old, an installed rustup sees no update, and a fresh installation fails and
// works a moment later.
package publish
