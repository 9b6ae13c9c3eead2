package recompress

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

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// tarSet is the files that hold one tar stream, and the archives to write of it.
type tarSet struct {
	dir, stem string   // of the outputs
	inputs    []*input // fastest to read first
	ambiguous bool     // two inputs have the same format, or one cannot be read
	size      int64    // bytes of the tar stream

	record  *openRecord
	plan    archive.Plan       // of what is to be done
	done    []archive.Artifact // of an earlier run
	written []archive.Artifact // of this one
	err     error
}

func (s *tarSet) inputPaths() []string {
	var paths []string
	for _, in := range s.inputs {
		paths = append(paths, in.path)
	}
	return paths
}

// failed adds the name of the archives to err; nil stays nil.
func (s *tarSet) failed(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("recompressing %q: %w", s.stem, err)
}

// stream describes the tar stream for planning, without the formats that are done.
func (s *tarSet) stream() archive.Stream {
	reserve := usualReserve(s.size)
	var skip []archive.Format
	for _, a := range s.done {
		skip = append(skip, a.Format)
	}
	return archive.Stream{
		Name: s.stem, Size: s.size, Write: s.copyTar, Dir: s.dir, Skip: skip,
		Reserve: reserve, Extra: max(0, s.inputs[0].memory-reserve), Ready: s.check,
	}
}

// measure learns the size of the tar stream from the headers of an input, or else
// by decoding the fastest one.
func (j *Job) measure(ctx context.Context, s *tarSet) error {
	i := max(0, slices.IndexFunc(s.inputs, func(in *input) bool { return in.tarSize >= 0 }))
	if s.inputs[i].tarSize < 0 {
		if err := j.learn(ctx, s.inputs[i]); err != nil {
			return err
		}
	}
	s.size = s.inputs[i].tarSize
	return nil
}

// learn is [input.learn] within MaxMemory.
func (j *Job) learn(ctx context.Context, s *input) error {
	need := min(s.memory, cmp.Or(j.writer.MaxMemory, math.MaxInt64))
	if err := j.memory.Acquire(ctx, need); err != nil {
		return err
	}
	defer j.memory.Release(need)
	return s.learn(ctx)
}

// skipDone finds the archives of s that an earlier run wrote exactly as this one
// would.
func (j *Job) skipDone(ctx context.Context, s *tarSet) error {
	type candidate struct {
		archive.Artifact
		tar manifests.Hash
	}
	var candidates []candidate
	for i, art := range s.plan.Artifacts(s.dir) {
		entry, ok := s.record.written(s.plan.Archives[i])
		if !ok {
			continue
		}
		if same, err := entry.is(ctx, art.Path); err != nil {
			return err
		} else if same {
			art.Size, art.SHA256 = entry.Size, entry.SHA256
			candidates = append(candidates, candidate{art, entry.Tar})
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	for _, in := range s.inputs {
		if err := in.recall(ctx, s.record); err != nil {
			return err
		}
		if err := j.learn(ctx, in); err != nil {
			return err
		}
	}
	if err := s.checkSame(); err != nil {
		return err
	}
	for _, c := range candidates {
		if c.tar == s.inputs[0].tar {
			s.done = append(s.done, c.Artifact)
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
	sum, err := dist.HashFile(ctx, path)
	return sum == f.SHA256, err
}

// checkSame compares the digests of the tar streams of all inputs.
func (s *tarSet) checkSame() error {
	first := s.inputs[0]
	for _, in := range s.inputs[1:] {
		if in.tar != first.tar {
			return fmt.Errorf("%q and %q hold different tar streams, of sha256 %s and %s: name the right one only", first.path, in.path, first.tar, in.tar)
		}
	}
	return nil
}

// repairSums writes missing or wrong checksum files of finished archives again: a
// run may have been killed between the two.
func (s *tarSet) repairSums() error {
	for _, a := range s.done {
		want := manifests.FormatChecksum(a.SHA256, a.Name)
		if got, err := dist.ReadFile(a.Path+manifests.ChecksumExt, int64(len(want))); err == nil && string(got) == string(want) {
			continue
		}
		if err := dist.WriteFile(a.Path+manifests.ChecksumExt, want); err != nil {
			return s.failed(err)
		}
	}
	return nil
}

// copyTar writes the tar stream, read from the first input, to w.
func (s *tarSet) copyTar(ctx context.Context, w io.Writer) error {
	n, err := s.inputs[0].copyTar(ctx, w)
	if err == nil && n != s.size {
		err = fmt.Errorf("reading %q: got a tar stream of %d bytes, want %d as its headers say", s.inputs[0].path, n, s.size)
	}
	return err
}

// check runs before the archives get their names: all inputs must hold the stream
// of digest tar and be unchanged. It then writes the record. That comes first
// because an entry without its file counts for nothing, while a file without an
// entry would be written again.
func (s *tarSet) check(ctx context.Context, tar manifests.Hash, archives []archive.Artifact) error {
	first := s.inputs[0]
	if !first.tar.IsZero() && first.tar != tar {
		return fmt.Errorf("reading %q: the file changed meanwhile", first.path)
	}
	first.tar, first.tarSize = tar, s.size
	inputs := map[string]recordedFile{}
	for _, in := range s.inputs {
		if err := in.learn(ctx); err != nil {
			return err
		}
		if err := in.unchanged(); err != nil {
			return err
		}
		if !in.sum.IsZero() {
			inputs[filepath.Base(in.path)] = recordedFile{in.info.Size(), in.sum, in.tarSize, in.tar}
		}
	}
	if err := s.checkSame(); err != nil {
		return err
	}
	outputs := map[string]recordedArchive{}
	for i, a := range archives {
		outputs[a.Name] = entryOf(recordedFile{a.Size, a.SHA256, s.size, tar}, s.plan.Archives[i])
	}
	return s.record.add(inputs, outputs)
}

// result describes the archives of s once all formats are there.
func (s *tarSet) result(formats []archive.Format) Result {
	r := Result{Name: s.stem, Inputs: s.inputPaths(), TarSize: s.size, Tar: s.inputs[0].tar}
	all := slices.Concat(s.done, s.written)
	for _, f := range formats {
		i := slices.IndexFunc(all, func(a archive.Artifact) bool { return a.Format == f })
		a := Output{Artifact: all[i], Done: i < len(s.done)}
		for _, in := range s.inputs {
			if in.format == f {
				a.Before = in.info.Size()
			}
		}
		r.Archives = append(r.Archives, a)
	}
	return r
}
