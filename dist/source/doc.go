// Package source knows the source tree of Rust: what upstream distributes of it, and
// what must hold of such an archive.
//
//	tree, err := source.Open("rust", source.Options{})
//	img, err := tree.Plain(false)               // of rustc-1.96.0-src.tar.xz
//	listing, err := source.List(ctx, img)
//	findings := source.Judge(listing)           // none, or it does not build offline
//
// Nothing of a tree is run, git included. The rules are those of upstream's
// src/bootstrap/src/core/build_steps/dist.rs, steps PlainSourceTarball and Src.
package source
