// Package bench compares programs that compress.
//
// They may differ by a few per cent, and one command repeated on a shared machine
// varies by more. So all programs take turns within one run: the first round runs
// every program once, then the second does, and so on. What slows the machine for a
// while slows all of them, and the medians of a few rounds are comparable with each
// other, though not between machines.
//
// Every program, our own included, is a child process: time is taken from its start
// to its end, and processor time and memory are what the kernel charged it with. All
// get the same input file, which has just been read. A figure counts only after the
// output was decoded to the input again.
//
// [Run] takes [Options], finds the programs, prepares the inputs and returns a
// [Report]; [Report.SVG] draws its sizes over its times. [Plan] returns the same
// report before anything is run. Both need a built x, since x's own coders are
// measured as processes, too.
package bench
