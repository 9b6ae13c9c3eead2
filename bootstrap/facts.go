package bootstrap

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/targets"
)

// MachineFacts returns what [config.Check] wants to know of the machine that x
// runs on. It changes nothing.
func MachineFacts() config.Facts {
	return config.Facts{Memory: memory(), CanBuildWrapper: canBuildWrapper, Files: hostFiles{}}
}

// Facts returns MachineFacts together with what the toolchain says of itself.
// The sysroot is not walked: a complete one has over 50000 files, and only the
// folders with the large ones are listed.
func (tc Toolchain) Facts() (config.Facts, error) {
	f := MachineFacts()
	f.Release, f.Channel, f.Host, f.Sysroot = tc.Version.Release, tc.Version.Channel(), tc.Host, tc.Sysroot
	f.BakedLLD = config.TristateOf(tc.BakedLLD())
	f.InputSize = inputSize(tc.Sysroot)
	return f, nil
}

// HasStd reports whether the sysroot has a standard library for a target.
func (tc Toolchain) HasStd(t targets.Triple) bool {
	libs, err := filepath.Glob(filepath.Join(globEscape(tc.Sysroot), "lib", "rustlib", t.String(), "lib", "lib*.rlib"))
	return err == nil && len(libs) > 0
}

// canBuildWrapper reports whether gcc-ld can be built for a host.
func canBuildWrapper(t targets.Triple) bool {
	spec, err := targets.Builtin().Lookup(t)
	if err != nil {
		return false
	}
	_, _, err = programPlatform(spec)
	return err == nil
}

// largeFolders are where nearly all bytes of a toolchain lie, but for its
// documentation, as patterns of [filepath.Glob].
var largeFolders = []string{"bin", "lib", "libexec", "lib/rustlib/*/lib", "lib/rustlib/*/bin", "lib/rustlib/*/codegen-backends"}

// docsSize is the size of share/doc in bytes, in 52000 files: that of stable
// 1.95.0, which grows by a few per cent with each release.
const docsSize = 644 << 20

// inputSize estimates the bytes of a sysroot from its largest files.
func inputSize(sysroot string) int64 {
	var n int64
	for _, pattern := range largeFolders {
		dirs, err := filepath.Glob(filepath.Join(globEscape(sysroot), filepath.FromSlash(pattern)))
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			n += filesSize(dir)
		}
	}
	if fi, err := os.Stat(filepath.Join(sysroot, "share", "doc", "rust", "html")); err == nil && fi.IsDir() {
		n += docsSize
	}
	return n
}

// filesSize adds up the files of one folder, without what is below it.
func filesSize(dir string) int64 {
	entries, err := os.ReadDir(dir)
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

// hostFiles is the file system as [config.Check] asks it.
type hostFiles struct{}

// Lstat implements [config.Files].
func (hostFiles) Lstat(name string) (fs.FileInfo, error) {
	fi, err := os.Lstat(name)
	return fi, dist.PlainError(err)
}

// Stat implements [config.Files].
func (hostFiles) Stat(name string) (fs.FileInfo, error) {
	fi, err := os.Stat(name)
	return fi, dist.PlainError(err)
}

// Writable implements [config.Files]. For a folder that is not there yet the
// nearest one above it counts, as it would be made in that.
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

// Free implements [config.Files].
func (hostFiles) Free(dir string) (int64, error) {
	above, err := existing(dir)
	if err != nil {
		return 0, err
	}
	return freeSpace(above)
}

// existing returns dir, or the nearest folder above it that exists.
func existing(dir string) (string, error) {
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue
		case err != nil:
			return "", fmt.Errorf("%s: %w", dir, dist.PlainError(err))
		case !fi.IsDir():
			return "", fmt.Errorf("%s: not a directory", dir)
		}
		return dir, nil
	}
}
