package toolchain

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/dist/loader"
	"x.go/manifests"
	"x.go/targets"
)

// sysrootDirs are the top directories of a toolchain. A sysroot with others is
// shared with the rest of a system, such as /usr: only the table of owners can
// tell there what belongs to Rust.
var sysrootDirs = []string{"bin", "etc", "lib", "lib64", "libexec", "share"}

// ownedRoots are the directories that are Rust's own in every sysroot.
var ownedRoots = []string{"lib/rustlib", "share/doc/rust"}

// sharedDirs are the directories of the owners table to search in a shared sysroot,
// and whether to search below them too.
var sharedDirs = []struct {
	name string
	deep bool
}{
	{"bin", false}, {"etc", false}, {"etc/bash_completion.d", false}, {"lib", false}, {"lib/rustlib", true}, {"libexec", false},
	{"share/bash-completion/completions", false}, {"share/zsh/site-functions", false}, {"share/man/man1", false},
	{"share/doc/rust", true}, {"share/doc/cargo", true}, {"share/doc/clippy", true}, {"share/doc/rustfmt", true},
	{"share/doc/miri", true}, {"share/doc/rust-analyzer", true},
}

// walk finds the owners of all files that no list has claimed.
func (r *inputReader) walk() {
	r.shared = r.isShared()
	if !r.shared {
		r.walkDir(".", true)
		return
	}
	for _, f := range sharedDirs {
		r.walkDir(f.name, f.deep)
	}
}

// isShared reports whether the sysroot holds more than a toolchain.
func (r *inputReader) isShared() bool {
	if r.in.Listed {
		return false
	}
	entries, err := os.ReadDir(r.tc.Sysroot)
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return e.IsDir() && !slices.Contains(sysrootDirs, e.Name())
	})
}

// walkDir looks at the files of one directory, and with deep at all below it.
func (r *inputReader) walkDir(dir string, deep bool) {
	root := r.path(dir)
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			if p == root && os.IsNotExist(err) {
				return nil
			}
			return fmt.Errorf("reading sysroot %q: %w", r.tc.Sysroot, err)
		}
		rel, err := filepath.Rel(r.tc.Sysroot, p)
		if err != nil {
			return err
		}
		name := r.tc.archived(filepath.ToSlash(rel))
		if e.IsDir() {
			if !deep && p != root || !r.texts && slices.Contains(textDirs, name) {
				return fs.SkipDir
			}
			return nil
		}
		r.sort(name)
		return nil
	})
	if err != nil {
		r.errs = append(r.errs, err)
	}
}

// sort gives one file to its component.
func (r *inputReader) sort(name string) {
	if r.owned[name] != "" || manifests.IsInstallerFile(name) {
		return
	}
	component, target, ok := r.tc.ownerOf(name)
	if ok && !r.last && isSpare(name) {
		r.spare = append(r.spare, name)
		ok = false
	}
	if r.in.Listed || !ok {
		if !r.shared || slices.ContainsFunc(ownedRoots, func(o string) bool { return strings.HasPrefix(name, o+"/") }) {
			r.in.Unowned = append(r.in.Unowned, name)
		}
		return
	}
	if r.shared && path.Dir(name) == "lib" && !loader.Own(path.Base(name)) {
		return // the system's LLVM
	}
	real, err := r.resolve(name)
	if err != nil {
		if r.claim(name, component) {
			c := r.component(component, target)
			c.Broken = append(c.Broken, Broken{name, err})
		}
		return
	}
	if fi, err := os.Stat(real); err == nil && fi.IsDir() {
		// x.py links lib/rustlib/src/rust to the source tree for debuggers.
		r.in.Unowned = append(r.in.Unowned, name)
		return
	}
	if !r.claim(name, component) {
		return
	}
	c := r.component(component, target)
	if err := c.Image.AddFile(name, real); err != nil {
		c.Broken = append(c.Broken, Broken{name, fmt.Errorf("reading sysroot %q: %w", r.tc.Sysroot, err)})
	}
}

// isSpare reports whether a file is a library of the toolchain in another directory than
// lib: the one of the machine's, or a leftover.
func isSpare(name string) bool {
	dir := path.Dir(name)
	return strings.HasPrefix(dir, "lib") && dir != "lib" && !strings.HasPrefix(dir, "lib/rustlib") && loader.Own(path.Base(name))
}

// spares takes libraries that no program was seen to need, if the toolchain has no others.
func (r *inputReader) spares() {
	for name := range r.owned {
		if strings.HasPrefix(path.Base(name), "librustc_driver-") {
			return
		}
	}
	r.last = true
	for _, name := range r.spare {
		r.in.Unowned = slices.DeleteFunc(r.in.Unowned, func(u string) bool { return u == name })
		r.sort(name)
	}
}

// ownerOf returns the owner of a file. Where libraries are in a directory of their own,
// those are as in lib.
func (tc Toolchain) ownerOf(name string) (component string, target targets.Triple, ok bool) {
	if component, target, ok = manifests.OwnerOf(name, tc.Host); ok {
		return component, target, ok
	}
	if rest, own := strings.CutPrefix(name, tc.libdir+"/"); own && tc.libdir != "lib" {
		return manifests.OwnerOf("lib/"+rest, tc.Host)
	}
	return component, target, false
}

// component returns a component, and creates it at the first call.
func (r *inputReader) component(archive string, target targets.Triple) *InputComponent {
	spec, _ := manifests.LookupComponent(archive) // a test proves that every owner is a component
	if spec.Scope == manifests.ScopeNone {
		target = targets.Triple{}
	}
	for i := range r.in.Components {
		if c := &r.in.Components[i]; c.Spec.Archive == archive && c.Target == target {
			return c
		}
	}
	r.in.Components = append(r.in.Components, InputComponent{Spec: spec, Target: target})
	return &r.in.Components[len(r.in.Components)-1]
}

// addFile adds a file of the sysroot to an image.
func (r *inputReader) addFile(img *dist.Image, name string) error {
	real, err := r.resolve(name)
	if err != nil {
		return err
	}
	return img.AddFile(name, real)
}

// resolve returns the file that name is or leads to. Distributions link
// duplicates inside their trees (libstd, libLLVM); archives must hold regular
// files, because rustup refuses links, so the link's target is packaged.
func (r *inputReader) resolve(name string) (string, error) {
	p := r.path(name)
	fi, err := os.Lstat(p)
	if err != nil {
		return "", fmt.Errorf("reading %q: %w", p, dist.WithoutPath(err))
	}
	if fi.Mode()&fs.ModeSymlink == 0 {
		return p, nil
	}
	// Stat names the reason better than EvalSymlinks.
	if _, err := os.Stat(p); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("following symbolic link %q: %w: repair or remove the link", p, nowhereError{dist.WithoutPath(err)})
	} else if err != nil {
		return "", fmt.Errorf("following symbolic link %q: %w: repair or remove the link", p, dist.WithoutPath(err))
	}
	return filepath.EvalSymlinks(p)
}

// errNowhere is an error of a link that leads to nothing: the sysroot holds nothing
// that could be packaged.
var errNowhere = errors.New("the link leads nowhere")

// nowhereError is [errNowhere] in the words of the system.
type nowhereError struct{ error }

// Is implements the interface of [errors.Is].
func (nowhereError) Is(target error) bool { return target == errNowhere }

// Unwrap returns the system's error.
func (e nowhereError) Unwrap() error { return e.error }
