package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"x.go/dist/archive"
	"x.go/targets/nearest"
)

// CheckInfo describes one kind of check.
type CheckInfo struct {
	Name  string `json:"name"`
	Group Group  `json:"group"`
	// What is demanded, in one line.
	What string `json:"what"`
}

// archivePrefix stands before the names of the checks of one archive. Those that
// the scan of an archive decides are called like its kinds of problems.
const archivePrefix = "archive/"

// Names of the static checks of one archive.
const (
	archiveFileName    = "archive/file-name"
	archiveReadable    = archivePrefix + string(archive.ProblemReadable)
	archiveFormat      = "archive/format"
	archiveStream      = archivePrefix + string(archive.ProblemStream)
	archiveTrailing    = archivePrefix + string(archive.ProblemTrailing)
	archiveMemory      = archivePrefix + string(archive.ProblemMemory)
	archiveLimits      = archivePrefix + string(archive.ProblemLimits)
	archiveFilter      = archivePrefix + string(archive.ProblemFilter)
	archiveHeader      = archivePrefix + string(archive.ProblemHeader)
	archiveTarEnd      = archivePrefix + string(archive.ProblemTarEnd)
	archiveTop         = archivePrefix + string(archive.ProblemTop)
	archiveName        = archivePrefix + string(archive.ProblemName)
	archiveKind        = archivePrefix + string(archive.ProblemType)
	archiveMode        = archivePrefix + string(archive.ProblemMode)
	archiveOwner       = archivePrefix + string(archive.ProblemOwner)
	archiveTime        = archivePrefix + string(archive.ProblemTime)
	archiveDuplicate   = archivePrefix + string(archive.ProblemDuplicate)
	archiveOrder       = archivePrefix + string(archive.ProblemDirOrder)
	archiveStray       = "archive/stray-member"
	archiveInstaller   = archivePrefix + string(archive.ProblemInstaller)
	archiveComponents  = archivePrefix + string(archive.ProblemComponents)
	archiveManifest    = archivePrefix + string(archive.ProblemManifest)
	archiveManifestDup = archivePrefix + string(archive.ProblemManifestDuplicate)
	archiveManifestOrd = archivePrefix + string(archive.ProblemManifestOrder)
	archivePath        = archivePrefix + string(archive.ProblemManifestPath)
	archiveEntryKind   = archivePrefix + string(archive.ProblemManifestKind)
	archiveAbsent      = archivePrefix + string(archive.ProblemAbsent)
	archiveUnlisted    = archivePrefix + string(archive.ProblemUnlisted)
	archiveConflict    = archivePrefix + string(archive.ProblemConflict)
	archiveExecutable  = "archive/executable"
	archiveScript      = "archive/install-script"
	archiveVersion     = "archive/version"
	archiveRecord      = "archive/build-record"
	archiveChecksum    = "archive/checksum-file"
)

// Names of the static checks between archives and of the input as a whole.
const (
	inputUnchecked  = "input/unchecked-file"
	inputReadable   = "input/readable"
	setFormats      = "set/formats-agree"
	setOwner        = "set/owner-conflict"
	setNested       = "set/owner-nested"
	setCombined     = "set/combined-parts"
	setVersion      = "set/one-release"
	setOwnLibraries = "set/own-libraries"
)

// Names of the checks of ELF files that are given by themselves.
const (
	programReadable = "program/elf-readable"
	programLinker   = "program/linker"
	programCtors    = "program/lost-constructors"
)

// Names of the checks of an unpacked tree.
const (
	treeUnpack      = "sysroot/unpack"
	treeCompiler    = "sysroot/compiler-runs"
	treeFacts       = "sysroot/compiler-facts"
	treeRelocated   = "sysroot/relocated"
	treeGCCLD       = "sysroot/gcc-ld"
	treeRustLLD     = "sysroot/rust-lld"
	treeWrapper     = "sysroot/wrapper-reaches-lld"
	treeELF         = "sysroot/elf-readable"
	treeMachine     = "sysroot/machine"
	treeNeeded      = "sysroot/needed-libraries"
	treeRunPath     = "sysroot/runpath"
	treeScript      = "sysroot/linker-script"
	treeCtors       = "sysroot/lost-constructors"
	treeBuildPath   = "sysroot/build-path"
	treeMode        = "sysroot/mode"
	treeSymlink     = "sysroot/symlink"
	treeInventory   = "sysroot/installed-files"
	treeLinkerFacts = "sysroot/linker-evidence"
	treeContained   = "sysroot/contained"
)

// Names of the channel checks.
const (
	channelReadable = "channel/readable"
	channelValid    = "channel/valid"
	channelChecksum = "channel/checksum-file"
	channelPresent  = "channel/file-present"
	channelHash     = "channel/file-hash"
	channelVersion  = "channel/version"
	channelSide     = "channel/side-files"
	channelSigned   = "channel/signature"
	channelSums     = "channel/checksums"
	channelBuilt    = "channel/provenance"
	channelAliases  = "channel/aliases-agree"
	channelName     = "channel/name"
	channelUnlisted = "channel/unlisted-archive"
)

