package dist

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"x.go/manifests"
)

// recompressJob makes the archives of one tar stream.
type recompressJob struct {
	dir, stem string
	sources   []*tarSource // fastest to read first
	ambiguous bool         // several sources have one format

	record *openRecord
	work   work
	done   []Artifact // of an earlier run
	err    error
}

func (j *recompressJob) inputs() []string {
	var paths []string
	for _, s := range j.sources {
		paths = append(paths, s.path)
	}
	return paths
}

// measure learns the size of the tar stream: from the headers of a source, or by
// decoding the one that takes the shortest.
func (c *Recompression) measure(ctx context.Context, j *recompressJob) error {
	i := max(0, slices.IndexFunc(j.sources, func(s *tarSource) bool { return s.tarSize >= 0 }))
	if j.sources[i].tarSize < 0 {
		if err := c.learn(ctx, j.sources[i]); err != nil {
			return err
		}
	}
	j.work.size = j.sources[i].tarSize
	return nil
}

// learn is [tarSource.learn] within the limit of memory.
func (c *Recompression) learn(ctx context.Context, s *tarSource) error {
	need := min(s.memory, cmp.Or(c.setup.MaxMemory, math.MaxInt64))
	if err := c.memory.Acquire(ctx, need); err != nil {
		return err
	}
	defer c.memory.Release(need)
	return s.learn(ctx)
}

// skipDone finds out which archives of j an earlier run has made as they would be
// made now.
func (c *Recompression) skipDone(ctx context.Context, j *recompressJob) error {
	type candidate struct {
		Artifact
		tar manifests.Hash
	}
	var made []candidate
	for _, a := range j.work.plan.Archives {
		entry, ok := j.record.Archives[a.Name]
		if !ok || entry.Settings != j.work.level.settings(a) {
			continue
		}
		path := filepath.Join(j.dir, a.Name)
		if same, err := entry.is(ctx, path); err != nil {
			return err
		} else if same {
			art := Artifact{
				Name: a.Name, Path: path, Package: j.stem, Format: a.Format,
				Size: entry.Size, SHA256: entry.SHA256, DecoderMemory: a.DecoderMemory,
			}
			made = append(made, candidate{art, entry.Tar})
		}
	}
	if len(made) == 0 {
		return nil
	}
	for _, s := range j.sources {
		if err := s.recall(ctx, j.record); err != nil {
			return err
		}
		if err := c.learn(ctx, s); err != nil {
			return err
		}
	}
	if err := j.checkSame(); err != nil {
		return err
	}
	for _, m := range made {
		if m.tar == j.sources[0].tar {
			j.done = append(j.done, m.Artifact)
		}
	}
	return nil
}

// is reports whether the file at path is the one of the entry.
func (f recordedFile) is(ctx context.Context, path string) (bool, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() || info.Size() != f.Size {
		return false, nil
	}
	sum, err := hashFile(ctx, path)
	return sum == f.SHA256, err
}

// checkSame compares the tar streams of all sources, which are known.
func (j *recompressJob) checkSame() error {
	first := j.sources[0]
	for _, s := range j.sources[1:] {
		if s.tar != first.tar {
			return fmt.Errorf("%q and %q hold different tar streams, of sha256 %s and %s: name the right one only", first.path, s.path, first.tar, s.tar)
		}
	}
	return nil
}

// repairSums writes the checksum files of finished archives again where they are
// missing or wrong: a run may have been killed between the two.
func (j *recompressJob) repairSums() error {
	for _, a := range j.done {
		want := manifests.FormatChecksum(a.SHA256, a.Name)
		if got, err := os.ReadFile(a.Path + sumExt); err == nil && string(got) == string(want) {
			continue
		}
		if err := writeFile(j.dir, a.Name+sumExt, want); err != nil {
			return fmt.Errorf("recompressing %q: %w", j.stem, err)
		}
	}
	return nil
}

// stream is the stream function of the work.
func (j *recompressJob) stream(ctx context.Context, w io.Writer) error {
	n, err := j.sources[0].copyTar(ctx, w)
	if err == nil && n != j.work.size {
		err = fmt.Errorf("reading %q: got a tar stream of %d bytes, want %d as its headers say", j.sources[0].path, n, j.work.size)
	}
	return err
}

// place is the place function of the work. The record comes first: an entry that
// speaks of a file which did not get its name counts for nothing, but a file
// without an entry would be made again.
func (j *recompressJob) place(ctx context.Context, k *work, outs []*output, sum manifests.Hash) error {
	first := j.sources[0]
	if !first.tar.IsZero() && first.tar != sum {
		return fmt.Errorf("reading %q: the file changed meanwhile", first.path)
	}
	first.tar, first.tarSize = sum, k.size
	inputs := map[string]recordedFile{}
	for _, s := range j.sources {
		if err := s.learn(ctx); err != nil {
			return err
		}
		if err := s.unchanged(); err != nil {
			return err
		}
		if !s.sum.IsZero() {
			inputs[filepath.Base(s.path)] = recordedFile{s.info.Size(), s.sum, s.tarSize, s.tar}
		}
	}
	if err := j.checkSame(); err != nil {
		return err
	}
	archives := map[string]recordedArchive{}
	for i, o := range outs {
		archives[o.name] = recordedArchive{recordedFile{o.size, o.sum(), k.size, sum}, k.level.settings(k.plan.Archives[i])}
	}
	if err := j.record.add(inputs, archives); err != nil {
		return err
	}
	for _, o := range outs {
		if err := o.publish(); err != nil {
			return err
		}
	}
	return syncDir(j.dir)
}

// result describes the archives of j, which are there in all formats.
func (j *recompressJob) result(formats []Format) Recompressed {
	r := Recompressed{Name: j.stem, Inputs: j.inputs(), TarSize: j.work.size, Tar: j.sources[0].tar}
	all := slices.Concat(j.done, j.work.out)
	for _, f := range formats {
		i := slices.IndexFunc(all, func(a Artifact) bool { return a.Format == f })
		a := RecompressedArchive{Artifact: all[i], Done: i < len(j.done)}
		for _, s := range j.sources {
			if s.format == f {
				a.Before = s.info.Size()
			}
		}
		r.Archives = append(r.Archives, a)
	}
	return r
}
