// Package installer is rust-installer (`src/tools/rust-installer`) as a library: its
// four commands, with the same trees, archives, defaults and error texts.
//
//	generate: [Generator.Run]  an image becomes a component with install.sh
//	combine:  [Combiner.Run]   archives become one of all their components
//	script:   [Scripter.Run]   install.sh alone
//	tarball:  [Tarballer.Run]  a directory becomes an archive as it is
//
// generate and combine lay a package out in WORK/PACKAGE and leave it there: x.py
// installs from it. combine leaves its unpacked inputs beside it. Both remove what an
// earlier run left under these names.
//
// What rust-installer does wrong is not copied:
//
//   - An overlay may not replace components or rust-installer-version, nor an image its
//     manifest.in: the file exists. rust-installer overwrites them silently.
//   - combine takes an archive's own files only. rust-installer goes on with an older
//     unpacked copy where the archive has none.
//   - The directory of the records must be one path component; rust-installer puts it
//     into the script without quotes. It may not be empty.
//   - Packages and components must have names that stay inside the work directory.
//     rust-installer removes the directory that "..", "" or an absolute name lead to.
//   - Images, overlays and archives may not lie in the directories that are removed
//     first, nor an image or overlay around them: one copies itself without end.
//   - Names of components have no white space, which separates them in the file.
//   - A file called as a bulk directory gets its line in manifest.in.
//   - An image that is not a directory is an error; so are devices, FIFOs, sockets and
//     names with control characters or backslashes, in an overlay, too.
//   - Archives appear under their names whole or not at all, and have been read back.
//     Nothing is written if the image or the overlay cannot be read. install.sh is
//     executable whatever the umask. A killed run may leave files called .x-*.tmp beside
//     the archives.
//   - Archives to combine are read with bounds and without trust: see [archive.Unpack].
//     Their first bytes tell their compression. Hard links and devices are refused.
//   - Formats named twice are written once. Times must fit in 63 bits.
//   - An input of several path components has the directories above it in the archive, too.
//   - zst is a format like the others.
//
// An empty product or message is that of [installsh.Options].
package installer
