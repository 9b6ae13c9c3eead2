// Package store keeps files under names, as an object store does: in a directory of
// this machine, or, with package cloud, in a bucket.
//
// A place is a path, a file:// URL or the URL of a bucket, such as
// s3://bucket/prefix?region=eu-west-1. It is the directory above dist. Names are clean
// slash paths below it, such as dist/2026-04-16/rustc-1.95.0-x86_64-unknown-linux-gnu.tar.xz.
//
// All kinds of stores keep these promises. A name has the whole of its old content or
// the whole of its new one, at any time and after any kill. [Store.Put] never leaves
// other bytes than those of the [Body]'s digest. With [Options.IfAbsent] and
// [Store.Swap], one of several writers wins and the others learn of it. No two names can
// change together. Credentials come from where the kind of store has them, never from
// the place, and are in no message.
package store
