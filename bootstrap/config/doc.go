// Package config reads bootstrap.toml with upstream's whole schema, and x.toml,
// which holds settings that upstream has no key for. [Load] turns both files,
// --set options and flags into a [Config], where every key has a value and
// every value knows its origin.
//
// The package is pure: it reads files and variables through [Source]. One table
// of keys ([Schema]) drives checking, hints, documentation and rendering.
//
// Facts are those of rust-lang/rust, `src/bootstrap/src/core/config` and
// `src/bootstrap/src/utils/change_tracker.rs`.
package config
