// Package bench measures programs that compress against each other.
//
// What is compared may differ by a few per cent, and one command repeated on a
// shared machine varies by more. So all programs take turns within one run: the
// first round has every program once, then the second has, and so on. What
// slows the machine down for a while then slows all of them, and medians of a
// few rounds are comparable, if not between machines then with each other.
//
// Every program, our own included, is a child process: time is taken from its
// start to its end, and processor time and memory are what the kernel charged
// it with. All get the input as a file, the same file, that has just been read.
// A figure counts only after the output was decoded to the input again.
//
// [Run] is the way in: it takes [Options], finds the programs, gets the inputs
// ready and returns a [Report], of which [Report.SVG] draws the sizes over the
// times. [Plan] returns the same report before anything is run. Both need a built
// x, since x's own coders are measured as processes, too.
package bench
