// Package measure takes the figures of programs that are compared with each other: time,
// memory, medians of rounds in which all take turns, and the machine they ran on.
//
// One command repeated on a shared machine varies by more than the programs differ. So
// [Rounds] runs each of them once, then each a second time, and so on: what slows the
// machine for a while slows all of them. Medians are then comparable with each other,
// though not between machines. Processor time varies less than the time on the wall.
package measure
