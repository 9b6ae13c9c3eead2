package marks

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/dist/inspect"
	"x.go/targets"
)

// hostFinder finds the triple of a compiler.
type hostFinder struct {
	root     fs.FS // of the sysroot
	dir      string
	platform Platform
	driver   driver
	rustlib  string // "lib/rustlib"
}

// candidate is a triple that the compiler may be for.
type candidate struct {
	triple targets.Triple
	spec   *targets.Spec // nil for a target that no release of Rust has
}

// find returns the host. given is that of --host, or zero.
func (h hostFinder) find(given targets.Triple) (targets.Triple, string, error) {
	if !given.IsZero() {
		spec := lookupSpec(given, targets.Release{})
		if spec != nil && !h.platform.fits(spec) {
			return given, "", fmt.Errorf("comparing the host: got %s by --host, but %q is a program for %s", given, h.driver.program, h.platform)
		}
		return given, "--host", nil
	}
	dirs := h.directories()
	var fit []candidate
	for _, c := range dirs {
		if h.fits(c) {
			fit = append(fit, c)
		}
	}
	switch len(fit) {
	case 0:
		return h.registered(dirs)
	case 1:
		return fit[0].triple, fmt.Sprintf("the machine of %s, and the directory %s", h.driver.program, path.Join(h.rustlib, fit[0].triple.String())), nil
	}
	left, how := h.narrow(fit, true)
	if len(left) == 1 {
		return left[0].triple, "the machine of " + h.driver.program + ", and " + how, nil
	}
	return targets.Triple{}, "", missingf("finding the host: several directories in %s are for such a machine, %s: %s: name the host with --host", h.rustlib, h.platform, names(left))
}

// directories returns the triples that have a directory in lib/rustlib, in order.
func (h hostFinder) directories() []candidate {
	entries, err := fs.ReadDir(h.root, h.rustlib)
	if err != nil {
		return nil
	}
	var out []candidate
	for _, e := range entries {
		t, err := targets.ParseTriple(e.Name())
		if err != nil || !h.hasDir(t, "lib") && !h.hasDir(t, "bin") {
			continue
		}
		out = append(out, candidate{t, lookupSpec(t, targets.Release{})})
	}
	return out
}

func (h hostFinder) hasDir(t targets.Triple, name string) bool {
	fi, err := fs.Stat(h.root, path.Join(h.rustlib, t.String(), name))
	return err == nil && fi.IsDir()
}

// fits reports whether the compiler can be for a candidate. Of a target that no release has,
// the standard library tells the machine.
func (h hostFinder) fits(c candidate) bool {
	if c.spec != nil {
		return h.platform.fits(c.spec)
	}
	libs, err := fs.Glob(h.root, path.Join(h.rustlib, c.triple.String(), "lib/lib*.rlib"))
	if err != nil || h.platform.Format != inspect.ELF {
		return false
	}
	for _, lib := range libs {
		if b, err := inspect.Member(path.Join(h.dir, lib), "lib.rmeta", 64); err == nil && len(b) >= 20 && strings.HasPrefix(string(b), elf.ELFMAG) {
			order := binary.ByteOrder(binary.LittleEndian)
			if elf.Data(b[elf.EI_DATA]) == elf.ELFDATA2MSB {
				order = binary.BigEndian
			}
			return elf.Class(b[elf.EI_CLASS]) == h.platform.Class && elf.Data(b[elf.EI_DATA]) == h.platform.Data && elf.Machine(order.Uint16(b[18:])) == h.platform.ELF
		}
	}
	return false
}

// registered returns the one host of Rust for such a machine.
func (h hostFinder) registered(dirs []candidate) (targets.Triple, string, error) {
	newest, _ := targets.Builtin().Newest("")
	var fit []candidate
	for s := range newest.All() {
		if s.Metadata.HostTools == targets.Yes && h.platform.fits(s) {
			fit = append(fit, candidate{s.Triple, s})
		}
	}
	if left, _ := h.narrow(fit, false); len(left) == 1 {
		return left[0].triple, "the machine of " + h.driver.program + ": Rust has one host for it", nil
	} else if len(left) > 1 {
		fit = left
	}
	what := h.rustlib + " has no directory for such a machine"
	if len(dirs) > 0 {
		what = fmt.Sprintf("%s has %s, and none is for such a machine", h.rustlib, names(dirs))
	}
	hint := "name the host with --host"
	if len(fit) > 0 {
		hint += ", which may be " + names(fit)
	}
	return targets.Triple{}, "", missingf("finding the host: %q is a program for %s, and %s: %s", h.driver.program, h.platform, what, hint)
}

