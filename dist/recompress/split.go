package recompress

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"x.go/dist/archive"
)

// SplitOptions say how [Split] makes tasks.
type SplitOptions struct {
	Settings Settings
	// PartSize is how much of a tar stream one task compresses at most to xz, in bytes,
	// a multiple of the block size; larger archives are split. 0 splits none.
	PartSize int64
	// Dir is where relative paths begin, and Readers how many inputs are read at a time.
	Dir     string
	Readers int
}

// Split reads the archives that words name, files, directories and stores, and makes
// a task of each, which is the files of one name in all formats. All of them are
// decoded once, for the digests. Any that cannot be read is an error, and all such are
// reported: a plan that lacks an archive would be a release that does.
func Split(ctx context.Context, words []string, o SplitOptions) (*Tasks, error) {
	w, err := o.Settings.writer()
	if err != nil {
		return nil, fmt.Errorf("planning tasks: %w", err)
	}
	if b := o.Settings.BlockSize; o.PartSize < 0 || o.PartSize > 0 && (b <= 0 || o.PartSize%b != 0) {
		return nil, fmt.Errorf("planning tasks: got parts of %d bytes in blocks of %d, want a multiple", o.PartSize, b)
	}
	p := newPlaces(o.Dir)
	defer p.close()
	sets, err := findSets(ctx, p, words)
	if err != nil {
		return nil, err
	}
	if err := learnAll(ctx, sets, max(1, o.Readers)); err != nil {
		return nil, err
	}
	t := &Tasks{Version: tasksVersion, Settings: o.Settings}
	t.Settings.Formats, t.Settings.Profile, t.Settings.Jobs = w.Formats, w.Profile, w.Jobs
	for _, set := range sets {
		if i := slices.Index(t.Sources, set[0].source); i < 0 {
			t.Sources = append(t.Sources, set[0].source)
		}
	}
	slices.Sort(t.Sources)
	for _, set := range sets {
		more, err := t.tasksOf(set[0], w, o.PartSize)
		if err != nil {
			return nil, err
		}
		t.Tasks = append(t.Tasks, more...)
	}
	t.sort()
	return t, t.check()
}

// sort puts the longest tasks first.
func (t *Tasks) sort() {
	slices.SortFunc(t.Tasks, func(a, b Task) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.TarSize, a.TarSize), strings.Compare(a.Outputs[0].Name, b.Outputs[0].Name), a.partIndex()-b.partIndex())
	})
}

// findSets returns the inputs of each name, the fastest to read first.
func findSets(ctx context.Context, p *places, words []string) ([][]found, error) {
	byStem := map[string][]found{}
	var errs []error
	for _, word := range words {
		all, err := p.find(ctx, word)
		if err != nil {
			errs = append(errs, err)
		}
		for _, in := range all {
			if i := slices.IndexFunc(byStem[in.stem], func(o found) bool { return o.format == in.format }); i >= 0 {
				errs = append(errs, fmt.Errorf("reading inputs %q and %q: both would become %q", byStem[in.stem][i].path, in.path, in.stem))
				continue
			}
			byStem[in.stem] = append(byStem[in.stem], in)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var sets [][]found
	for _, set := range byStem {
		slices.SortFunc(set, func(a, b found) int {
			return cmp.Compare(slices.Index(decodeOrder, a.format), slices.Index(decodeOrder, b.format))
		})
		sets = append(sets, set)
	}
	slices.SortFunc(sets, func(a, b []found) int { return strings.Compare(a[0].stem, b[0].stem) })
	return sets, nil
}

// learnAll decodes all inputs, and compares those of one name.
func learnAll(ctx context.Context, sets [][]found, readers int) error {
	var g errgroup.Group
	g.SetLimit(readers)
	errs := make([]error, len(sets))
	for i, set := range sets {
		g.Go(func() error {
			s := &tarSet{stem: set[0].stem}
			for _, in := range set {
				if err := in.learn(ctx); err != nil {
					errs[i] = s.failed(err)
					return nil
				}
				s.inputs = append(s.inputs, in.input)
			}
			errs[i] = s.failed(s.checkSame())
			return nil
		})
	}
	_ = g.Wait() // the errors are in errs
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("planning tasks: %w", err)
	}
	return errors.Join(errs...)
}

// stream describes the tar stream of a task for planning.
func (task Task) stream() archive.Stream {
	return archive.Stream{Name: task.Name, Size: task.TarSize, Reserve: usualReserve(task.TarSize)}
}

// tasksOf returns the tasks of an input: one, or one for the xz archive's parts each and
// one for the other formats.
func (t *Tasks) tasksOf(in found, w archive.Writer, partSize int64) ([]Task, error) {
	source, _ := slices.BinarySearch(t.Sources, in.source)
	whole := Task{
		Name: in.stem, TarSize: in.tarSize, Tar: in.tar,
		Input: TaskInput{source, path.Base(filepath.ToSlash(in.path)), in.fileSize(), in.sum},
	}
	j, err := w.PlanStreams([]archive.Stream{whole.stream()})
	if err != nil {
		return nil, err
	}
	plan := j.Plans()[0]
	whole.Memory = peakMemory(plan)
	if in.stored == nil { // what a stored one takes shows only when it is read: within inputLimits
		whole.Memory += max(0, in.memory-usualReserve(in.tarSize))
	}
	for _, a := range plan.Archives {
		settings := settingsDigest(a.Settings)
		whole.Outputs = append(whole.Outputs, TaskOutput{a.Name, a.Format, settings, keyOf(in.tar, a.Format, settings, nil)})
	}
	var tasks []Task
	xz := slices.IndexFunc(whole.Outputs, func(o TaskOutput) bool { return o.Format == archive.XZ })
	if partSize > 0 && xz >= 0 && in.tarSize > partSize {
		block := plan.Archives[xz].Block
		if block != t.Settings.BlockSize {
			return nil, fmt.Errorf("planning parts of %q: the memory limit allows blocks of %d bytes, want %d: raise it or lower the block size", in.stem, block, t.Settings.BlockSize)
		}
		tasks = t.parts(whole, whole.Outputs[xz], partSize, in.format)
		whole.Outputs = slices.Delete(whole.Outputs, xz, xz+1)
	}
	if len(whole.Outputs) > 0 {
		whole.Seconds = estimate(t.Settings, in.format, in.tarSize, in.tarSize, whole.Outputs)
		tasks = append(tasks, whole)
	}
	return tasks, nil
}

// parts returns the tasks of the parts of an output.
func (t *Tasks) parts(whole Task, o TaskOutput, partSize int64, format archive.Format) []Task {
	count := int((whole.TarSize + partSize - 1) / partSize)
	var tasks []Task
	for i := range count {
		at := int64(i) * partSize
		p := &Part{Index: i, Count: count, Offset: at, Size: min(partSize, whole.TarSize-at)}
		task := whole
		task.Part = p
		o.Key = keyOf(whole.Tar, o.Format, o.Settings, p)
		task.Outputs = []TaskOutput{o}
		task.Seconds = estimate(t.Settings, format, whole.TarSize, p.Size, task.Outputs)
		tasks = append(tasks, task)
	}
	return tasks
}

func (task Task) partIndex() int {
	if task.Part == nil {
		return 0
	}
	return task.Part.Index
}
