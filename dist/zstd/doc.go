// Package zstd writes zstd frames that are as small as the format allows within
// reason, in Go alone. It has no decoder: github.com/klauspost/compress/zstd is one.
//
// # Output
//
// A [Writer] writes one frame with a checksum, and with the size of the content if
// that is known. The bytes are a function of the content and the options, never of
// the number of workers. A decoder needs the window's size in memory, at most 128 MiB,
// which is what zstd and rustup take without being asked to.
//
// # How content is compressed
//
// The Writer holds the window and a span of up to 64 MiB, and compresses span after
// span:
//
//   - Package match finds the matches of all of the span at once; the window reaches
//     back before the span.
//   - Slices of 2 MiB are then compressed in parallel, independently of each other but
//     for the window (slice.go). A slice starts without tables and without known
//     distances, so that no worker waits for another.
//   - The first pass over a slice parses it with prices that follow the parse, and
//     notes what each piece of 4 KiB consists of (parser.go, price.go).
//   - With these counts the slice is cut into the blocks that are smallest together
//     (split.go).
//   - The second pass parses each block again, with the prices of its own symbols.
//   - Each block is written in the cheapest way (block.go): literals raw, repeated, or
//     coded with a new Huffman table or the last one (huffman.go); each kind of symbol
//     of the sequences with the table that the format defines, a new one, the last one
//     or a single symbol (fse.go). What does not get smaller is stored.
//
// The parser looks for the cheapest path through all literals, matches and repeats by
// dynamic programming. It knows that a repeated distance means another after no
// literals, and tries a literal and a repeat after each match. Of a long match only the
// start and the end are searched.
//
// Huffman codes are the best of at most 11 bits (package-merge). Of the tables for
// sequences each accuracy is tried, and their states are shared out so that the block
// gets smallest.
//
// # Sources
//
// The format follows RFC 8878 and the document "Zstandard Compression Format" of
// github.com/facebook/zstd, and so do the tables it defines. The parser's prices by
// statistics, with a price for the number of literals that grows with each, are the
// idea of zstd's optimal parser (Przemyslaw Skibinski and Yann Collet); a literal and a
// repeat after each match is that of the LZMA SDK's. The length limited codes are those
// of Larmore and Hirschberg.
//
// # Measuring
//
// `x bench compress` has a row for it, as `x zst best`, beside those of zstd. What
// workers wait for, and how much faster more of them are, shows
//
//	ZST_BENCH_FILE=rustc.tar go test -run '^$' -bench Workers -blockprofile block.out -mutexprofile mutex.out ./dist/zstd
package zstd
