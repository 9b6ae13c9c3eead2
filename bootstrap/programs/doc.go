// Package programs holds the source of the Go programs that x puts into a sysroot,
// and builds them for the host of a toolchain: lldwrapper stands in gcc-ld, launcher
// stands before rustc, and process is what both use to become another program.
package programs
