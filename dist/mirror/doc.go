// Package mirror keeps a copy of the channels of a server in a store, and the store in
// order: [Run] transfers what is new, [PlanPrune] says what is too old, and [Verify]
// tells whether all that the manifests name is there.
//
// The layout is that of static.rust-lang.org: dist/DATE/NAME, dist/NAME,
// rustup/archive/VERSION/TRIPLE/rustup-init. The store is the directory above dist.
package mirror
