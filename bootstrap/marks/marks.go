package marks

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"x.go/manifests"
	"x.go/targets"
)

// Given are facts that somebody gave. The zero value gives none.
type Given struct {
	Host    targets.Triple  // --host
	Release targets.Release // --release
	// Libdir is where install.libdir has the libraries, in the sysroot; mostly "".
	Libdir string
}

// Known is a fact, and how it is known.
type Known struct {
	Fact  string `json:"fact"` // host, release, commit, target spec, default linker
	Value string `json:"value"`
	How   string `json:"how"`
}

// Facts are what the files of a toolchain say of its compiler.
type Facts struct {
	Host    targets.Triple
	Version manifests.Version
	// Spec is the description of Host, by the registry of targets.
	Spec  *targets.Spec
	Known []Known
}

// reader reads one toolchain.
type reader struct {
	root     string // of the sysroot
	given    Given
	platform Platform
	driver   driver
	rustlib  string // "lib/rustlib"
	out      Facts
}

// Read reads the facts of the compiler program of a sysroot, such as "bin/rustc". The
// error names the fact that is missing, and how to give it.
func Read(root, program string, given Given) (Facts, error) {
	r := &reader{root: root, given: given}
	if real := "libexec/" + filepath.Base(program); isRegular(filepath.Join(root, real)) {
		program = real // behind a launcher
	}
	var err error
	if r.platform, err = ReadPlatform(filepath.Join(root, program)); err != nil {
		return Facts{}, err
	}
	libdir := Libdir(root, given.Libdirs()...)
	if r.driver, err = findDriver(root, program, libdir, r.platform); err != nil {
		return Facts{}, err
	}
	r.rustlib = libdir + "/rustlib"
	find := hostFinder{os.DirFS(root), root, r.platform, r.driver, r.rustlib}
	host, how, err := find.find(given.Host)
	if err != nil {
		return Facts{}, err
	}
	r.out.Host = host
	r.know("host", host.String(), how)
	if err := r.version(); err != nil {
		return Facts{}, err
	}
	return r.out, r.spec()
}

func isRegular(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && fi.Mode().IsRegular()
}

func (r *reader) know(fact, value, how string) {
	r.out.Known = append(r.out.Known, Known{fact, value, how})
}

// StdVersions returns the texts of rustc's versions that compiled a standard library,
// "1.95.0 (59807616e 2026-04-14)", each with the first file in dir that has it. dir is
// lib/rustlib/TARGET/lib of a sysroot.
func StdVersions(dir string) map[string]string {
	out := map[string]string{}
	for _, pattern := range []string{"libcore-*.rlib", "libstd-*.rlib", "libcore-*.rmeta", "libstd-*.so", "libcore.rlib", "libstd.rlib"} {
		names, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			continue
		}
		for _, name := range names {
			text := crateVersion(filepath.Join(dir, name))
			if _, known := out[text]; text != "" && !known {
				out[text] = name
			}
		}
	}
	return out
}

// stdVersions are those of the host's, with the files' places in the sysroot.
func (r *reader) stdVersions() map[string]string {
	dir := r.rustlib + "/" + r.out.Host.String() + "/lib"
	out := StdVersions(filepath.Join(r.root, filepath.FromSlash(dir)))
	for text, name := range out {
		out[text] = dir + "/" + name
	}
	return out
}

// MissingError says which fact nothing tells, and how to give it.
type MissingError struct{ Msg string }

// Error implements [error].
func (e *MissingError) Error() string { return e.Msg }

func missingf(format string, args ...any) error { return &MissingError{fmt.Sprintf(format, args...)} }

// version finds the release and the commit.
func (r *reader) version() error {
	found, how := r.stdVersions(), "the metadata of %s, which this compiler must have compiled"
	own := r.driver.library
	if own == "" {
		own = r.driver.program
	}
	own = filepath.Join(r.root, own)
	switch {
	case len(found) == 0:
		if found, how = r.ownVersions(own), "%s"; len(found) == 0 && r.given.Release.IsZero() {
			return missingf("finding the release: nothing tells it: %q and its library bear no mark of rustc, and %s/%s/lib has no library with metadata: give it with --release", r.driver.program, r.rustlib, r.out.Host)
		}
	case r.driver.library != "":
		if err := r.belongs(found, own); err != nil {
			return err
		}
	}
	text, err := r.choose(found)
	if err != nil {
		return err
	}
	if text == "" {
		r.out.Version.Release = r.given.Release
		r.know("release", r.given.Release.String(), "--release")
		return nil
	}
	return r.parse(text, fmt.Sprintf(how, found[text]), own)
}

// belongs removes the versions that are not the compiler's, whose library holds the text
// that it prints.
func (r *reader) belongs(found map[string]string, own string) error {
	var others []string
	for _, text := range slices.Sorted(maps.Keys(found)) {
		ok, err := holds(own, text)
		if err != nil {
			return fmt.Errorf("reading the compiler: %w", err)
		}
		if !ok {
			others = append(others, text)
		}
	}
	if len(others) == 0 {
		return nil
	}
	if len(others) < len(found) { // of an older installation
		for _, text := range others {
			delete(found, text)
		}
		return nil
	}
	is := "another"
	if texts := slices.Sorted(maps.Keys(r.ownVersions(own))); len(texts) == 1 {
		is = fmt.Sprintf("rustc %q", texts[0])
	}
	return fmt.Errorf("comparing the release: %q was compiled by rustc %q, but the compiler %q is %s: the tree holds parts of two releases; give one that is whole", found[others[0]], others[0], r.driver.library, is)
}

