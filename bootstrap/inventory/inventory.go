// Package inventory says which files of a toolchain a step of a build needs: to compile,
// to link, to document, for each target. It is what a sandbox has to hold, a Bazel rule to
// declare, a derivation of Nix to bring.
//
// Nothing is run. The files come from a sysroot or from archives; the libraries that
// programs load are those that package loader finds, the linker is that of package link,
// and the crates are those that the metadata of the standard library names.
package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/bootstrap/lld"
	"x.go/bootstrap/marks"
	"x.go/manifests"
	"x.go/targets"
)

// Inventory is which files each step needs. All lists are sorted, and none is null in JSON.
type Inventory struct {
	Schema  int            `json:"schema"` // 1; changes if a field changes its meaning
	Host    targets.Triple `json:"host"`
	Release string         `json:"release"`
	Commit  string         `json:"commit,omitempty"`
	Facts   []marks.Known  `json:"facts"` // how host, release and default linker are known
	// Targets are those with a standard library among the files.
	Targets []targets.Triple `json:"targets"`
	// Files are the toolchain's own files that a step names, each once.
	Files []File `json:"files"`
	// Steps are in the order of the words of [Step], then of targets.
	Steps []Step `json:"steps"`
}

// File is a file of the toolchain.
type File struct {
	Path       string         `json:"path"` // relative to the sysroot, with slashes
	Size       int64          `json:"size"` // bytes
	Executable bool           `json:"executable"`
	SHA256     manifests.Hash `json:"sha256"`
	// Component is the archive that has the file: "rustc", "rust-std".
	Component string `json:"component"`
	// Link is the target of a symbolic link in a tree, whose content Size and SHA256
	// describe; "" for a regular file.
	Link string `json:"link,omitempty"`
}

// Step is what one step of a build needs. It is complete by itself: a root with Files and
// System is enough.
type Step struct {
	// Step is "compile" (metadata, objects and rlibs), "link" (to compile and link a
	// program), "document", "lint", "format" or "cargo".
	Step string `json:"step"`
	// Target is what the step is for; zero for those that are for none.
	Target   targets.Triple `json:"target,omitzero"`
	Files    []string       `json:"files"` // by their paths
	Linker   *Linker        `json:"linker,omitempty"`
	System   System         `json:"system"`
	Optional []Option       `json:"optional"`
	Missing  []Missing      `json:"missing"`
	Notes    []string       `json:"notes"`
}

// Linker is the one that rustc starts.
type Linker struct {
	Program string `json:"program"` // argv[0]: "cc", "rust-lld"
	Flavor  string `json:"flavor"`
	// LLD says whether LLD links: "toolchain" for the toolchain's own, "system" for one
	// of the machine, "" for none.
	LLD string `json:"lld"`
	// Own says that the program is one of the toolchain.
	Own bool `json:"own"`
}

// System is what the machine has to bring. Names are those that files ask for: where a
// machine has them is its own business.
type System struct {
	// Interpreters are the dynamic loaders of programs, absolute paths.
	Interpreters []string  `json:"interpreters"`
	Libraries    []Library `json:"libraries"`
	// Glibc is the oldest version with all that is needed; "" if none is.
	Glibc    string    `json:"glibc,omitempty"`
	Programs []Program `json:"programs"`
	// Paths are other files that must be there: /proc/self/exe.
	Paths []string `json:"paths"`
}

// Library is a library of the machine.
type Library struct {
	Name     string   `json:"name"` // as the file that needs it has it
	NeededBy []string `json:"needed_by"`
}

// Program is a program of the machine, which brings files of its own.
type Program struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Option is what a step needs beside its files if an option is given.
type Option struct {
	When  string   `json:"when"` // "--test"
	Files []string `json:"files"`
}

// Missing is what belongs to the toolchain and is not in the input.
type Missing struct {
	Name     string   `json:"name"` // a path, the name of a library or of a component
	NeededBy []string `json:"needed_by"`
}

// Read takes stock of a toolchain: one tree, which is a sysroot or an unpacked archive, or
// archives that belong together. given are facts that nothing else tells.
func Read(ctx context.Context, places []string, given marks.Given) (*Inventory, error) {
	s, err := read(ctx, places, given)
	if err != nil {
		return nil, err
	}
	defer s.close()
	inv := &Inventory{
		Schema: 1, Host: s.host, Release: s.version.Release.String(), Commit: s.version.CommitHash,
		Facts: append([]marks.Known{}, s.known...), Targets: append([]targets.Triple{}, s.targets()...), Files: []File{}, Steps: []Step{},
	}
	b := newBuilder(s)
	of := inv.Targets
	if len(of) == 0 {
		of = []targets.Triple{s.host}
	}
	for _, row := range stepTable {
		for _, t := range of {
			if !row.perTarget {
				t = targets.Triple{}
			}
			step, ok, err := b.step(row, t)
			if err != nil {
				return nil, err
			}
			if ok {
				inv.Steps = append(inv.Steps, step)
			}
			if !row.perTarget {
				break
			}
		}
	}
	return inv, inv.describe(ctx, s)
}

