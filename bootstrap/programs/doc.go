// Package programs holds the source of the Go programs that x puts into a sysroot,
// and builds them for the host of a toolchain: lldwrapper stands in gcc-ld, launcher
// runs before rustc, and both use process to become another program.
package programs
