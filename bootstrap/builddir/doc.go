// Package builddir keeps order in a build directory that x may share with x.py:
// [Lock] gives it to one process at a time, a [Dir] records what x created there,
// and [Stage] replaces a tree in one step.
package builddir