func names(list []candidate) string {
	var out []string
	for _, c := range list {
		out = append(out, c.triple.String())
	}
	return strings.Join(out, ", ")
}

// narrow leaves of several candidates those that more speaks for, and says what did.
// inTree says that they are directories of the tree.
func (h hostFinder) narrow(fit []candidate, inTree bool) (left []candidate, how string) {
	rules := []struct {
		how    string
		inTree bool
		holds  func(candidate) bool
	}{
		{"the list manifest-rustc", true, func(c candidate) bool {
			_, err := fs.Stat(h.root, h.rustlib+"/manifest-rustc-"+c.triple.String())
			return err == nil
		}},
		{"the libstd that the compiler needs", true, h.hasNeeded},
		{"the one directory with programs", true, func(c candidate) bool { return h.hasDir(c.triple, "bin") }},
		{"the version of the ARM instructions", false, h.fitsARM},
		{"Rust has one host for it", false, func(c candidate) bool { return c.spec != nil && c.spec.Metadata.HostTools == targets.Yes }},
	}
	left = fit
	for _, r := range rules {
		if len(left) < 2 || r.inTree && !inTree {
			continue
		}
		if rest := slices.DeleteFunc(slices.Clone(left), func(c candidate) bool { return !r.holds(c) }); len(rest) > 0 && len(rest) < len(left) {
			left, how = rest, r.how
		}
	}
	return left, how
}

// hasNeeded reports whether the dynamic standard library that the compiler needs is the
// candidate's.
func (h hostFinder) hasNeeded(c candidate) bool {
	for _, lib := range h.driver.needed {
		if !strings.HasPrefix(lib, "libstd-") {
			continue
		}
		stem, _, _ := strings.Cut(lib, ".")
		if found, err := fs.Glob(h.root, path.Join(h.rustlib, c.triple.String(), "lib", stem+".*")); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// armVersions are the prefixes of triples by Tag_CPU_arch of .ARM.attributes
// (Addenda to the ABI for the Arm Architecture).
var armVersions = map[byte][]string{
	2: {"armv4t"}, 3: {"armv5te"}, 4: {"armv5te"}, 5: {"armv5te"}, 6: {"arm"}, 7: {"arm"}, 8: {"arm"}, 9: {"arm"}, 10: {"armv7", "thumbv7neon", "thumbv7a"}, 14: {"armv7", "thumbv7neon"},
}

// fitsARM compares the version of instructions in the compiler with that of the triple.
func (h hostFinder) fitsARM(c candidate) bool {
	if h.platform.ELF != elf.EM_ARM {
		return true
	}
	arch, _, _ := strings.Cut(c.triple.String(), "-")
	return slices.Contains(armVersions[armVersion(path.Join(h.dir, h.driver.program))], arch)
}

// lookupSpec returns the specification of a target: that of a release, or of the newest for the zero
// Release, by the registry. A distribution's own vendor counts as unknown. It is nil for
// a target that Rust does not have.
func lookupSpec(t targets.Triple, r targets.Release) *targets.Spec {
	registry := targets.Builtin()
	words := strings.SplitN(t.String(), "-", 3)
	tries := []targets.Triple{t}
	if len(words) == 3 {
		if plain, err := targets.ParseTriple(words[0] + "-unknown-" + words[2]); err == nil {
			tries = append(tries, plain)
		}
	}
	for _, t := range tries {
		if !r.IsZero() {
			if s, _, err := registry.At(r); err == nil {
				if spec, err := s.For(targets.Compiler{Release: r, Host: t, LLDDefault: targets.DefaultLLD(r, t)}, t); err == nil {
					return spec
				}
			}
		}
		if spec, err := registry.Lookup(t); err == nil {
			return spec
		}
	}
	return nil
}

// armVersion returns Tag_CPU_arch of a program, or 0.
func armVersion(name string) byte {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer f.Close()
	data := section(f, ".ARM.attributes", 4<<10)
	// 'A', then subsections: length, "aeabi\0", Tag_File, its length, attributes.
	i := strings.Index(string(data), "aeabi\x00\x01")
	if i < 0 || i+11 > len(data) {
		return 0
	}
	for b := data[i+11:]; len(b) > 1; {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return 0
		}
		b = b[n:]
		if tag == 4 || tag == 5 || tag == 32 || tag > 32 && tag%2 == 1 { // texts
			end := strings.IndexByte(string(b), 0)
			if end < 0 {
				return 0
			}
			b = b[end+1:]
			continue
		}
		value, n := binary.Uvarint(b)
		if n <= 0 {
			return 0
		}
		if tag == 6 {
			return byte(value)
		}
		b = b[n:]
	}
	return 0
}
