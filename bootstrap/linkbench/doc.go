// Package linkbench compares linkers on a build that somebody cares for: GNU ld with the
// LLD of a toolchain, that LLD with fewer threads, and whatever other linkers are
// installed.
//
// [Run] runs one command, usually `cargo build`, with each linker in turn, several rounds
// of them, and takes the figures of the build and of every link in it. In between is this
// program itself, under other names: see helper. As RUSTC_WRAPPER it adds two arguments
// behind those of the user, -Clink-arg=-B<directory> and -Clink-arg=-fuse-ld=bfd. The C
// compiler, whichever the user has, takes the last -fuse-ld and looks for ld.bfd in that
// directory first. It finds this program, which starts the linker whose turn it is and
// sees when it ends and what it took. So:
//
//   - RUSTFLAGS, .cargo/config.toml and profiles stay in force, as does the C compiler that
//     they name. cargo sees the same command line for all linkers.
//   - The line that the C compiler makes for the linker is the same for all of them.
//   - A link is the linker alone, without the C compiler that starts it.
//   - What build scripts compile and link by themselves is not touched.
//
// The arguments are stable ones, for all targets that a C compiler links for. rustc's own
// -Clinker-features=-lld is stable for one target only.
//
// That a link succeeded says nothing about the linker that ran. Each result is read with
// package linkage as soon as it is there, before it is stripped. A row with a result that
// another linker than its own made has an error and no figures.
//
// The user's target directory is not used: CARGO_TARGET_DIR and CARGO_BUILD_BUILD_DIR lead
// to a temporary one, which is removed at the end.
package linkbench
