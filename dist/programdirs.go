package dist

import (
	"cmp"
	"fmt"
	"path/filepath"
)

// ProgramDirs are the directories of an installation that the compiler's own search
// depends on: Prefix is absolute, the others are below it unless they are absolute, and
// "" stands for bin and lib.
type ProgramDirs struct{ Prefix, Bindir, Libdir string }

// Parted returns why a compiler would not find its libraries in these directories, and
// the key of the configuration that is to blame; "" if it would. Programs have the
// RUNPATH $ORIGIN/../lib, and rustc looks for lib/rustlib in the directory above the one
// that librustc_driver is in (`compiler/rustc_session/src/filesearch.rs`).
func (d ProgramDirs) Parted() (key string, err error) {
	at := func(dir, def string) string {
		if dir = cmp.Or(dir, def); filepath.IsAbs(dir) {
			return filepath.Clean(dir)
		}
		return filepath.Join(d.Prefix, dir)
	}
	bin, lib := at(d.Bindir, "bin"), at(d.Libdir, "lib")
	switch {
	case filepath.Base(lib) != "lib":
		return "install.libdir", fmt.Errorf("rustc would not find lib/rustlib: it looks in a directory called lib, got %q", lib)
	case filepath.Join(bin, "..", "lib") == lib:
		return "", nil
	case d.Bindir == "":
		key = "install.libdir"
	default:
		key = "install.bindir"
	}
	return key, fmt.Errorf("rustc would not find its libraries: programs in %q look for them in %q, but they would be in %q", bin, filepath.Join(filepath.Dir(bin), "lib"), lib)
}
