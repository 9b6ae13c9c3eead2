package source

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
	"x.go/manifests"
	"x.go/targets"
)

// maxFact bounds a file that describes a tree, in bytes.
const maxFact = 64 << 10

// Options say what a tree is distributed as.
type Options struct {
	// Channel is stable, beta, nightly or dev. "" is that of src/ci/channel in an unpacked
	// archive, and dev in a checkout, as x.py has it.
	Channel string
	// Description goes into the text of the version.
	Description string
	// OmitGitHash leaves out the commit of a checkout. An unpacked archive has its own.
	OmitGitHash bool
	// NoVendor leaves the vendored crates out.
	NoVendor bool
}

// Tree is a source tree of Rust.
type Tree struct {
	// Dir is the directory of the tree.
	Dir string
	// Version is what the archives of the tree are called.
	Version manifests.Version
	// Guessed says that nothing told the channel: a checkout is of the channel dev.
	Guessed bool

	opts  Options
	cargo manifests.Version // its commit
}

// Open reads what a source tree says of itself. It runs nothing of it: the commit of a
// checkout is read from the files of git.
func Open(dir string, o Options) (Tree, error) {
	t := Tree{Dir: dir, opts: o}
	if err := t.read(); err != nil {
		return Tree{}, fmt.Errorf("reading source tree %q: %w", dir, err)
	}
	return t, nil
}

func (t *Tree) read() error {
	if info, err := os.Stat(t.Dir); err != nil {
		return dist.WithoutPath(err)
	} else if !info.IsDir() {
		return errors.New("it is not a directory: unpack it first")
	}
	number, err := t.fact(versionFile)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it has no %s: name the top directory of Rust's sources", versionFile)
	}
	if err != nil {
		return err
	}
	channel, err := t.channel()
	if err != nil {
		return err
	}
	if t.Version, err = t.commit(""); err != nil {
		return err
	}
	if t.cargo, err = t.commit(cargoDir); err != nil {
		return err
	}
	if t.Version.Release, err = t.release(number, channel); err != nil {
		return fmt.Errorf("reading %s: %w", versionFile, err)
	}
	t.Version.Description = t.opts.Description
	return t.Version.Check()
}

// fact reads a small file of the tree, without the white space around its text. A
// link is not followed.
func (t *Tree) fact(name string) (string, error) {
	p := filepath.Join(t.Dir, filepath.FromSlash(name))
	if info, err := os.Lstat(p); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%q is %s, want a regular file", name, dist.KindOf(info.Mode()))
	}
	b, err := dist.ReadFile(p, maxFact)
	return strings.TrimSpace(string(b)), err
}

// channel returns the channel that the archives are of.
func (t *Tree) channel() (string, error) {
	if c := t.opts.Channel; c != "" {
		return c, nil
	}
	if t.has(".git") {
		t.Guessed = true
		return "dev", nil
	}
	c, err := t.fact(channelFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Guessed = true
		return "dev", nil
	}
	return c, err
}

func (t *Tree) has(name string) bool {
	_, err := os.Lstat(filepath.Join(t.Dir, filepath.FromSlash(name)))
	return err == nil
}

// release returns the release of a number and a channel. The number of a beta is that
// which an archive has kept; a checkout would have to count commits.
func (t *Tree) release(number, channel string) (targets.Release, error) {
	switch channel {
	case "stable":
	case "beta":
		number += "-beta"
		if kept, err := t.fact(recordFile); err == nil {
			if word, _, _ := strings.Cut(kept, " "); strings.HasPrefix(word, number+".") {
				number = word
			}
		}
	case "nightly", "dev":
		number += "-" + channel
	default:
		return targets.Release{}, fmt.Errorf("got channel %.60q, want stable, beta, nightly or dev: set rust.channel", channel)
	}
	return targets.ParseRelease(number)
}

// commit returns the commit of a directory of the tree: what git says, or what an
// archive has kept. Of the zero Version nothing is known.
func (t *Tree) commit(dir string) (manifests.Version, error) {
	if t.has(path.Join(dir, ".git")) {
		if t.opts.OmitGitHash {
			return manifests.Version{}, nil
		}
		v, err := readGit(filepath.Join(t.Dir, filepath.FromSlash(dir)))
		if err != nil {
			return v, fmt.Errorf("reading the commit of %q: %w; rust.omit-git-hash = true leaves it out", path.Join(dir, "."), err)
		}
		return v, nil
	}
	text, err := t.fact(path.Join(dir, infoFile))
	if errors.Is(err, fs.ErrNotExist) {
		return manifests.Version{}, nil
	}
	if err != nil {
		return manifests.Version{}, err
	}
	v, err := parseInfo(text)
	if err != nil {
		return v, fmt.Errorf("reading %q: %w", path.Join(dir, infoFile), err)
	}
	return v, nil
}

// parseInfo reads git-commit-info: the hash, its beginning, and the day of the commit.
func parseInfo(text string) (manifests.Version, error) {
	lines := strings.Fields(text)
	if len(lines) != 3 {
		return manifests.Version{}, fmt.Errorf("got %.200q, want a hash, its beginning and a day on three lines", text)
	}
	v := manifests.Version{CommitHash: lines[0], CommitDate: lines[2]}
	if !isHash(v.CommitHash) || !strings.HasPrefix(v.CommitHash, lines[1]) || len(lines[1]) < 7 || !isDay(v.CommitDate) {
		return manifests.Version{}, fmt.Errorf("got %.200q, want a hash, its beginning and a day on three lines", text)
	}
	return v, nil
}

