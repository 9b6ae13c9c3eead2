// Package diff says what differs between two dists, archives or trees.
//
// [Run] compares paths, kinds, modes, sizes and contents, and, for ELF files, how
// they were linked. Files whose names hold a hash or a release are paired without
// it. Where two archives hold equal files, Run names the first thing that makes
// their bytes differ: the order of members, a time, a field of the tar, or the
// compression. A difference that is intended is an [Allowance], with its reason.
//
// Archives are read under limits, as strangers' are, and nothing in them is run.
package diff