// Names of the checks by the real client.
const (
	clientInstall = "client/install"
	clientAdd     = "client/component-add"
	clientRemove  = "client/component-remove"
	clientTarget  = "client/target-add"
	clientUpdate  = "client/update"
)

// staticTable, and the tables after it, are in the order of reports.
var staticTable = []CheckInfo{
	{inputReadable, Static, "each operand can be read and is of a known kind"},
	{inputUnchecked, Static, "every file of the directory was checked by something"},
	{programReadable, Static, "the ELF file is well formed"},
	{programLinker, Static, "the file was linked by the linker that --expect names, by the linker's own mark; without --expect, its witnesses do not contradict each other"},
	{programCtors, Static, "no .ctors or .dtors left with content: LLD does not run them"},
	{archiveFileName, Static, "the file is named COMPONENT-VERSION[-TARGET].tar.FORMAT, of known components"},
	{archiveReadable, Static, "decodes to the end of its tar without an error"},
	{archiveFormat, Static, "the content is of the format that the file's name says"},
	{archiveStream, Static, "one xz stream or gzip member: rustup reads no second one, but all frames of zstd"},
	{archiveTrailing, Static, "nothing after the compressed stream but the zeros that its format allows"},
	{archiveFilter, Static, "no xz filter that rustup does not decode, such as that of ARM64"},
	{archiveMemory, Static, "decoding needs no more memory than the limit"},
	{archiveLimits, Static, "unpacks to no more bytes and members than the limits"},
	{archiveHeader, Static, "rustup and other readers of tar take each header alike"},
	{archiveTarEnd, Static, "the tar ends with two zero blocks and nothing after them"},
	{archiveTop, Static, "one top directory, named as the file without its extension"},
	{archiveName, Static, `member names are clean, relative, without "./", "..", backslash and control characters`},
	{archiveKind, Static, "members are regular files and directories only: rustup refuses links and devices"},
	{archiveMode, Static, "modes are 0755 for directories, 0644 or 0755 for files"},
	{archiveOwner, Static, "owner and group are 0 and have no name"},
	{archiveTime, Static, "directories share one time and files share one time"},
	{archiveDuplicate, Static, "no two members have the same name"},
	{archiveOrder, Static, "directories come once each, before what they hold, parents first"},
	{archiveStray, Static, "top level holds only rust-installer's files, overlay documents and listed components"},
	{archiveInstaller, Static, `rust-installer-version is "3" and a newline`},
	{archiveComponents, Static, "components lists each component directory once, one a line"},
	{archiveManifest, Static, `each component has a manifest.in of "file:" and "dir:" lines, LF-ended, not empty`},
	{archiveManifestDup, Static, "no manifest line twice, none inside a listed directory"},
	{archiveManifestOrd, Static, "manifest lines are in bytewise order"},
	{archivePath, Static, "manifest paths stay below the prefix: rustup installs file:../x outside the toolchain"},
	{archiveEntryKind, Static, `"file:" names a file and "dir:" a directory`},
	{archiveAbsent, Static, "each manifest line names a member"},
	{archiveUnlisted, Static, "each payload file is named by a manifest line: rustup drops others silently"},
	{archiveConflict, Static, "no file belongs to two components of the archive"},
	{archiveExecutable, Static, "programs are executable: bin/*, libexec/*, rust-lld, gcc-ld/*; libraries and documents need not be"},
	{archiveScript, Static, "install.sh is there and executable"},
	{archiveVersion, Static, "version is there, one line"},
	{archiveRecord, Static, "x-build.json, where there is one, agrees with the archive: commit, rust-lld, gcc-ld, launcher, digests of built programs"},
	{archiveChecksum, Static, ".sha256 beside it holds 64 lower-case digits, two spaces and the name, and they are right"},
	{setFormats, Static, "gz, xz and zst of one archive hold the same members"},
	{setOwner, Static, "no two archives of one toolchain install the same path: rustup refuses them (\"detected conflict\")"},
	{setNested, Static, "a warning, not a failure, if an archive's files lie in a directory that another lists as a whole: removing that component deletes them. Upstream's rust-docs and rustc-docs are so"},
	{setCombined, Static, "the combined archive equals its parts"},
	{setVersion, Static, "archives of one release agree on version and commit where they share them"},
	{setOwnLibraries, Static, "what programs need of librustc_driver, libstd and Rust's libLLVM is in the archives"},
}

