package toolchain

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/manifests"
	"x.go/targets"
)

// Input is the content of an input sysroot, sorted into components.
type Input struct {
	Components []InputComponent // sorted by name, then target
	// Texts are, of [ReadPrograms], the components of documentation, of whose directories
	// only the first level was read: enough for [Apart].
	Texts []InputComponent
	// Unowned are the slash paths of files that no component claims and that no finding
	// is about, sorted. They are not packaged.
	Unowned []string
	// Findings are notes and warnings about files that are packaged or left out in a
	// way that their owner may not expect.
	Findings []config.Finding
	// Listed says that the sysroot has file lists of its own, as rustup and
	// install.sh write them.
	Listed bool
}

// InputComponent is one component found in a sysroot.
type InputComponent struct {
	Spec   manifests.ComponentSpec
	Target targets.Triple // the triple it is for; zero for a component of no target
	Image  dist.Image
	// Manifest is the component's own file list, or nil if the sysroot has none.
	Manifest manifests.FileList
	// apart is set if bulk replaces the directories of that list, or of upstream's: see
	// [Apart].
	apart bool
	bulk  []string
	// Broken are the files that the component should have and that cannot be
	// packaged. They matter only if the component is: see [InputComponent.Judge].
	Broken []Broken
}

// Broken is a file that cannot be packaged.
type Broken struct {
	Name string // slash path in the sysroot
	Err  error  // why; it names the file
}

// ReadInput finds the components of the toolchain's sysroot: by the lists
// lib/rustlib/manifest-* where there are any, else by the table of owners. Libraries
// of the toolchain that its programs find elsewhere are added. Everything wrong with
// the sysroot as a whole is reported at once; what is wrong with a file of one
// component is in that component.
func ReadInput(tc Toolchain) (Input, error) { return readInput(tc, true) }

// ReadPrograms is [ReadInput] without documentation and sources. A complete toolchain
// has over 50000 files of those, and 200 others.
func ReadPrograms(tc Toolchain) (Input, error) { return readInput(tc, false) }

func readInput(tc Toolchain, texts bool) (Input, error) {
	lists, err := filepath.Glob(filepath.Join(globEscape(tc.Path("lib/rustlib")), "manifest-*"))
	if err != nil {
		return Input{}, fmt.Errorf("reading sysroot %q: %w", tc.Sysroot, err)
	}
	r := &inputReader{tc: tc, texts: texts, owned: map[string]string{}, listed: map[manifests.Directive]bool{}}
	if len(lists) > 0 {
		r.in.Listed = true
		for _, list := range lists {
			r.readList(list)
		}
		for _, l := range r.lists {
			if !r.texts && slices.Contains(textComponents, l.Spec.Archive) {
				r.shallow(l.InputComponent)
			} else {
				r.takeListed(l)
			}
		}
	} else if !r.texts {
		for _, archive := range textComponents {
			spec, _ := manifests.LookupComponent(archive)
			r.shallow(InputComponent{Spec: spec, Target: tc.Host})
		}
	}
	r.walk()
	if err := errors.Join(r.errs...); err != nil {
		return Input{}, err
	}
	r.compiledBy()
	r.libraries()
	r.spares()
	r.programs()
	r.oldNames()
	slices.SortFunc(r.in.Components, func(a, b InputComponent) int {
		return cmp.Or(strings.Compare(a.Spec.Archive, b.Spec.Archive), strings.Compare(a.Target.String(), b.Target.String()))
	})
	slices.Sort(r.in.Unowned)
	r.unowned()
	return r.in, nil
}

// leftOut are kinds of files that no component owns and that somebody may miss.
var leftOut = []struct {
	reason, remedy string
	is             func(name string) bool
}{
	{"licences belong to no component, and are not packaged", "copy what has to go with the toolchain to share/doc/rust/licenses", func(name string) bool {
		base := strings.ToUpper(path.Base(name))
		return strings.HasPrefix(name, "share/licenses/") || slices.ContainsFunc([]string{"COPYRIGHT", "COPYING", "LICENSE", "LICENCE"}, func(p string) bool { return strings.HasPrefix(base, p) })
	}},
	{"libraries belong to no component, and no program finds them by its own search path, so they are not packaged", "", func(name string) bool {
		return strings.HasPrefix(name, "lib") && !strings.HasPrefix(name, "lib/rustlib/") && strings.Contains(path.Base(name), ".so")
	}},
}

// unowned tells of files that are not packaged, each kind by one finding.
func (r *inputReader) unowned() {
	for _, kind := range leftOut {
		var names, rest []string
		for _, name := range r.in.Unowned {
			if kind.is(name) {
				names = append(names, name)
			} else {
				rest = append(rest, name)
			}
		}
		r.in.Unowned = rest
		if len(names) == 0 {
			continue
		}
		text := fmt.Sprintf("%q", names[:min(3, len(names))])
		if more := len(names) - 3; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		r.warn(config.Note, r.tc.Sysroot, kind.remedy, "%s: %s", kind.reason, text)
	}
}

// globEscape quotes what filepath.Glob would expand.
func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}

// inputReader collects the parts of an Input.
type inputReader struct {
	tc    Toolchain
	texts bool // read documentation and sources, too
	in    Input
	owned map[string]string // file to the component that owns it
	// lists are the components of the lists, listed all lines of those.
	lists  []listed
	listed map[manifests.Directive]bool
	// spare are libraries in other directories than lib, and last says that nobody else is
	// going to claim them.
	spare []string
	last  bool
	// shared says that the sysroot holds more than a toolchain.
	shared bool
	errs   []error
}

