// Package programs has the programs that x puts into a sysroot, and places them for the
// host of a toolchain: lldwrapper stands in gcc-ld, launcher runs before rustc.
//
// For the usual hosts both are the guest program, which is compiled already. It is
// written in C without a library, since Go's runtime is a bad guest: it reserves
// hundreds of MB of address space and starts threads, so it dies under limits that the
// linker itself keeps, and it changes the signals that its successor inherits. For other
// hosts their source in Go is compiled when it is needed; both use package process to
// become another program.
package programs
