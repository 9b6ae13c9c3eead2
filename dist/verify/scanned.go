package verify

import (
	"context"
	"os"

	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/linkage"
	"x.go/dist/source"
	"x.go/manifests"
)

// scanned is an archive after one pass over it.
type scanned struct {
	*archive.Facts
	archiveFile // as its name has it
	subject     *subject
	dir         string // where its files were unpacked to; empty if they were not
	// elf describes its ELF files, as far as they need libraries, by their paths below
	// the top directory.
	elf map[string]linkage.Info
	// source is what an archive of Rust's sources holds; nil for other archives.
	source *source.Listing
}

// scan reads one archive. What is wrong with it becomes findings; the error is
// only for a canceled context and for trouble with the machine, such as a full
// disk under the sink.
func scan(ctx context.Context, f archiveFile, limits archive.Limits, progress func(Event), out archive.Sink) (*scanned, error) {
	a := &scanned{archiveFile: f, elf: map[string]linkage.Info{}, subject: newSubject(f.file, archiveFileName, archiveReadable, archiveFormat, archiveStream, archiveTrailing, archiveFilter, archiveMemory, archiveLimits)}
	if info, err := os.Stat(f.path); err == nil {
		progress(Event{Group: Static, Subject: f.file, Size: info.Size()}) // the scan may be long before its first byte
	}
	sink := elfSink(out, a.elf)
	bare := isSource(f.file)
	if bare {
		a.source = source.NewListing()
		sink, limits = sourceSink(a.source), sourceLimits(limits)
	}
	facts, err := archive.Scan(ctx, f.path, archive.ScanOptions{
		Limits: limits, Sink: sink, Texts: []string{manifests.BuildRecordFile}, Symlinks: bare,
		Progress: func(read, size int64) {
			progress(Event{Group: Static, Subject: f.file, Bytes: read, Size: size})
		},
	})
	if err != nil {
		return nil, err
	}
	a.Facts = facts
	a.subject.stop()
	progress(Event{Group: Static, Subject: f.file, Size: facts.Size, Done: true})
	if facts.Format != "" {
		a.subject.notef(archiveMemory, "%s", dist.FormatBytes(facts.Container.Memory))
		if facts.Format != a.format {
			a.subject.failf(archiveFormat, "got %s data in a file named %s", facts.Format, a.format.Ext())
		}
	}
	return a, nil
}

// report turns problems into findings of the checks named like their kinds, as
// far as the archive is held to those.
func (s *subject) report(p archive.Problems, holds func(check string) bool) {
	for _, q := range p.List {
		if check := archiveCheck(q.Kind); holds(check) {
			s.failf(check, "%s", q.Detail)
		}
	}
	for kind, n := range p.More {
		if check := archiveCheck(kind); holds(check) {
			s.declare(check).more += n
		}
	}
}

// archiveCheck is the name of the check that finds problems of a kind.
func archiveCheck(k archive.ProblemKind) string { return archivePrefix + string(k) }
