package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"x.go/dist"
	"x.go/manifests"
)

// Inspect compares what is installed in the directories of opts with what it should be:
// with the record of digests that [Run] leaves, or with components, if there are any.
// They are found by their names, in the words of an archive or of rustup. It changes
// nothing, waits for nobody, and follows no link below the directories of opts.
//
// progress, if not nil, is called with the bytes that were read and those to read, from
// one goroutine at a time.
func Inspect(ctx context.Context, opts Options, components []dist.Component, progress func(done, total int64)) (State, error) {
	return inspectBy(ctx, opts, progress, func(s *survey) error {
		if len(components) > 0 {
			return s.expectImages(ctx, components)
		}
		s.expectRecorded()
		return nil
	})
}

// inspectBy compares what is installed with what expect has the survey expect.
func inspectBy(ctx context.Context, opts Options, progress func(done, total int64), expect func(*survey) error) (State, error) {
	l, err := opts.layout()
	if err != nil {
		return State{}, fmt.Errorf("inspecting: %w", err)
	}
	in, err := readInstalled(l)
	if err != nil {
		return State{}, fmt.Errorf("inspecting %q: %w", l.prefix, err)
	}
	defer in.close()
	s := survey{in: in, progress: progress}
	if err = expect(&s); err == nil {
		err = s.run(ctx)
	}
	if err != nil {
		return State{}, fmt.Errorf("inspecting %q: %w", l.prefix, err)
	}
	return s.state, nil
}

// survey compares an installation with expectations.
type survey struct {
	in       *installed
	progress func(done, total int64)
	expected []expectation // of each component of in, in its order
	scripts  [][]byte      // install.sh of the sources
	state    State
}

// expectRecorded expects what the records of digests tell.
func (s *survey) expectRecorded() {
	for _, c := range s.in.components {
		if !c.listed {
			s.expected = append(s.expected, namesOnly(c))
			continue
		}
		e, err := s.in.recordedDigests(c)
		if err != nil {
			e = namesOnly(c)
			s.unknown(c.name, err)
		}
		s.expected = append(s.expected, e)
	}
}

func (s *survey) unknown(component string, err error) {
	s.state.Problems = append(s.state.Problems, Problem{Unknown, component, "", err.Error()})
}

// expectImages expects what the images of components are.
func (s *survey) expectImages(ctx context.Context, components []dist.Component) error {
	var expected []expectation
	var names []string
	for _, c := range s.in.components {
		names = append(names, c.name)
	}
	for _, c := range components {
		name, ok := installedName(names, c.Name, "")
		if !ok {
			continue
		}
		e, err := ofImage(ctx, s.in.layout, name, c)
		if err != nil {
			return fmt.Errorf("component %q: %w", c.Name, err)
		}
		expected = append(expected, e)
	}
	s.expect(expected)
	return nil
}

// expect takes expectations for the installed components that they are for.
func (s *survey) expect(expected []expectation) {
	for _, c := range s.in.components {
		i := slices.IndexFunc(expected, func(e expectation) bool { return e.component == c.name })
		if i < 0 {
			s.unknown(c.name, errors.New("none of the sources has it"))
			s.expected = append(s.expected, namesOnly(c))
			continue
		}
		s.expected = append(s.expected, expected[i])
		s.unlisted(c, expected[i])
	}
}

// unlisted compares the list of a component with what it should be.
func (s *survey) unlisted(c installedComponent, e expectation) {
	if !c.listed {
		return
	}
	listed := map[record]bool{}
	for _, r := range c.records {
		listed[r] = true
	}
	missing := 0
	first := ""
	for _, r := range e.list {
		if !listed[r] {
			if missing++; first == "" {
				first = r.path()
			}
		}
		delete(listed, r)
	}
	file := s.in.file(manifests.InstalledPrefix + c.name)
	if missing > 0 {
		s.in.problem(c.name, file, "%d of its lines are missing, such as that of %q: another version is installed, or the list was changed", missing, first)
	}
	for r := range listed { // what the archive does not have
		if r.kind == manifests.FileDirective {
			s.state.Problems = append(s.state.Problems, Problem{Extra, c.name, r.path(), "the list names it, but the component does not have it"})
		}
	}
}

