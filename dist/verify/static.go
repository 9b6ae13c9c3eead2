package verify

import (
	"context"
	"slices"
	"sync"

	"x.go/dist/archive"
	"x.go/manifests"
)

// archiveReader reads the archives once, for all groups: static judges them, trees
// are unpacked from them, and channels take their digests.
type archiveReader struct {
	*run
	plans []plan // of the trees to unpack
}

// read reads the archives, several at once: for the static checks all of them,
// else only those to unpack.
func (g archiveReader) read(ctx context.Context) error {
	if len(g.plans) > 0 {
		if err := g.needWorkspace(); err != nil {
			return err
		}
	}
	dirs := map[string]string{} // to unpack to, by path of the archive
	for _, p := range g.plans {
		for _, f := range p.files {
			if _, ok := dirs[f.path]; !ok {
				dirs[f.path] = unpackedDir(len(dirs))
			}
		}
	}
	var todo []archiveFile
	for _, f := range g.in.archives {
		if _, unpack := dirs[f.path]; unpack || g.opts.has(Static) {
			todo = append(todo, f)
		}
	}
	scans := make([]*scanned, len(todo))
	errs := make([]error, len(todo))
	var wg sync.WaitGroup
	slots := make(chan struct{}, g.opts.Jobs)
	for i, f := range todo {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			var out archive.Sink
			if dir, ok := dirs[f.path]; ok {
				out = g.work.unpackSink(dir)
			}
			scans[i], errs[i] = scan(ctx, f, g.opts.Limits, g.progress, out)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			return err
		}
		scans[i].dir = dirs[scans[i].path]
		g.addPack(scans[i])
	}
	return nil
}

// addPack judges one archive.
func (g archiveReader) addPack(a *scanned) {
	p := pack{scanned: a}
	var err error
	if p.name, err = manifests.ParseArchiveName(a.file); err != nil {
		// A component of others, which rustup installs like Rust's own, or a version
		// that rustup cannot name.
		p.name, err = manifests.FindName(a.file, manifests.ReadComponentNames(a.Texts[manifests.ComponentsFile], func(manifests.ListProblem) {}))
		if p.foreign = err == nil && p.name.IsOwn(); p.foreign {
			a.subject.notef(archiveFileName, "%q is no component of Rust", p.name.Component.Archive)
		}
	}
	if p.known = err == nil; !p.known {
		a.subject.failf(archiveFileName, "%v", err)
	}
	p.Layout = checkArchive(a, p.name)
	g.packs = append(g.packs, p)
	g.digest[a.path] = a
	if g.opts.has(Static) {
		checkChecksum(a.subject, archiveChecksum, a.path, a.file, a.Digest)
		g.in.check(a.path + ".sha256")
	}
}

// staticGroup judges the archives as files, alone and against each other.
type staticGroup struct{ *run }

func (g staticGroup) verify(context.Context) error {
	var scans []*scanned
	for _, p := range g.packs {
		g.add(p.subject)
		scans = append(scans, p.scanned)
		g.report.Archives = append(g.report.Archives, archiveRow(p))
	}
	var first []pack // one format of each archive
	for _, group := range byStem(scans) {
		g.add(checkFormats(group)...)
		i := slices.IndexFunc(g.packs, func(p pack) bool { return p.scanned == group[0] })
		first = append(first, g.packs[i])
	}
	g.add(checkOwners(first)...)
	g.add(checkCombined(first)...)
	g.add(checkVersions(first)...)
	for _, p := range plans(g.in.archives) {
		g.add(checkOwnLibraries(g.packs, p))
	}
	return nil
}

// archiveRow is a row of the report's table.
func archiveRow(p pack) Archive {
	return Archive{
		Name: p.file, Size: p.Size, Unpacked: p.Unpacked, Members: len(p.Members), SHA256: p.Digest.String(),
		Memory: p.Container.Memory, Version: string(p.Texts["version"]), Components: p.Components,
		Status: worst(p.subject.checks()),
	}
}