// Vendored reports whether the tree has vendored crates that its archive will have.
func (t *Tree) Vendored() bool { return !t.opts.NoVendor && t.has(vendorDirs[0]) }

// Plain returns what upstream's step PlainSourceTarball distributes of the tree: the
// files below the top directory of rustc-VERSION-src. gpl adds GCC's source, as
// rustc-VERSION-src-gpl has it.
func (t *Tree) Plain(gpl bool) (dist.Image, error) {
	var img dist.Image
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	for _, dir := range plainDirs {
		if t.has(dir) {
			note(t.addDir(&img, "", dir, func(name string) bool { return !gpl && name == gccDir }))
		}
	}
	for _, name := range plainFiles {
		if t.has(name) {
			note(t.addFile(&img, name))
		}
	}
	if !gpl {
		note(img.AddBytes(gccDir+"/"+gccNotice, []byte("The GCC source code is not included due to unclear licensing implications\n"), dist.ModeFile))
	}
	note(img.AddBytes(recordFile, []byte(t.Version.String()), dist.ModeFile))
	note(addCommit(&img, "", t.Version))
	note(addCommit(&img, cargoDir+"/", t.cargo))
	if t.Vendored() {
		note(t.addDir(&img, "", vendorDirs[0], nil))
		note(t.addConfig(&img))
	}
	if err := errors.Join(errs...); err != nil {
		return dist.Image{}, fmt.Errorf("packing source tree %q: %w", t.Dir, err)
	}
	return img, nil
}

// addCommit adds the files by which an archive keeps a commit, unless it has them.
func addCommit(img *dist.Image, dir string, v manifests.Version) error {
	if v.CommitHash == "" {
		return nil
	}
	var errs []error
	for name, text := range map[string]string{hashFile: v.CommitHash, infoFile: v.CommitInfo()} {
		if _, ok := img.Lookup(dir + name); !ok {
			errs = append(errs, img.AddBytes(dir+name, []byte(text), dist.ModeFile))
		}
	}
	return errors.Join(errs...)
}

// Component returns what upstream's step Src distributes of the tree: the image of the
// component rust-src. LLVM's libunwind is left out where the tree does not have it.
func (t *Tree) Component() (dist.Image, error) {
	var img dist.Image
	const at = "lib/rustlib/src/rust"
	leave := func(name string) bool { return slices.Contains(notInComponent, name) }
	errs := []error{t.addDir(&img, at, "library", leave)}
	if unwind := llvmDir + "/libunwind"; t.has(unwind) {
		errs = append(errs, t.addDir(&img, at, unwind, leave))
	}
	if err := errors.Join(errs...); err != nil {
		return dist.Image{}, fmt.Errorf("packing the library of source tree %q: %w", t.Dir, err)
	}
	return img, nil
}

// addDir adds a directory of the tree below prefix, as upstream copies it. leave names
// more that it leaves out; it may be nil. Directories of cargo's products are none of
// the source.
func (t *Tree) addDir(img *dist.Image, prefix, dir string, leave func(name string) bool) error {
	from := filepath.Join(t.Dir, filepath.FromSlash(dir))
	if info, err := os.Lstat(from); err != nil {
		return err
	} else if !info.IsDir() {
		return fmt.Errorf("%q is %s, want a directory", dir, dist.KindOf(info.Mode()))
	}
	return img.AddTreeLinks(path.Join(prefix, dir), from, func(rel string, d fs.DirEntry) bool {
		name := path.Join(dir, rel)
		switch {
		case excluded(name) || leave != nil && leave(name):
			return false
		case d.IsDir() && !inVendor(name) && isCacheDir(filepath.Join(t.Dir, filepath.FromSlash(name))):
			return false
		}
		return true
	})
}

// cacheTag is the file by which cargo marks directories of products
// (https://bford.info/cachedir/), and cacheMark how it begins.
const (
	cacheTag  = "CACHEDIR.TAG"
	cacheMark = "Signature: 8a477f597d28d172789f06886806bc55"
)

func isCacheDir(dir string) bool {
	name := filepath.Join(dir, cacheTag)
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	b, err := dist.ReadFile(name, maxFact)
	return err == nil && strings.HasPrefix(string(b), cacheMark)
}

// addFile adds a file of the tree's top directory.
func (t *Tree) addFile(img *dist.Image, name string) error {
	p := filepath.Join(t.Dir, filepath.FromSlash(name))
	if info, err := os.Lstat(p); err != nil {
		return err
	} else if !info.Mode().IsRegular() {
		return fmt.Errorf("%q is %s, want a regular file", name, dist.KindOf(info.Mode()))
	}
	return img.AddFile(name, p)
}

// addConfig adds the file by which cargo takes the vendored crates: the tree's own, or
// what `cargo vendor` would print.
func (t *Tree) addConfig(img *dist.Image) error {
	if t.has(cargoConfig) {
		return t.addFile(img, cargoConfig)
	}
	sources := map[string]bool{}
	for e := range img.Entries() {
		if !isLock(e.Name) {
			continue
		}
		text, err := readEntry(e, maxText)
		if err != nil {
			return err
		}
		packages, err := parseLock(e.Name, text)
		if err != nil {
			return err
		}
		for _, p := range packages {
			sources[p.source] = true
		}
	}
	return img.AddBytes(cargoConfig, []byte(vendorConfig(sources)), dist.ModeFile)
}
