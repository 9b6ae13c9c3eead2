// Package compose makes channels for rustup: of archives from any number of
// machines, of other channels, and of a release with something of one's own on top.
// It writes a directory of files, which package publish, a web server or a copy
// brings to users.
package compose
