// Package match finds repeated bytes, for coders that look for the cheapest parse of
// a large input: packages xz and zstd.
//
//   - Long repeats (repeats.go) are found first, through the few positions that
//     their content selects. They are left out of the next step, where
//     documentation, for example, would cost most of the time.
//   - The match finder (radix.go, refine.go) finds the longest earlier match of
//     every position of a span at once. It sorts positions into buckets by their
//     first bytes and refines the buckets, which are independent of each other, in
//     parallel. Unlike with hash chains and binary trees no load depends on the one
//     before, so the processor can wait for many at a time, and no worker needs
//     tables of its own. The window is the dictionary before the span and the span
//     itself, so it does not shrink where a span starts.
//   - Short and near matches, which the finder does not keep, come from small hash
//     tables (near.go) that follow a parser.
//
// Results do not depend on the number of workers.
//
// The idea of a radix match finder that all threads share is Conor McCarthy's
// (fast-lzma2); the rolling hash that selects positions is that of zstd's search for
// long distance matches.
package match
