package check

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/marks"
	"x.go/targets"
)

func (k *checker) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(k.f.Dir, p)
}

// sysrootFiles checks LLD and objcopy of the input. Archives hold no links, so a
// linked program stops upstream after the whole build (rust-lang/rust#139477,
// #135554). Here the file behind the link is packaged, which rarely works elsewhere.
func (k *checker) sysrootFiles() {
	if k.f.Sysroot == "" {
		return
	}
	host, exe := k.c.Build.Build, ""
	if tc := k.f.Toolchain; tc != nil {
		host, exe = tc.Host, tc.Spec.ExeSuffix
	}
	bin := filepath.Join(marks.Rustlib(k.f.Sysroot), host.String(), "bin")
	k.rustLLD(filepath.Join(bin, "rust-lld"+exe))
	rule := programRule(0)
	if k.f.Input != nil {
		rule = mayDangle // it is judged with its component
	}
	k.program(filepath.Join(bin, "rust-objcopy"+exe), "", "remove it, or put the file itself there", rule)
}

// rustLLD checks the input's rust-lld. If a toolchain was asked, the decision on LLD
// has reported a missing one.
func (k *checker) rustLLD(name string) {
	const remedy = "set lld.binary in x.toml to an LLD, or rust.lld = false"
	_, err := k.f.Files.Lstat(name)
	switch used := k.decided.Outcome.Shipped && k.c.X.LLD.Binary == ""; {
	case used && k.f.LLD.Toolchain == nil && errors.Is(err, fs.ErrNotExist):
		severity := config.Warning
		if k.c.Rust.LLD == targets.Yes {
			severity = config.Failure
		}
		k.at(severity, name, "rust.lld", remedy, "no such file: LLD cannot be shipped, although %s", k.decided.Wanted.Reason)
	case used:
		k.program(name, "rust.lld", remedy, 0)
	}
}

// programRule says what else [checker.program] checks.
type programRule uint8

const (
	mustExist programRule = 1 << iota
	mayBeLink             // the file behind a link is copied
	mayDangle             // a link to nothing is nothing
)

// program checks that a path is an executable file.
func (k *checker) program(name, key, remedy string, rule programRule) {
	info, err := k.f.Files.Lstat(name)
	link := err == nil && info.Mode()&fs.ModeSymlink != 0
	if link {
		if info, err = k.f.Files.Stat(name); err != nil && rule&mayDangle != 0 {
			return
		} else if err != nil {
			k.at(config.Failure, name, key, remedy, "it is a broken symlink: %v", err)
			return
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if rule&mustExist != 0 {
			k.at(config.Failure, name, key, remedy, "no such file")
		}
	case err != nil:
		k.at(config.Failure, name, key, remedy, "asking what it is: %v", err)
	case link && !info.Mode().IsRegular():
		k.at(config.Failure, name, key, remedy, "it is a symlink to something that is not a regular file")
	case !info.Mode().IsRegular():
		k.at(config.Failure, name, key, remedy, "it is not a regular file")
	case info.Mode()&0o100 == 0 && runtime.GOOS != "windows":
		k.at(config.Failure, name, key, "make it executable", "it is not executable")
	case link && rule&mayBeLink == 0:
		k.at(config.Warning, name, key, "put the file itself there",
			"it is a symlink, which archives cannot hold: the file that it points to will be packaged, and x.py would stop (generated a symlink in a tarball)")
	}
}

// programs checks the paths of programs in keys.
func (k *checker) programs() {
	x, out := k.c.X.LLD, k.decided.Outcome
	if out.Shipped && x.Binary != "" {
		k.program(k.path(x.Binary), "lld.binary", "correct lld.binary", mustExist|mayBeLink)
	}
	if out.Wrapper == lld.WrapperGiven {
		k.program(k.path(x.Wrapper), "lld.wrapper", "correct lld.wrapper", mustExist|mayBeLink)
	}
	if out.BuildsWrapper() && x.SiteWrapper != "" {
		if _, err := k.f.Files.Stat(x.SiteWrapper); err != nil {
			k.at(config.Warning, x.SiteWrapper, "lld.site-wrapper", "it must be where the toolchain is used", "%v", err)
		}
	}
	if k.f.Sysroot != "" {
		return // it replaces them
	}
	// The compiler is needed, cargo is x.py's. Where no compiler is asked, the file may
	// be for another machine.
	rustc, cargo := config.Failure, config.Warning
	if k.f.NoCompiler {
		rustc, cargo = config.Note, config.Note
	}
	for _, p := range []struct {
		key, name string
		severity  config.Severity
	}{
		{"build.rustc", k.c.Build.Rustc, rustc}, {"build.cargo", k.c.Build.Cargo, cargo},
	} {
		if !strings.ContainsRune(filepath.ToSlash(p.name), '/') {
			continue // found on PATH, or not set
		}
		// A link is fine here: distributions have /usr/bin/rustc as one.
		_, err := k.f.Files.Lstat(k.path(p.name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			k.say(p.severity, p.key, "correct the path or remove the key", "%s: no such file", p.name)
		case err != nil:
			k.say(p.severity, p.key, "correct the path or remove the key", "%s: %v", p.name, err)
		}
	}
}

// dirs reports directories that cannot be written to.
func (k *checker) dirs() {
	if err := k.f.Files.Writable(k.buildDir()); err != nil {
		k.say(config.Failure, "build.build-dir", "choose another build.build-dir", "writing to %s: %v", k.buildDir(), err)
	}
	if k.f.Command != "install" {
		return
	}
	prefix := filepath.Join(k.f.Destdir, k.c.Install.Prefix)
	if k.f.Destdir == "" {
		prefix = k.c.Install.Prefix
	}
	if err := k.f.Files.Writable(prefix); err != nil {
		k.say(config.Failure, "install.prefix", "choose another install.prefix, or install into a DESTDIR", "writing to %s: %v", prefix, err)
	}
}

func (k *checker) buildDir() string { return k.path(k.c.Build.BuildDir) }

// archiveShare is the size of an archive in parts of 100 of its input. The
// stable 1.95.0 toolchain with documentation, 1.3 GB, gave 26 with gzip -1, 17
// with xz -1 and 20 with zstd -3. Every file is in two archives, its
// component's and the combined one.
var archiveShare = map[string]int64{"gz": 28, "xz": 18, "zst": 24}

func (k *checker) disk() {
	if k.f.InputSize == 0 {
		return
	}
	free, err := k.f.Files.Free(k.buildDir())
	if err != nil {
		return
	}
	var need int64
	for _, f := range k.c.Dist.CompressionFormats {
		need += 2 * archiveShare[f] * (k.f.InputSize / 100)
	}
	if free < need {
		k.say(config.Failure, "build.build-dir", "free some space, choose another build.build-dir, or fewer dist.compression-formats",
			"%s has %s free, the archives need about %s", k.buildDir(), sizeText(free), sizeText(need))
	}
}