// ownVersions returns the version texts in the compiler's own files, with the place of
// each. A mark of who built them counts if the library has the text, too.
func (r *reader) ownVersions(own string) map[string]string {
	out := map[string]string{}
	for _, name := range []string{r.driver.library, r.driver.program} {
		if name == "" || !r.platform.isELF() {
			continue
		}
		file := filepath.Join(r.root, name)
		for how, text := range map[string]string{"metadata": libraryVersion(file), ".comment": commentVersion(file)} {
			if text == "" || out[text] != "" {
				continue
			}
			if ok, err := holds(own, text); err == nil && (ok || r.driver.library == "") {
				out[text] = fmt.Sprintf("%s of %s", how, name)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, text := range printed(own) {
		rel, _ := filepath.Rel(r.root, own)
		out[text] = "the text that " + filepath.ToSlash(rel) + " prints"
	}
	return out
}

// choose returns the one version of several, that of --release if it is given; "" if
// there is none.
func (r *reader) choose(found map[string]string) (string, error) {
	all := slices.Sorted(maps.Keys(found))
	fit := all
	if want := r.given.Release; !want.IsZero() {
		fit = slices.DeleteFunc(slices.Clone(all), func(text string) bool { return releaseOf(text) != want.String() })
		if len(fit) == 0 && len(all) > 0 {
			return "", fmt.Errorf("comparing the release: got %s by --release, but by %q it is %q", want, found[all[0]], all[0])
		}
	}
	switch len(fit) {
	case 0:
		return "", nil
	case 1:
		return fit[0], nil
	}
	return "", missingf("finding the release: the tree holds two, %q by %q and %q by %q: name one with --release, or remove the files of the other", fit[0], found[fit[0]], fit[1], found[fit[1]])
}

func releaseOf(text string) string {
	release, _, _ := strings.Cut(text, " ")
	return release
}

// versionText matches what `rustc -V` prints behind the word rustc, at the end of a
// piece of text.
var versionText = regexp.MustCompile(`(\d\.\d{1,3}\.\d{1,2}(?:-(?:beta(?:\.\d+)?|nightly|dev))? \([0-9a-f]{9,10} \d{4}-\d\d-\d\d\))$`)

// toolText matches the version of a tool, as its parts lie behind each other.
var toolText = regexp.MustCompile(`(\d\.\d{1,2}\.\d{1,2})-?(?:stable|beta|nightly|dev) \([0-9a-f]{9,10} \d{4}-\d\d-\d\d\)`)

// commitText takes a version text apart.
var commitText = regexp.MustCompile(`^\S+ \(([0-9a-f]{9,10}) (\d{4}-\d\d-\d\d)\)`)

// parse takes a version text apart, by the parser of what rustc prints.
func (r *reader) parse(text, how, own string) error {
	release := releaseOf(text)
	line, hash, commit := text, "", ""
	m := commitText.FindStringSubmatch(text)
	if m != nil {
		if hash = fullHash(own, m[1]); hash != "" {
			commit = fmt.Sprintf("commit-hash: %s\ncommit-date: %s\n", hash, m[2])
		} else { // half a commit is none
			line = release + strings.TrimPrefix(text, m[0])
		}
	}
	lines := fmt.Sprintf("rustc %s\nhost: %s\nrelease: %s\n%s", line, r.out.Host, release, commit)
	parsed, err := manifests.ParseRustc(lines)
	if err == nil {
		err = parsed.Version.Check()
	}
	if err != nil {
		return fmt.Errorf("reading the version text %q by %q: %w", text, how, err)
	}
	r.out.Version = parsed.Version
	r.know("release", release, how)
	if m != nil {
		r.know("commit", cmp.Or(hash, m[1])+" "+m[2], how)
	}
	return nil
}

// spec finds the description of the host.
func (r *reader) spec() error {
	bin := filepath.Join(r.root, r.rustlib, r.out.Host.String(), "bin")
	lld := slices.ContainsFunc([]string{"rust-lld", "rust-lld.exe", "gcc-ld/ld.lld", "gcc-ld/ld.lld.exe"}, func(name string) bool {
		_, err := os.Lstat(filepath.Join(bin, name))
		return err == nil
	})
	spec, known, err := Describe(r.out.Host, r.out.Version.Release, lld)
	r.out.Spec = spec
	r.out.Known = append(r.out.Known, known...)
	return err
}

// Describe finds the description of a compiler's host, and with it the linker that the
// compiler runs by default. hasLLD says that the toolchain has rust-lld or gcc-ld: a
// compiler with LLD as its default could link nothing without.
func Describe(host targets.Triple, release targets.Release, hasLLD bool) (*targets.Spec, []Known, error) {
	spec := lookupSpec(host, release)
	if spec == nil {
		return nil, nil, missingf("finding the target spec of %s: no release of Rust that x knows has such a target, and the compiler does not run here to be asked: run x on such a machine, or install emulation for it", host)
	}
	s, note, err := targets.Builtin().At(release)
	if err != nil {
		return spec, nil, err
	}
	how := fmt.Sprintf("x's registry of the targets of rustc %s", s.Info().Release)
	if note != "" {
		how += ", as that of " + release.String() + " is not held"
	}
	known := []Known{{"target spec", cmp.Or(spec.Triple.String(), host.String()), how}}
	value, how := "the system's", "the official compiler of this release and host"
	if spec.BakedLLD() {
		value = "LLD"
		if plain, err := targets.Builtin().Lookup(spec.Triple); err == nil && !hasLLD {
			spec, value, how = plain, "the system's", "the toolchain has neither rust-lld nor gcc-ld"
		}
	}
	return spec, append(known, Known{"default linker", value, how}), nil
}
