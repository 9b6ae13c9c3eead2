package check

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/marks"
	"x.go/bootstrap/programs"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/targets"
)

// Facts is what [Run] knows besides the configuration. A fact with its zero value is
// not known, and checks that need it are skipped.
type Facts struct {
	// Command is the command to come: "dist" (also meant by ""), "install".
	Command string
	// Destdir is the directory that install uses as the root (DESTDIR).
	Destdir string
	// Dir is the directory that relative paths start from.
	Dir string
	// LLD holds the facts for the decision on LLD.
	LLD lld.Facts
	// Toolchain is the input; nil if no compiler was asked.
	Toolchain *toolchain.Toolchain
	// Input holds the toolchain's files by component, without documentation; nil if
	// they were not read, and InputError says why they could not be.
	Input      *toolchain.Input
	InputError error
	// Versions are the errors of asking tools for their versions, by the archive's name.
	Versions map[string]error
	// Sysroot is the directory of the input toolchain.
	Sysroot string
	// Others are those of toolchains of other hosts that are packaged with it.
	Others []string
	// Memory is the machine's memory in bytes, and InputSize what is to be packed.
	Memory    int64
	InputSize int64
	// KnownTarget reports whether there is such a target, or names similar
	// ones; nil asks the builtin registry.
	KnownTarget func(targets.Triple) error
	// NoCompiler says that the compiler was not to be asked: then the paths of
	// programs may be those of another machine.
	NoCompiler bool
	// Verbose asks for all changes since change-id.
	Verbose bool
	// Files is the file system; nil skips all that needs it.
	Files Files
}

// Files is what [Run] may ask of the file system. It changes nothing.
type Files interface {
	// Lstat returns what a path is, without following a link.
	Lstat(name string) (fs.FileInfo, error)
	// Stat returns what a path is or leads to.
	Stat(name string) (fs.FileInfo, error)
	// Writable returns why nothing can be created in a directory, or nil.
	Writable(dir string) error
	// Free returns the free bytes of the file system that holds a directory.
	Free(dir string) (int64, error)
}

// Machine returns the facts of the machine that x runs on, and changes nothing.
func Machine() Facts {
	return Facts{Memory: memory(), LLD: lld.Facts{CanBuild: canBuild}, Files: hostFiles{}}
}

// Ask returns [Machine] together with what the toolchain says of itself, if the
// configuration needs it, and with the files to be packaged. Documentation is not
// among them: a complete sysroot has over 50000 files of it.
func Ask(ctx context.Context, c config.Config, tc toolchain.Toolchain) (Facts, error) {
	f := Machine()
	var err error
	if f.LLD, err = tc.LLDFacts(ctx, c); err != nil {
		return Facts{}, err
	}
	f.Toolchain, f.Sysroot, f.InputSize = &tc, tc.Sysroot, inputSize(tc.Sysroot)
	if in, err := toolchain.ReadPrograms(tc); err != nil {
		f.InputError = err
	} else {
		f.Input, f.Versions = &in, askVersions(ctx, tc, in)
	}
	return f, ctx.Err()
}

// askVersions asks the tools that have versions of their own, all at once.
func askVersions(ctx context.Context, tc toolchain.Toolchain, in toolchain.Input) map[string]error {
	failed := make([]error, len(in.Components))
	var wg sync.WaitGroup
	for i, c := range in.Components {
		wg.Go(func() { _, failed[i] = tc.ComponentVersion(ctx, c.Spec) })
	}
	wg.Wait()
	out := map[string]error{}
	for i, c := range in.Components {
		if failed[i] != nil {
			out[c.Spec.Archive] = failed[i]
		}
	}
	return out
}

// hasStd reports whether any of the toolchains has a standard library for a target.
func (k *checker) hasStd(t targets.Triple) bool {
	return hasStd(k.f.Sysroot, t) || slices.ContainsFunc(k.f.Others, func(sysroot string) bool { return hasStd(sysroot, t) })
}

// hasStd reports whether a sysroot has a standard library for a target.
func hasStd(sysroot string, t targets.Triple) bool {
	libs, err := fs.Glob(os.DirFS(marks.Rustlib(sysroot)), path.Join(t.String(), "lib/lib*.rlib"))
	return err == nil && len(libs) > 0
}

// canBuild returns why the programs of x cannot be built for a host, or nil.
func canBuild(host targets.Triple) error {
	spec, err := registry().Lookup(host)
	if err != nil {
		return err
	}
	return programs.CanBuild(spec)
}

// largeDirs are where nearly all bytes of a toolchain lie, but for its
// documentation, as patterns of [fs.Glob].
var largeDirs = []string{"bin", "lib", "lib64", "libexec", "lib64/rustlib/*/lib", "lib64/rustlib/*/bin", "lib/rustlib/*/lib", "lib/rustlib/*/bin", "lib/rustlib/*/codegen-backends"}

// docsSize is the size of share/doc in bytes, in 52000 files: that of stable
// 1.95.0, which grows by a few per cent with each release.
const docsSize = 644 << 20

// inputSize estimates the bytes of a sysroot from its largest files.
func inputSize(sysroot string) int64 {
	var n int64
	root := os.DirFS(sysroot)
	for _, pattern := range largeDirs {
		dirs, err := fs.Glob(root, pattern)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			n += filesSize(root, dir)
		}
	}
	if fi, err := fs.Stat(root, "share/doc/rust/html"); err == nil && fi.IsDir() {
		n += docsSize
	}
	return n
}

// filesSize adds up the files of one directory, without what is below it.
func filesSize(root fs.FS, dir string) int64 {
	entries, err := fs.ReadDir(root, dir)
	if err != nil {
		return 0
	}
	var n int64
	for _, e := range entries {
		if fi, err := e.Info(); err == nil && fi.Mode().IsRegular() {
			n += fi.Size()
		}
	}
	return n
}

// hostFiles is the file system as [Run] asks it.
type hostFiles struct{}

// Lstat implements [Files].
func (hostFiles) Lstat(name string) (fs.FileInfo, error) {
	fi, err := os.Lstat(name)
	return fi, dist.WithoutPath(err)
}

// Stat implements [Files].
func (hostFiles) Stat(name string) (fs.FileInfo, error) {
	fi, err := os.Stat(name)
	return fi, dist.WithoutPath(err)
}

// Writable implements [Files]. For a directory that does not exist yet, the nearest
// one above it counts: it would be created there.
func (hostFiles) Writable(dir string) error {
	above, err := existing(dir)
	if err != nil {
		return err
	}
	if err := writable(above); err != nil {
		if above != filepath.Clean(dir) {
			return fmt.Errorf("%s: %w", above, err)
		}
		return err
	}
	return nil
}

// Free implements [Files].
func (hostFiles) Free(dir string) (int64, error) {
	above, err := existing(dir)
	if err != nil {
		return 0, err
	}
	return freeSpace(above)
}

// existing returns dir, or the nearest directory above it that exists.
func existing(dir string) (string, error) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue
		case err != nil:
			return "", fmt.Errorf("%s: %w", dir, dist.WithoutPath(err))
		case !fi.IsDir():
			return "", fmt.Errorf("%s: not a directory", dir)
		}
		return dir, nil
	}
}
