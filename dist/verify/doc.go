// Package verify is the dist test: it looks at what would be published, and
// only at that, and says whether it is sound and which linker it links with.
//
// [Run] takes a directory of archives, single archives, a channel manifest, an
// installed tree or an assembled sysroot, and returns a [Report]. Its checks
// are in groups, and [Catalogue] lists them all:
//
//	static   the archives as files: container, tar members, rust-installer's contract
//	sysroot  the unpacked tree: gcc-ld, libraries, glibc floor, leftovers of the build
//	link     programs compiled from a moved prefix, each read back and run
//	channel  the manifests against the files they name
//	client   the real rustup, in temporary homes
//
// [Installation] reports on an installed toolchain, in a group of its own.
//
// A check passes, fails, or is skipped because this machine lacks something it
// needs. A file that no check looked at is a failure. One skip makes the whole
// report a skip: what was not tested did not pass.
//
// A compiler for another machine is run by QEMU, if the machine has it, with a cross C
// compiler in the place of cc. Where it does not run, a compiler of this machine and of the
// same build links with its standard library: see [Options.Compilers]. What neither can
// do is skipped.
//
// No program that runs here inherits the caller's environment: a run sets PATH,
// HOME and all else that they get. Run runs the archives' compiler, in a sandbox
// as far as the machine has one: see [Options.Sandbox]. rustup, which starts what it
// installed, runs outside of it. The static and channel checks
// run nothing.
//
// The package prints nothing. Of the environment it reads only what [os.TempDir]
// does, and only where no TempDir is given.
package verify