var treeTable = []CheckInfo{
	{treeUnpack, Sysroot, "the archives unpack and install into one prefix"},
	{treeCompiler, Sysroot, "rustc runs from a moved prefix in a clean environment, without LD_LIBRARY_PATH; by QEMU if it is for another machine"},
	{treeFacts, Sysroot, "the files of a compiler for another machine name one host and one release: those of its archive, and of what it says where an emulator runs it"},
	{treeContained, Sysroot, "in their sandbox, the compiler and what it links write and read nothing of others, reach no network, stay within limits of memory, processes and disk, and leave no process behind"},
	{treeRelocated, Sysroot, "rustc finds its sysroot and its own libraries at the moved prefix"},
	{treeGCCLD, Sysroot, "gcc-ld holds ld.lld, ld64.lld, lld-link and wasm-ld, as executable programs, and nothing else"},
	{treeRustLLD, Sysroot, "rust-lld is there if LLD is expected"},
	{treeWrapper, Sysroot, "each wrapper of gcc-ld, run with --version, answers as the linker that is expected"},
	{treeELF, Sysroot, "every ELF file is well formed"},
	{treeMachine, Sysroot, "programs and libraries are for the host's machine"},
	{treeNeeded, Sysroot, "every needed library is in the tree or on the host, found without LD_LIBRARY_PATH"},
	{treeRunPath, Sysroot, "RUNPATH is relative to $ORIGIN and stays inside the tree; the interpreter is where systems have it"},
	{treeScript, Sysroot, "linker scripts name files of the tree"},
	{treeCtors, Sysroot, "no .ctors or .dtors left with content: LLD does not run them"},
	{treeLinkerFacts, Sysroot, "the witnesses of each file's linker do not contradict each other"},
	{treeBuildPath, Sysroot, "no file holds a path of the machine that built it"},
	{treeMode, Sysroot, "programs are executable and nothing is writable by group or others"},
	{treeSymlink, Sysroot, "symbolic links end inside the tree"},
	{treeInventory, Sysroot, "every file that the installed manifests list is there"},
}

var channelTable = []CheckInfo{
	{channelReadable, Channel, "the manifest can be fetched and parsed"},
	{channelValid, Channel, "components, extensions, renames and profiles name packages that are there"},
	{channelChecksum, Channel, "the manifest's .sha256 is right: rustup panics on a short one"},
	{channelPresent, Channel, "every URL of an available package answers"},
	{channelHash, Channel, "every file has the hash that the manifest gives"},
	{channelVersion, Channel, "versions equal those inside the archives"},
	{channelSide, Channel, "date and commit files agree with the manifest"},
	{channelSigned, Channel, "with --keyring, manifest, provenance and SHA256SUMS are signed by a key of it that is good today"},
	{channelBuilt, Channel, "the provenance, where there is one, names the manifest and the archives with a build record, with their digests and records"},
	{channelSums, Channel, "SHA256SUMS, or channel-rust-NAME-SHA256SUMS, where there is one, has the digests of the files beside it, and of its manifests"},
	{channelName, Channel, "the release is the one that the manifest's name promises: stable, beta, nightly or 1.95.0"},
	{channelAliases, Channel, "manifests of one release under several names are equal"},
	{channelUnlisted, Channel, "every archive beside the manifest is offered by it"},
}

var clientTable = []CheckInfo{
	{clientInstall, Client, "rustup installs each profile into an empty home, and the result links"},
	{clientAdd, Client, "rustup adds every component that is offered"},
	{clientRemove, Client, "rustup removes it again and leaves none of its files"},
	{clientTarget, Client, "rustup adds and removes a target"},
	{clientUpdate, Client, "rustup updates from a manifest of an earlier date"},
}

// Catalogue returns every kind of check that a [Report] may hold, in the order
// of reports.
func Catalogue() []CheckInfo {
	var all []CheckInfo
	all = append(all, staticTable...)
	all = append(all, sourceTable()...)
	all = append(all, treeTable...)
	all = append(all, legTable()...)
	all = append(all, channelTable...)
	all = append(all, clientTable...)
	all = append(all, installedTable...)
	return append(all, storeTable...)
}

// Match returns the checks whose names a glob matches, in the order of reports. ** in
// it matches any number of parts between slashes. A glob that matches none is an
// error: a mistyped name must not pass for one.
func Match(glob string) ([]CheckInfo, error) {
	if !doublestar.ValidatePattern(glob) {
		return nil, fmt.Errorf("matching check %q: malformed glob", glob)
	}
	var names []string // that may be meant
	var out []CheckInfo
	for _, c := range Catalogue() {
		part, _, _ := strings.Cut(c.Name, "/")
		if whole := part + "/**"; !slices.Contains(names, whole) {
			names = append(names, whole)
		}
		names = append(names, c.Name)
		if ok, err := doublestar.Match(glob, c.Name); err == nil && ok {
			out = append(out, c)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("matching check %q: no check has such a name, `x verify --list` has all%s", glob, nearest.Hint(glob, names))
	}
	return out, nil
}
