package recompress

import (
	"fmt"
	"slices"

	"x.go/dist/archive"
	"x.go/manifests"
)

// slot is the place of a part in an archive.
type slot struct {
	name  string // of the archive
	index int
}

// piece is a part of an archive, and what all parts of it have in common.
type piece struct {
	Part
	tarSize       int64
	tar, settings manifests.Hash
}

// addPart notes a part of an archive, and refuses a second one in its place.
func addPart(parts map[slot]piece, name string, p piece) error {
	at := slot{name, p.Index}
	if _, ok := parts[at]; ok {
		return fmt.Errorf("part %d of %.200q is there twice", p.Index, name)
	}
	parts[at] = p
	return nil
}

// checkParts returns an error unless the parts of each archive follow each other
// without a gap.
func checkParts(parts map[slot]piece) error {
	for at, p := range parts {
		want := int64(0)
		if p.Index > 0 {
			before, ok := parts[slot{at.name, p.Index - 1}]
			if !ok || before.Count != p.Count {
				return fmt.Errorf("part %d of %.200q has no part before it", p.Index, at.name)
			}
			if before.tarSize != p.tarSize || before.tar != p.tar || before.settings != p.settings {
				return fmt.Errorf("parts %d and %d of %.200q differ in tar stream or settings", p.Index-1, p.Index, at.name)
			}
			want = before.Offset + before.Size
		}
		if _, next := parts[slot{at.name, p.Index + 1}]; p.Offset != want || next == (p.Index == p.Count-1) {
			return fmt.Errorf("the parts of %.200q do not follow each other", at.name)
		}
	}
	return nil
}

// output is an archive of a plan: the tasks that make it.
type output struct {
	name   string
	format archive.Format
	tasks  []int // one, or those of its parts in order
}

// outputs returns the archives of all tasks, sorted by name.
func (t *Tasks) outputs() []output {
	byName := map[string]*output{}
	var names []string
	for n, task := range t.Tasks {
		for _, o := range task.Outputs {
			out := byName[o.Name]
			if out == nil {
				out = &output{name: o.Name, format: o.Format}
				byName[o.Name] = out
				names = append(names, o.Name)
			}
			out.tasks = append(out.tasks, n)
		}
	}
	slices.Sort(names)
	all := make([]output, 0, len(names))
	for _, name := range names {
		o := byName[name]
		slices.SortFunc(o.tasks, func(a, b int) int { return t.Tasks[a].partIndex() - t.Tasks[b].partIndex() })
		all = append(all, *o)
	}
	return all
}
