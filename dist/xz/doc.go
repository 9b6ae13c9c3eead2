// Package xz reads and writes .xz files: the container and the LZMA2 coder, in
// Go alone.
//
// # Output
//
// A [Writer] writes one stream, since rustup refuses several. Each block's header
// states both of its sizes, so that decoders (ours, and xz -T) can decode several
// blocks at a time. The bytes are a function of the content and the options, never
// of the number of workers.
//
// # How a block is compressed
//
// A block is held in memory and compressed in three steps:
//
//   - Package match finds long repeats, and then the longest earlier match of
//     every other position of a span at once; a span is the whole block, or a
//     part of up to 64 MiB.
//   - Slices of the span are parsed in parallel. The parser looks for the
//     cheapest path through all literals, matches and repeats (optimal.go) with
//     prices from probabilities that follow the parse (price.go); of a long
//     match only the start and the end are searched. Short and near matches,
//     which the finder does not keep, come from small hash tables (match.Near).
//     Borders of slices are fixed.
//   - One worker at a time encodes the slices that are parsed, in order, with
//     the range coder (encoder.go, rangeenc.go, chunk.go). The probabilities go
//     on from slice to slice, so that slices cost next to nothing.
//
// [Best] also chooses literal and position bits slice by slice (choose_props.go): each
// worker codes a sample of what it has parsed with a few of them, and the encoder takes
// others where those gain what a new start of the probabilities costs. With [BCJAuto] a
// sample of each block decides about the branch filter (choose.go).
//
// The last step is sequential within a block and bounds what many cores can
// reach there. Blocks of up to 64 MiB are therefore also compressed several at a
// time, by four workers each.
//
// [Fast] leaves out the first step. It finds matches in small tables of
// recent positions (recent.go), takes what seems best with a short lookahead
// (lazy.go), and gives each block to one worker.
//
// # Input
//
// A [Reader] knows the x86, ARM64 and delta filters, and every check. It
// verifies all sizes and checks, holds the memory below a limit and decodes
// blocks in parallel where their headers state their sizes.
//
// # Who can read what
//
// Without BCJ every .xz decoder can read the output. With it ulikunitz/xz
// cannot. A decoder needs the dictionary's size in memory: at most 8 MiB for
// Fast, 32 MiB for Balanced and 128 MiB for Best, which is the limit of
// rust-lang/promote-release; less if the content is smaller.
//
// # Sources
//
// The container follows "The .xz File Format" 1.2.1 (tukaani.org), the symbols
// the LZMA specification of the LZMA SDK, and the framing of LZMA2 chunks what
// liblzma 5.4 accepts. Optimal parsing by prices, with a literal
// and a repeat tried after each match, is that of the LZMA SDK.
//
// # Measuring
//
// The benchmarks take a file:
//
//	XZ_BENCH_FILE=rustc.tar go test -run '^$' -bench . ./dist/xz
//
// and, where the xz program is installed, run it beside each profile and report
// ratios of size and time within one run. What workers wait for, and how much faster
// more of them are, shows
//
//	XZ_BENCH_FILE=rustc.tar go test -run '^$' -bench Workers -blockprofile block.out -mutexprofile mutex.out ./dist/xz
package xz
