package source

import (
	"path"
	"slices"
	"strings"
)

// plainDirs are the directories that the plain source archive has, and plainFiles the
// files beside them, over all releases. needed are those without which there is nothing
// to build.
var (
	plainDirs  = []string{"src", "compiler", "library", "tests", "LICENSES"}
	plainFiles = []string{
		".gitmodules", "CONTRIBUTING.md", "COPYRIGHT", "Cargo.lock", "Cargo.toml", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "RELEASES.md",
		"REUSE.toml", "bootstrap.example.toml", "config.example.toml", "config.toml.example", "configure", "license-metadata.json", "package.json",
		"x", "x.ps1", "x.py", "yarn.lock",
	}
	needed = []string{
		"Cargo.lock", "Cargo.toml", "x.py", versionFile, "src/bootstrap/Cargo.toml", "src/bootstrap/bootstrap.py", "library/std/Cargo.toml",
		"compiler/rustc/Cargo.toml",
	}
)

// Files that describe a tree.
const (
	versionFile = "src/version"
	channelFile = "src/ci/channel"
	recordFile  = "version" // of an archive
	hashFile    = "git-commit-hash"
	infoFile    = "git-commit-info"
	cargoDir    = "src/tools/cargo"
	cargoConfig = ".cargo/config.toml"
	gccDir      = "src/gcc"
	gccNotice   = "notice.txt"
)

// vendorDirs hold the sources of other people's crates, with their checksums.
var vendorDirs = []string{"vendor", "library/vendor"}

// inVendor reports whether a name of a tree lies in one of the [vendorDirs].
func inVendor(name string) bool {
	return slices.ContainsFunc(vendorDirs, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
}

// ignored are names that upstream leaves out, of whatever kind.
var ignored = []string{
	"CVS", "RCS", "SCCS", ".git", ".gitignore", ".gitmodules", ".gitattributes", ".cvsignore", ".svn", ".arch-ids", "{arch}", "=RELEASE-ID",
	"=meta-update", "=update", ".bzr", ".bzrignore", ".bzrtags", ".hg", ".hgignore", ".hgrags", "_darcs", "__pycache__",
}

// llvmParts are the parts of llvm-project that are built.
var llvmParts = []string{"clang", "libunwind", "lld", "lldb", "llvm", "compiler-rt", "cmake", "runtimes", "third-party"}

// llvmDir is LLVM's source.
const llvmDir = "src/llvm-project"

// excluded reports whether upstream leaves a name of the tree out, by this name alone.
// What is below a directory that is left out is, too.
func excluded(name string) bool {
	base := path.Base(name)
	switch {
	case inVendor(name):
		return base == "__pycache__" // checksums name all else
	case strings.HasSuffix(name, "~") || strings.HasSuffix(name, ".pyc"):
		return true
	}
	if rest, ok := strings.CutPrefix(name, llvmDir+"/"); ok && excludedOfLLVM(rest) {
		return true
	}
	if strings.HasPrefix(name, cargoDir+"/tests/") && base != "__pycache__" {
		return false // cargo's tests need their .gitignore
	}
	return slices.Contains(ignored, base)
}

// excludedOfLLVM reports whether a name below llvm-project is left out. Upstream
// compares the beginnings of names, so that "llvm" stands for "llvm-libgcc", too.
func excludedOfLLVM(name string) bool {
	if !slices.ContainsFunc(llvmParts, func(part string) bool { return strings.HasPrefix(name, part) }) {
		return true
	}
	if rest, ok := strings.CutPrefix(name, "third-party/"); ok && !strings.HasPrefix(rest, "siphash") {
		return true
	}
	return strings.HasPrefix(name, "llvm/test/") && slices.Contains([]string{".ll", ".td", ".s"}, path.Ext(name))
}

// notInComponent are the parts of the library that the component rust-src does not have:
// they have links, or nobody builds the standard library with them.
var notInComponent = []string{"library/backtrace/crates", "library/stdarch/Cargo.toml", "library/stdarch/crates/stdarch-verify", "library/stdarch/crates/intrinsic-test"}