// describe fills in the files that steps name.
func (inv *Inventory) describe(ctx context.Context, s *set) error {
	named := map[string]bool{}
	for _, step := range inv.Steps {
		for _, list := range append([][]string{step.Files}, optionFiles(step)...) {
			for _, name := range list {
				named[name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		f, err := s.describe(ctx, name)
		if err != nil {
			return err
		}
		inv.Files = append(inv.Files, f)
	}
	inv.locate(s)
	return nil
}

// locate has all lists of files say where the input has them.
func (inv *Inventory) locate(s *set) {
	at := func(list []string) {
		for i := range list {
			list[i] = s.place(list[i])
		}
		slices.Sort(list)
	}
	for _, step := range inv.Steps {
		at(step.Files)
		for _, o := range step.Optional {
			at(o.Files)
		}
		for _, l := range step.System.Libraries {
			at(l.NeededBy)
		}
		for _, m := range step.Missing {
			at(m.NeededBy)
		}
	}
	slices.SortFunc(inv.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
}

func optionFiles(s Step) [][]string {
	var out [][]string
	for _, o := range s.Optional {
		out = append(out, o.Files)
	}
	return out
}

// row is a kind of step.
type row struct {
	step      string
	program   string // in bin
	perTarget bool   // it is for a target, and needs its standard library
	required  bool   // a toolchain without the program lacks something
	link      bool
	optional  []optionalProgram
}

// optionalProgram starts the program of a row.
type optionalProgram struct{ when, program string }

var stepTable = []row{
	{step: "compile", program: "rustc", perTarget: true, required: true},
	{step: "link", program: "rustc", perTarget: true, required: true, link: true},
	{step: "document", program: "rustdoc", perTarget: true, required: true},
	{step: "lint", program: "clippy-driver", perTarget: true, optional: []optionalProgram{{"cargo clippy", "cargo-clippy"}}},
	{step: "format", program: "rustfmt", optional: []optionalProgram{{"cargo fmt", "cargo-fmt"}}},
	{step: "cargo", program: "cargo"},
}

// builder builds the steps.
type builder struct {
	*set
	exe    string // suffix of programs
	loads  *programs
	record lld.Outcome
	crates map[targets.Triple]*crates
}

func newBuilder(s *set) *builder {
	b := &builder{set: s, loads: newPrograms(s), record: lld.Recorded(s.record), crates: map[targets.Triple]*crates{}}
	if s.spec != nil {
		b.exe = s.spec.ExeSuffix
	}
	return b
}

// step takes stock for one step. ok is false if the toolchain does not have it.
func (b *builder) step(r row, t targets.Triple) (step Step, ok bool, err error) {
	n := newNeeds(b)
	name := "bin/" + r.program + b.exe
	switch {
	case b.files[name] != nil:
		n.program(name)
	case r.required:
		n.missing(name, r.step)
	default:
		return Step{}, false, nil
	}
	if real := "libexec/" + r.program + b.exe; b.files[real] != nil { // behind a launcher
		n.program(real)
	}
	for _, o := range r.optional {
		n.option(o.when, func(n *needs) { n.program("bin/" + o.program + b.exe) })
	}
	if r.perTarget {
		if err := b.std(n, t, r); err != nil {
			return Step{}, false, err
		}
	}
	var l *Linker
	if r.link {
		if l, err = b.linker(n, t); err != nil {
			return Step{}, false, err
		}
	}
	step = n.done()
	step.Step, step.Target, step.Linker = r.step, t, l
	return step, true, nil
}

// std adds the standard library of a target.
func (b *builder) std(n *needs, t targets.Triple, r row) error {
	c := b.crates[t]
	if c == nil {
		c = b.cratesOf(t)
		b.crates[t] = c
	}
	if len(c.all) == 0 {
		n.missing("rust-std-"+t.String(), r.step)
		return nil
	}
	roots := []string{"std", "panic_abort"}
	if !b.abortsOnPanic(t) {
		roots = roots[:1]
	}
	if !c.has("std") { // a target without an operating system
		roots = []string{"core", "compiler_builtins"}
		n.notes = append(n.notes, fmt.Sprintf("%s has no std: crates are #![no_std]", t))
	}
	own, err := c.closure(roots)
	if err != nil {
		return err
	}
	n.crates(own, r.link)
	for _, o := range crateOptions {
		more, err := c.closure(o.crates)
		if err != nil {
			return err
		}
		n.option(o.when, func(n *needs) { n.crates(more, r.link) })
	}
	return nil
}

// crateOptions are the crates that rustc looks for only if it is told so.
var crateOptions = []struct {
	when   string
	crates []string
}{
	{"--test", []string{"test"}},
	{"--crate-type=proc-macro", []string{"proc_macro"}},
	{"-Cpanic=abort", []string{"panic_abort"}},
	{"-Cinstrument-coverage or -Cprofile-generate", []string{"profiler_builtins"}},
	{"extern crate alloc", []string{"alloc"}},
}

// targets returns the targets with a standard library, in the order of their names.
func (s *set) targets() []targets.Triple {
	found := map[string]bool{}
	for name := range s.files {
		if parts := strings.Split(name, "/"); len(parts) == 5 && parts[0] == "lib" && parts[1] == "rustlib" && parts[3] == "lib" && crateFile.MatchString(parts[4]) {
			found[parts[2]] = true
		}
	}
	var out []targets.Triple
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if t, err := targets.ParseTriple(name); err == nil {
			out = append(out, t)
		}
	}
	return out
}
