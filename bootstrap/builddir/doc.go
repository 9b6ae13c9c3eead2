// Package builddir keeps order in a build directory that x may share with x.py: a
// [Dir] belongs to one process at a time, records what x created there, replaces a
// tree in one step, and cleans up.
package builddir