func (r *inputReader) fail(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

// claim records that component owns the file name, and reports a second owner.
func (r *inputReader) claim(name, component string) bool {
	if prev, taken := r.owned[name]; taken {
		r.fail("reading sysroot %q: file %q belongs to both %s and %s", r.tc.Sysroot, name, prev, component)
		return false
	}
	r.owned[name] = component
	return true
}

// maxFileList bounds a file list, in bytes. That of all documentation has 5 MB.
const maxFileList = 64 << 20

// readList reads one lib/rustlib/manifest-* and the files it names.
func (r *inputReader) readList(list string) {
	full := strings.TrimPrefix(filepath.Base(list), "manifest-")
	data, err := dist.ReadFile(list, maxFileList)
	if err != nil {
		r.fail("reading file list %q: %w", list, dist.WithoutPath(err))
		return
	}
	m, err := manifests.ParseInstalledFileList(data, r.prefix(string(data)))
	if err != nil {
		r.fail("reading file list %q: %w", list, err)
		return
	}
	spec, target, err := installedName(full, r.tc.Host)
	if err != nil {
		r.fail("reading file list %q: %w", list, err)
		return
	}
	for i := range m {
		m[i].Path = r.tc.archived(m[i].Path)
		r.listed[m[i]] = true
	}
	r.lists = append(r.lists, listed{InputComponent{Spec: spec, Target: target, Manifest: m}, list, full})
}

// listed is a component with the list that names its files.
type listed struct {
	InputComponent
	list string // the path of the list
	full string // what follows "manifest-"
}

// takeListed reads the files of a list. What another list names in a directory of this
// one is that one's: upstream's rust-docs and rustc-docs lie so.
func (r *inputReader) takeListed(l listed) {
	c, list, full := l.InputComponent, l.list, l.full
	var err error
	for _, d := range c.Manifest {
		if d.Kind == manifests.DirDirective {
			err = c.Image.AddTree(d.Path, r.path(d.Path), func(name string, e fs.DirEntry) bool {
				within := manifests.Directive{Kind: manifests.FileDirective, Path: d.Path + "/" + name}
				if e.IsDir() {
					within.Kind = manifests.DirDirective
				}
				return !r.listed[within] && (e.IsDir() || r.claim(within.Path, full))
			})
		} else if r.claim(d.Path, full) {
			err = r.addFile(&c.Image, d.Path)
		}
		if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errNowhere) {
			err = fmt.Errorf("reading file list %q: it names %q, which the sysroot does not have", list, d.Path)
		} else if err != nil {
			err = fmt.Errorf("reading file list %q: %w", list, err)
		}
		if err != nil {
			c.Broken = append(c.Broken, Broken{d.Path, err})
		}
		err = nil
	}
	r.in.Components = append(r.in.Components, c)
}

// textComponents are the components that hold texts only, and textDirs their
// directories in a sysroot without lists.
var (
	textComponents = []string{"rust-docs", "rustc-docs", "rust-docs-json", "rust-src"}
	textDirs       = []string{"share/doc/rust/html", "share/doc/rust/json", "lib/rustlib/src"}
)

// installedName finds the component of an installed list. rustup calls lists by the
// channel's names ("rustc-<host>"), install.sh by the archive's directories
// ("rustc").
func installedName(name string, host targets.Triple) (manifests.ComponentSpec, targets.Triple, error) {
	for _, spec := range manifests.Components() {
		switch {
		case spec.Package == "":
		case spec.Scope == manifests.ScopeNone:
			if name == spec.Package {
				return spec, targets.Triple{}, nil
			}
		case name == spec.Dir(host), name == spec.InstalledName(host):
			return spec, host, nil
		case spec.Scope == manifests.ScopeTarget:
			if rest, ok := strings.CutPrefix(name, spec.Package+"-"); ok {
				if t, err := targets.ParseTriple(rest); err == nil {
					return spec, t, nil
				}
			}
		}
	}
	return manifests.ComponentSpec{}, targets.Triple{}, fmt.Errorf("got component %q, want one that Rust ships for %s", name, host)
}

// prefix returns the directory that an installed list's absolute paths start with.
// install.sh writes it; the tree may have moved since, or have been installed with
// a DESTDIR. So the first path is compared with what the sysroot has.
func (r *inputReader) prefix(list string) string {
	first, _, _ := strings.Cut(list, "\n")
	_, first, _ = strings.Cut(first, ":")
	for i := range len(first) {
		if first[i] != '/' {
			continue
		}
		if _, err := os.Lstat(filepath.Join(r.tc.Sysroot, filepath.FromSlash(first[i:]))); err == nil {
			return first[:i+1]
		}
	}
	return "/"
}

// Archives returns the archive names of the input's components, sorted.
func (in Input) Archives() []string {
	var names []string
	for _, c := range in.Components {
		names = append(names, c.Spec.Archive)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Component returns c as it is in an archive.
func (c InputComponent) Component() dist.Component {
	return dist.Component{Name: c.Spec.Dir(c.Target), Image: c.Image, BulkDirs: c.bulkDirs()}
}

// bulkDirs returns the directories that manifest.in lists as a whole: those of the
// component's own list, else upstream's.
func (c InputComponent) bulkDirs() []string {
	if c.apart {
		return c.bulk
	}
	var dirs []string
	for _, d := range c.Manifest {
		if d.Kind == manifests.DirDirective {
			dirs = append(dirs, d.Path)
		}
	}
	if c.Manifest != nil {
		return dirs
	}
	return slices.DeleteFunc(slices.Clone(c.Spec.BulkDirs), func(dir string) bool { return !c.Image.HasDir(dir) })
}