// run looks at all files.
func (s *survey) run(ctx context.Context) error {
	k := newLook(s.in.layout, s.progress)
	s.state.Prefix = s.in.layout.prefix
	s.state.Components = []InspectedComponent{}
	var all []wanted
	for i, e := range s.expected {
		c := InspectedComponent{Name: s.in.components[i].name, Files: len(e.files), Against: e.against}
		for _, w := range e.files {
			c.Bytes += w.size
		}
		s.state.Components = append(s.state.Components, c)
		all = append(all, e.files...)
	}
	if err := k.files(ctx, all); err != nil {
		return err
	}
	s.state.Problems = append(s.state.Problems, k.problems...)
	s.extras()
	if s.in.root != nil {
		if _, problem := s.in.uninstaller(s.scripts...); problem != "" {
			s.in.problem("", s.in.file(uninstallerName), "%s", problem)
		}
	}
	s.state.Problems = append(s.state.Problems, s.in.problems...)
	s.state.Notes = s.in.notes
	s.state.sort()
	return nil
}

// extras finds files in the directories of components that no component owns.
func (s *survey) extras() {
	x := extras{survey: s, owner: map[string]string{}, above: map[string]bool{}, skip: map[string]bool{}}
	for i, e := range s.expected {
		for _, w := range e.files {
			x.owner[w.at.path()] = e.component
		}
		for _, r := range s.listed(i) {
			if r.kind == manifests.FileDirective {
				x.owner[r.path()] = e.component
			}
		}
		for _, w := range e.files {
			for dir := range dist.Parents(w.at.rel) {
				x.above[place{w.at.base, dir}.path()] = true
			}
		}
		for _, dir := range e.dirs {
			if e.against == "" {
				x.skip[dir.path()] = true
			}
		}
	}
	if s.in.root == nil {
		return
	}
	dirs := map[place]string{s.in.at: ""}
	for _, e := range s.expected {
		for _, dir := range e.dirs {
			dirs[dir] = e.component
		}
	}
	for _, dir := range slices.SortedFunc(maps.Keys(dirs), func(a, b place) int { return strings.Compare(a.path(), b.path()) }) {
		x.walk(dir, dirs[dir])
	}
}

// listed returns what the list of the component of an expectation has.
func (s *survey) listed(i int) []record {
	if i < len(s.in.components) {
		return s.in.components[i].records
	}
	return nil
}

type extras struct {
	*survey
	owner map[string]string // component by path
	above map[string]bool   // directories of owned files: what is in their places was told
	skip  map[string]bool   // directories whose files nobody knows
}

func (x *extras) walk(at place, component string) {
	root, err := os.OpenRoot(at.base)
	if err != nil {
		return // missing: its files are
	}
	defer root.Close()
	_ = fs.WalkDir(root.FS(), at.rel, func(name string, d fs.DirEntry, err error) error {
		file := place{at.base, name}.path()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			x.found(Problem{Unreadable, component, file, dist.WithoutPath(orLinkOut(root, place{at.base, name}, err)).Error()})
			return nil
		case name == at.rel && !d.IsDir(), x.skip[file]:
			return fs.SkipDir
		case d.IsDir(), x.owner[file] != "", x.above[file], path.Dir(name) == x.in.at.rel && at == x.in.at && isRecord(d.Name()):
			return nil
		case x.owner[backupOf(file)] != "":
			x.state.Backups = append(x.state.Backups, file)
			return nil
		}
		x.found(Problem{Extra, component, file, "nothing that is installed has " + dist.KindOf(d.Type()) + " there"})
		return nil
	})
}

func (x *extras) found(p Problem) { x.state.Problems = append(x.state.Problems, p) }

// installedName returns the name by which a component of an archive is installed: its
// own, or rustup's, which has the target in it. target is the archive's, "" if it has
// none.
func installedName(installed []string, component, target string) (string, bool) {
	if slices.Contains(installed, component) {
		return component, true
	}
	id := componentID(component, target)
	for _, name := range installed {
		if componentID(name, "").Means(id) {
			return name, true
		}
	}
	return "", false
}
