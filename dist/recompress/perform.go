package recompress

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/store"
	"x.go/manifests"
)

// PerformOptions say how [Tasks.Perform] does a task.
type PerformOptions struct {
	// Store is where outputs are kept.
	Store *store.Store
	// From is where the inputs are, a directory or a store; "" means where the plan
	// found them. Relative paths begin at Dir.
	From, Dir string
	// Temp is the directory for outputs that are not complete; "" means that of the
	// system. What killed tasks of this machine left there is removed.
	Temp string
	// Jobs is how many processors to use; 0 means as many as were planned for. The bytes
	// do not depend on it.
	Jobs int
	// Check reads what the store has already, and replaces what is damaged. Where a
	// store notes no digests, this is done in any case.
	Check bool
	// ReadBack decodes what was compressed. [Tasks.Collect] does that in any case.
	ReadBack bool
	Progress func(archive.Progress)
}

// Performed is what became of a task.
type Performed struct {
	Task    int               `json:"task"`
	Outputs []PerformedOutput `json:"outputs"`
	// Damaged are the errors of kept outputs that were replaced.
	Damaged []string `json:"damaged"`
}

// PerformedOutput is an output of a task.
type PerformedOutput struct {
	Name string `json:"name"`
	Key  string `json:"key"`
	// Found says that it was there already: nothing was done for it.
	Found bool `json:"found"`
	// Size is the number of bytes, and 0 if it was found.
	Size int64 `json:"size,omitempty"`
}

// Perform does one task: it compresses what the store does not have yet, and puts it there
// if it is absent. A task may be done any number
// of times, at the same time too.
func (t *Tasks) Perform(ctx context.Context, number int, o PerformOptions) (Performed, error) {
	if number < 0 || number >= len(t.Tasks) {
		return Performed{}, fmt.Errorf("doing task %d: got a plan of %d tasks, want 0 to %d", number, len(t.Tasks), len(t.Tasks)-1)
	}
	r := &performer{Tasks: t, o: o, task: t.Tasks[number], kept: kept{o.Store}, replace: map[archive.Format]bool{}}
	r.done = Performed{Task: number, Outputs: []PerformedOutput{}, Damaged: []string{}}
	if err := r.run(ctx); err != nil {
		return r.done, fmt.Errorf("doing task %d, %q: %w", number, r.task.Name, err)
	}
	return r.done, nil
}

// performer does one task.
type performer struct {
	*Tasks
	o       PerformOptions
	task    Task
	kept    kept
	skip    []archive.Format // found in the store
	replace map[archive.Format]bool
	done    Performed
	whole   manifests.Hash // of the tar stream that was read
}

func (r *performer) run(ctx context.Context) error {
	if err := r.checkSettings(r.task); err != nil {
		return err
	}
	for _, out := range r.task.Outputs {
		found, err := r.kept.look(ctx, out.Key, r.o.Check)
		if damage := (*damageError)(nil); errors.As(err, &damage) {
			r.done.Damaged = append(r.done.Damaged, err.Error())
			r.replace[out.Format] = true
		} else if err != nil {
			return err
		}
		if found {
			r.skip = append(r.skip, out.Format)
		}
		r.done.Outputs = append(r.done.Outputs, PerformedOutput{Name: out.Name, Key: out.Key, Found: found})
	}
	if len(r.skip) == len(r.task.Outputs) {
		return nil
	}
	temp, err := dist.NewTempDir(r.o.Temp, "x-recompress")
	if err != nil {
		return err
	}
	return errors.Join(r.compress(ctx, temp.Path), temp.Remove())
}

