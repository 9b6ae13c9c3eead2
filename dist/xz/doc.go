// Package xz reads and writes .xz files: the container and the LZMA2 coder.
//
// # Output
//
// A [Writer] makes one stream, since rustup refuses several. Its input is cut
// into blocks that are compressed independently; each block's header states
// both of its sizes, so that decoders (ours, and xz -T) can work on several
// blocks at a time. The bytes do not depend on the number of workers.
//
// # Input
//
// A [Reader] knows every filter that xz 5.4 writes for x86-64 and ARM64 and
// every check. It verifies all sizes and checks, holds the memory below a limit
// and decodes blocks in parallel where their headers state their sizes.
//
// # Sources
//
// The container follows "The .xz File Format" 1.2.1 (tukaani.org), the symbols
// the LZMA specification of the LZMA SDK, and the framing of LZMA2 chunks what
// liblzma 5.4 accepts.
package xz
