// Package layout arranges the files of components as a distribution of an operating
// system has them: in other directories, without what the distribution brings itself,
// split into packages. A Layout is rows of data, read from TOML; those of Debian,
// Fedora, Alpine, Arch, Gentoo, FreeBSD and Void come with the program.
//
//	l, err := layout.Named("debian")
//	staged, err := l.Apply(ctx, layout.Facts{Host: host, Release: "1.95.0"}, components)
//
// The result has a component for each package, whose names are below the root of the
// file system, and the lists of files that the distribution's own tools read: those
// of debhelper, the %files of rpm, the plist of a BSD. Nothing is written.
package layout