// compress writes what is missing to dir, and puts it into the store.
func (r *performer) compress(ctx context.Context, dir string) error {
	p := newPlaces(r.o.Dir)
	defer p.close()
	from := r.Sources[r.task.Input.Source]
	if r.o.From != "" {
		from = r.o.From
	}
	in, err := p.input(ctx, from, r.task.Input.Name)
	if err != nil {
		return err
	}
	w, err := r.Settings.writer()
	if err != nil {
		return err
	}
	if r.o.Jobs > 0 {
		w.Jobs = r.o.Jobs
	}
	w.SkipChecksums, w.SkipReadBack, w.Progress = true, !r.o.ReadBack, r.o.Progress
	stream := r.task.stream()
	stream.Dir, stream.Extra = dir, 0
	for _, f := range r.Settings.Formats {
		if !slices.ContainsFunc(r.task.Outputs, func(o TaskOutput) bool { return o.Format == f }) || slices.Contains(r.skip, f) {
			stream.Skip = append(stream.Skip, f)
		}
	}
	stream.Write = func(ctx context.Context, w io.Writer) error { return r.read(ctx, in, w) }
	stream.Ready = func(context.Context, manifests.Hash, []archive.Artifact) error { return r.proveInput(in) }
	j, err := w.PlanStreams([]archive.Stream{stream})
	if err != nil {
		return err
	}
	written, err := j.WriteEach(ctx)
	if err == nil {
		err = written[0].Err
	}
	if err != nil {
		return err
	}
	for _, a := range written[0].Archives {
		if err := r.put(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// read writes the part of the tar stream that the task is of, and digests all of it.
func (r *performer) read(ctx context.Context, in *input, w io.Writer) error {
	h := sha256.New()
	out := io.Writer(w)
	if p := r.task.Part; p != nil {
		out = &rangeWriter{w: w, skip: p.Offset, left: p.Size}
	}
	n, err := in.copyTar(ctx, io.MultiWriter(h, out))
	if err == nil && n != r.task.TarSize {
		err = fmt.Errorf("reading %q: got a tar stream of %d bytes, want %d as in the plan", in.path, n, r.task.TarSize)
	}
	r.whole = manifests.Hash(h.Sum(nil))
	return err
}

// proveInput returns an error unless what was read is what was planned.
func (r *performer) proveInput(in *input) error {
	if r.whole != r.task.Tar {
		return fmt.Errorf("reading %q: got a tar stream of sha256 %s, want %s as in the plan: make the plan again", in.path, r.whole, r.task.Tar)
	}
	return nil
}

// put puts an archive into the store.
func (r *performer) put(ctx context.Context, a archive.Artifact) error {
	i := slices.IndexFunc(r.task.Outputs, func(o TaskOutput) bool { return o.Format == a.Format })
	body := store.Body{Open: func() (io.ReadCloser, error) { return dist.OpenFile(a.Path) }, Size: a.Size, Hash: a.SHA256}
	key := r.task.Outputs[i].Key
	damage, err := r.kept.keep(ctx, key, body, r.replace[a.Format])
	if err == nil && r.o.ReadBack && r.task.Part == nil {
		err = r.kept.setNote(ctx, key, provenExt, a.SHA256)
	}
	if damage != nil {
		r.done.Damaged = append(r.done.Damaged, damage.Error())
	}
	r.done.Outputs[i].Size = a.Size
	return err
}

// rangeWriter passes a range of what is written on.
type rangeWriter struct {
	w          io.Writer
	skip, left int64
}

// Write implements [io.Writer].
func (r *rangeWriter) Write(p []byte) (int, error) {
	n := len(p)
	before := min(r.skip, int64(len(p)))
	r.skip, p = r.skip-before, p[before:]
	p = p[:min(r.left, int64(len(p)))]
	r.left -= int64(len(p))
	if len(p) == 0 {
		return n, nil
	}
	if _, err := r.w.Write(p); err != nil {
		return 0, err
	}
	return n, nil
}

// copyHashed copies r to w and returns the digest of what passed.
func copyHashed(ctx context.Context, w io.Writer, r io.Reader) (manifests.Hash, error) {
	h := sha256.New()
	buf := make([]byte, 256<<10)
	for {
		if err := context.Cause(ctx); err != nil {
			return manifests.Hash{}, err
		}
		n, err := r.Read(buf)
		if _, werr := w.Write(buf[:n]); werr != nil {
			return manifests.Hash{}, werr
		}
		h.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return manifests.Hash(h.Sum(nil)), nil
		}
		if err != nil {
			return manifests.Hash{}, err
		}
	}
}
