package inventory

import (
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist/linkage"
	"x.go/dist/loader"
)

// programs finds what the programs of a toolchain load.
type programs struct {
	set  *set
	tree loader.Tree
	seen map[string]*linkage.Info
	fold map[string]string // names by their lower case, of a host that does not tell cases apart
}

func newPrograms(s *set) *programs {
	p := &programs{set: s, seen: map[string]*linkage.Info{}, fold: map[string]string{}}
	p.tree = loader.Tree{Root: s.root, ELF: p.describe}
	for name := range s.files {
		if strings.HasSuffix(strings.ToLower(name), ".dll") {
			p.fold[strings.ToLower(name)] = name
		}
		if dir := path.Dir(name); loader.IsSystemDir(dir) && !slices.Contains(p.tree.SystemDirs, dir) {
			p.tree.SystemDirs = append(p.tree.SystemDirs, dir)
		}
	}
	slices.Sort(p.tree.SystemDirs)
	return p
}

// describe returns what a program or library says of itself.
func (p *programs) describe(name string) (linkage.Info, bool) {
	info, known := p.seen[name]
	if !known {
		if f := p.set.files[p.real(name)]; f != nil && f.disk != "" {
			if read, err := imports(f.disk); err == nil {
				info = &read
			}
		}
		p.seen[name] = info
	}
	if info == nil {
		return linkage.Info{}, false
	}
	return *info, true
}

// real is the name as the toolchain has it.
func (p *programs) real(name string) string {
	if p.set.files[name] == nil {
		if real := p.fold[strings.ToLower(name)]; real != "" {
			return real
		}
	}
	return name
}

// needs collects what a step needs.
type needs struct {
	b         *builder
	files     map[string]bool
	libraries map[string]map[string]bool // of the machine, with who needs them
	loaders   map[string]bool
	glibc     string
	origin    bool // a program finds its libraries by its own place
	programs  []Program
	lacking   map[string]map[string]bool
	options   []Option
	notes     []string
}

func newNeeds(b *builder) *needs {
	return &needs{b: b, files: map[string]bool{}, libraries: map[string]map[string]bool{}, loaders: map[string]bool{}, lacking: map[string]map[string]bool{}}
}

func add(to map[string]map[string]bool, key, by string) {
	if to[key] == nil {
		to[key] = map[string]bool{}
	}
	to[key][by] = true
}

// missing notes what the toolchain should have.
func (n *needs) missing(name, by string) { add(n.lacking, name, by) }

// file adds a file of the toolchain, and what it leads to if it is a link.
func (n *needs) file(name string) {
	name = n.b.loads.real(name)
	n.files[name] = true
	if f := n.b.files[name]; f != nil && f.leadsTo != "" {
		n.files[f.leadsTo] = true
	}
}

// program adds a program of the toolchain and all that it loads.
func (n *needs) program(name string) {
	if n.b.files[name] == nil || n.files[name] {
		return
	}
	n.file(name)
	n.read(name)
	for _, need := range n.b.loads.tree.Needs(name) {
		switch {
		case need.How == loader.Moves || need.How == loader.Fixed:
			n.file(need.At)
			n.read(n.b.loads.real(need.At))
			n.origin = n.origin || need.How == loader.Moves
		case loader.OfficialDefect(need) != "":
		case need.How == loader.Absent && loader.Own(need.Library):
			n.missing(need.Library, need.File)
		default:
			add(n.libraries, need.Library, n.b.loads.real(need.File))
		}
	}
}

// read notes what a file says of the machine that it is for.
func (n *needs) read(name string) {
	info, ok := n.b.loads.describe(name)
	if !ok {
		return
	}
	if info.Interpreter != "" {
		n.loaders[info.Interpreter] = true
	}
	if linkage.CompareGlibc(info.GlibcFloor, n.glibc) > 0 {
		n.glibc = info.GlibcFloor
	}
}

// crates adds the files of crates: their metadata, and for a link what is linked.
func (n *needs) crates(list []*crate, link bool) {
	for _, c := range list {
		n.file(c.metadata())
		if link && c.rlib != "" {
			n.file(c.rlib)
		}
	}
}

// option adds what is needed with an option, beside the rest.
func (n *needs) option(when string, add func(*needs)) {
	more := newNeeds(n.b)
	add(more)
	n.options = append(n.options, Option{when, slices.Sorted(maps.Keys(more.files))})
}

// machine adds a program that the machine has to bring.
func (n *needs) machine(name, why string) { n.programs = append(n.programs, Program{name, why}) }

// done returns the step.
func (n *needs) done() Step {
	s := Step{
		Files: sorted(n.files), Optional: []Option{}, Missing: []Missing{}, Notes: append([]string{}, n.notes...),
		System: System{
			Interpreters: sorted(n.loaders), Libraries: []Library{}, Glibc: n.glibc, Programs: append([]Program{}, n.programs...), Paths: []string{},
		},
	}
	for _, name := range slices.Sorted(maps.Keys(n.libraries)) {
		s.System.Libraries = append(s.System.Libraries, Library{name, sorted(n.libraries[name])})
	}
	if n.origin && len(n.loaders) > 0 && n.b.spec != nil && n.b.spec.OS == "linux" {
		s.System.Paths = append(s.System.Paths, "/proc/self/exe") // by which the loader finds $ORIGIN
	}
	for _, name := range slices.Sorted(maps.Keys(n.lacking)) {
		s.Missing = append(s.Missing, Missing{name, sorted(n.lacking[name])})
	}
	for _, o := range n.options {
		o.Files = slices.DeleteFunc(o.Files, func(name string) bool { return n.files[name] })
		if len(o.Files) > 0 {
			s.Optional = append(s.Optional, o)
		}
	}
	return s
}

func sorted(m map[string]bool) []string { return append([]string{}, slices.Sorted(maps.Keys(m))...) }
