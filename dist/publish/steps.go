package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/manifests"
)

// plan lists the steps.
func (p *Plan) plan(ctx context.Context, f files) error {
	put := func(phase Phase, f file) {
		s := Step{Phase: phase, Action: Put, Name: f.name, From: f.path, Size: f.body.Size, SHA256: f.body.Hash, body: f.body}
		if f.elsewhere {
			s.Action = Check
		}
		p.Steps = append(p.Steps, s)
	}
	for _, s := range f.sums {
		put(Sums, s)
	}
	for _, a := range f.archives {
		if !a.elsewhere {
			put(Archives, a)
		}
	}
	for _, a := range f.archives {
		p.Steps = append(p.Steps, Step{Phase: ReadBack, Action: Check, Name: a.name, Size: a.body.Size, SHA256: a.body.Hash, body: a.body})
	}
	for _, base := range slices.SortedFunc(maps.Keys(f.channel), byRank) {
		put(Dated, f.channel[base])
	}
	p.copies(f)
	if err := p.ruleSteps(ctx); err != nil {
		return err
	}
	for _, base := range slices.SortedFunc(maps.Keys(f.channel), p.byName) {
		if slices.Contains(p.Names, nameOf(base, p.source.Names)) {
			c := f.channel[base]
			p.Steps = append(p.Steps, Step{Phase: Channel, Action: Replace, Name: "dist/" + base, From: c.path, Size: c.body.Size, SHA256: c.body.Hash, body: c.body})
		}
	}
	return nil
}

// copies plans the names without day, each archive before its checksum.
func (p *Plan) copies(f files) {
	prefix := "dist/" + p.Date + "/"
	own := slices.DeleteFunc(slices.Concat(f.archives, f.sums), func(f file) bool {
		return !strings.HasPrefix(f.name, prefix) || f.elsewhere
	})
	slices.SortFunc(own, func(a, b file) int { return strings.Compare(a.name, b.name) })
	for _, f := range own {
		p.Steps = append(p.Steps, Step{Phase: Undated, Action: Copy, Name: "dist/" + path.Base(f.name), From: f.name, Size: f.body.Size, SHA256: f.body.Hash, body: f.body})
	}
}

// rank orders the files of one name of a channel: what only people read, the manifest,
// its signatures, its checksum, after which rustup looks at the manifest.
func rank(base string) int {
	switch stem, after, ok := strings.Cut(base, ".toml"); {
	case !ok || strings.HasSuffix(stem, ".txt"):
		return 0
	case after == "":
		return 1
	case after == manifests.ChecksumExt:
		return 3
	}
	return 2
}

// byRank orders files of a day: manifests after what belongs to them, checksums last.
func byRank(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b)) }

// byName orders by the name of the channel, and then by rank: the .sha256 follows its
// manifest at once. The name that most users follow is the last.
func (p *Plan) byName(a, b string) int {
	at := func(base string) int { return slices.Index(p.source.Names, nameOf(base, p.source.Names)) }
	followed := func(base string) int {
		switch nameOf(base, p.source.Names) {
		case "stable", "beta", "nightly":
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(followed(a), followed(b)), cmp.Compare(at(a), at(b)), byRank(a, b))
}

// movingSuffixes follow the name of a channel in the names of files without day: they are
// of the release that the channel offers now. The others of channelSuffixes speak of
// files by their names, which another release may take over, and stay with the day.
var (
	movingSuffixes  = []string{".toml", "-date.txt", "-git-commit-hash.txt"}
	channelSuffixes = append(slices.Clone(movingSuffixes), manifests.ProvenanceExt, manifests.ChecksumsSuffix)
)

// isOf reports whether a file belongs to a name of a channel by one of the suffixes, with
// whatever follows: a checksum, a signature.
func isOf(base, name string, suffixes []string) bool {
	rest, ok := strings.CutPrefix(base, channelPrefix+name)
	return ok && slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasPrefix(rest, suffix) })
}

// nameOf returns the name of the channel that a file without day belongs to: the longest
// that fits.
func nameOf(base string, names []string) string {
	best := ""
	for _, name := range names {
		if isOf(base, name, movingSuffixes) && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// list plans the lines of manifests.txt.
func (p *Plan) list(ctx context.Context) error {
	text, _, err := p.store.Load(ctx, listingName, manifests.MaxListing)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	public := publicName(p.options.PublicURL, string(text))
	if public == "" {
		p.Notes = append(p.Notes, "no manifests.txt is written: the store's public URL is not known")
		return nil
	}
	for _, name := range p.source.Names {
		p.listed = append(p.listed, public+"/dist/"+p.Date+"/"+path.Base(channelFile(name)))
	}
	slices.Sort(p.listed)
	_, missing := appendLines(string(text), p.listed)
	p.Steps = append(p.Steps, Step{Phase: Listing, Action: Append, Name: listingName, Present: !missing})
	return nil
}

// present notes what the store has already, by size: what it holds is read later.
func (p *Plan) present(ctx context.Context) error {
	var missing []error
	for i := range p.Steps {
		s := &p.Steps[i]
		switch s.Action {
		case Put, Copy:
			a, err := p.store.Stat(ctx, s.Name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			s.Present = err == nil && a.Size == s.Size && (a.Hash.IsZero() || a.Hash == s.SHA256)
		case Replace:
			text, _, err := p.store.Load(ctx, s.Name, manifests.MaxChannel)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			s.Present = err == nil && manifests.HashOf(text) == s.SHA256
		case Check:
			if s.Phase != ReadBack || s.body.Open != nil {
				continue
			}
			if _, err := p.store.Stat(ctx, s.Name); errors.Is(err, fs.ErrNotExist) {
				missing = append(missing, fmt.Errorf("%q is neither in the directory nor in the store", s.Name))
			} else if err != nil {
				return err
			}
		}
	}
	const most = 20
	if len(missing) > most {
		missing = append(missing[:most], fmt.Errorf("and %d more", len(missing)-most))
	}
	if len(missing) > 0 {
		return errors.Join(missing...)
	}
	return p.copied(ctx)
}

// copied settles which names without day have their content. A size alone says little of
// an archive: its checksum, which was copied after it, says more. Names of a channel that
// stays where it is are kept.
func (p *Plan) copied(ctx context.Context) error {
	sums := map[string]bool{} // by name, whether the store's is the one wanted
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Phase != Undated || !strings.HasSuffix(s.Name, manifests.ChecksumExt) {
			continue
		}
		text, _, err := p.store.Load(ctx, s.Name, maxSmall)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.Present = err == nil && (manifests.HashOf(text) == s.SHA256 || len(p.Held) > 0)
		sums[s.Name] = s.Present
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if ok, has := sums[s.Name+manifests.ChecksumExt]; s.Phase == Undated && has {
			s.Present = ok && (s.Present || len(p.Held) > 0)
		}
	}
	return nil
}
