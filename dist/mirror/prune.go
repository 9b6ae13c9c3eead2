package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"x.go/dist/store"
	"x.go/manifests"
)

// Retention says what of a store stays. What any of the rules keeps stays.
type Retention struct {
	// Days keeps the directories of so many days before Now; 0 is no rule.
	Days int
	Now  time.Time
	// Newest keeps so many days of each of the channels stable, beta and nightly; 0 is no
	// rule.
	Newest int
	// Versions keeps releases (1.95.0, 1.95) and days (nightly-2026-04-16).
	Versions []string
}

// Validate returns what is wrong with a rule, all at once.
func (r Retention) Validate() error {
	var errs []error
	for _, n := range []int{r.Days, r.Newest} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("got a rule that keeps %d, want 0 or more", n))
		}
	}
	for _, v := range r.Versions {
		_, _, err := parseToolchain(v)
		errs = append(errs, err)
	}
	if r.Days == 0 && r.Newest == 0 && len(r.Versions) == 0 {
		errs = append(errs, errors.New("got no rule of what stays: --keep-days, --newest or --keep-versions"))
	}
	return errors.Join(errs...)
}

// Prune is what a retention rule takes out of a store.
type Prune struct {
	// Store is the place.
	Store string `json:"store"`
	// Kept and Gone are the days of the directories that stay, and of those that go.
	Kept []Day `json:"kept"`
	Gone []Day `json:"gone"`
	// Manifests are the names that go first: manifests and what belongs to them. Files
	// are the others.
	Manifests []string `json:"manifests"`
	Files     []string `json:"files"`
	// Bytes is the size of all that goes.
	Bytes int64 `json:"bytes"`
	// Left are names in directories that go, which are not of the layout: they stay.
	Left []string `json:"left"`

	store *store.Store
	seen  map[string]store.Version // of the undated manifests, when this was planned
}

// Day is a directory of dist.
type Day struct {
	Date string `json:"date"`
	// Channels are what it has manifests of.
	Channels []string `json:"channels"`
	// Why says what keeps it; "" for one that goes.
	Why string `json:"why,omitempty"`
	// Files and Bytes are what is in it.
	Files int   `json:"files"`
	Bytes int64 `json:"bytes"`

	names []string
}

// pruner plans.
type pruner struct {
	Retention
	store *store.Store
	plan  *Prune
	days  map[string]*Day
	root  []store.Object              // files directly in dist
	named map[string][]storedManifest // by day; undated ones by ""
}

// PlanPrune says what a retention rule takes out of a store. A directory of a day that
// is outside of the rule goes, unless a manifest that stays names files in it. The
// channels stable, beta and nightly stay; a version stays with its day.
func PlanPrune(ctx context.Context, s *store.Store, r Retention) (*Prune, error) {
	p := pruner{Retention: r, store: s, days: map[string]*Day{}, named: map[string][]storedManifest{},
		plan: &Prune{Store: s.String(), Kept: []Day{}, Gone: []Day{}, Manifests: []string{}, Files: []string{}, Left: []string{}, store: s, seen: map[string]store.Version{}}}
	if err := p.run(ctx); err != nil {
		return nil, fmt.Errorf("planning what to prune in %q: %w", s, err)
	}
	return p.plan, nil
}

func (p *pruner) run(ctx context.Context) error {
	if err := p.Validate(); err != nil {
		return err
	}
	if err := p.list(ctx); err != nil {
		return err
	}
	if len(p.root) == 0 && len(p.days) == 0 {
		return errors.New("nothing is there: name what is above dist")
	}
	p.attribute()
	p.byRule()
	kept := p.byReference()
	p.collect(kept)
	return nil
}

// list reads the names of dist, and all manifests.
func (p *pruner) list(ctx context.Context) error {
	for o, err := range p.store.List(ctx, distDir) {
		if err != nil {
			return err
		}
		rest := strings.TrimPrefix(o.Name, distDir)
		day, _, dated := strings.Cut(rest, "/")
		switch {
		case !dated:
			p.root = append(p.root, o)
		case isDay(day):
			d := p.days[day]
			if d == nil {
				d = &Day{Date: day, Channels: []string{}}
				p.days[day] = d
			}
			d.Files++
			d.Bytes += o.Size
			d.names = append(d.names, o.Name)
		}
		if _, _, ok := parseManifestName(o.Name); !ok || o.Type != 0 {
			continue
		}
		m, err := readStored(ctx, p.store, o.Name)
		if err != nil {
			return fmt.Errorf("%w: mend or remove it first: what it names is not known", err)
		}
		p.named[m.day] = append(p.named[m.day], m)
		if m.day == "" {
			if _, p.plan.seen[o.Name], err = p.store.Load(ctx, o.Name, manifests.MaxChannel); err != nil {
				return err
			}
		}
	}
	return nil
}

// moves reports whether a channel is not a release for ever.
func moves(channel string) bool { return channel == "" || channel[0] < '0' || channel[0] > '9' }

// attribute notes which channels each day has. A mirror without dated manifests has them
// of its undated ones.
func (p *pruner) attribute() {
	add := func(day, channel string) {
		if d := p.days[day]; d != nil && channel != "" && !slices.Contains(d.Channels, channel) {
			d.Channels = append(d.Channels, channel)
		}
	}
	for _, group := range p.named {
		for _, m := range group {
			day := cmp.Or(m.day, m.content.Date)
			_, channel := m.release()
			add(day, m.channel)
			add(day, channel)
		}
	}
	for _, d := range p.days {
		slices.Sort(d.Channels)
	}
}

// byRule keeps days by the rules alone.
func (p *pruner) byRule() {
	order := slices.Sorted(maps.Keys(p.days))
	slices.Reverse(order)
	count := map[string]int{}
	limit := p.Now.UTC().AddDate(0, 0, -p.Days).Format(time.DateOnly)
	for _, day := range order {
		d := p.days[day]
		if p.Days > 0 && day > limit {
			d.keep(fmt.Sprintf("within %d days", p.Days))
		}
		for _, channel := range d.Channels {
			if count[channel]++; moves(channel) && count[channel] <= p.Newest {
				d.keep(fmt.Sprintf("one of the newest of %s", channel))
			}
			if slices.Contains(p.Versions, channel) || slices.Contains(p.Versions, channel+"-"+day) {
				d.keep("a version to keep")
			}
		}
		for _, m := range p.named[day] {
			if version, _ := m.release(); slices.Contains(p.Versions, version) {
				d.keep("a version to keep")
			}
		}
	}
	for _, m := range p.named[""] {
		version, _ := m.release()
		if d := p.days[m.content.Date]; d != nil && (slices.Contains(p.Versions, version) || slices.Contains(p.Versions, m.channel)) {
			d.keep("a version to keep")
		}
	}
	if len(order) > 0 && len(p.days[order[0]].Channels) == 0 {
		p.days[order[0]].keep("the newest, and without a manifest: it may not be complete yet")
	}
}

// keep notes the first reason to keep a day.
func (d *Day) keep(why string) {
	if d.Why == "" {
		d.Why = why
	}
}

// byReference keeps the days that have files of manifests that stay, and returns these
// manifests: the channels that move, the versions that are kept or whose day is, and all
// of the days that stay.
func (p *pruner) byReference() []storedManifest {
	var kept []storedManifest
	taken := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for _, group := range p.named {
			for _, m := range group {
				if taken[m.name] || !p.stays(m) {
					continue
				}
				taken[m.name], changed = true, true
				kept = append(kept, m)
				for _, f := range m.files {
					if d := p.days[path.Base(path.Dir(f.name))]; d != nil {
						d.keep(fmt.Sprintf("%s names its files", m.name))
					}
				}
			}
		}
	}
	return kept
}

// stays reports whether a manifest is kept, as far as is known.
func (p *pruner) stays(m storedManifest) bool {
	version, _ := m.release()
	if m.day == "" && (moves(m.channel) || slices.Contains(p.Versions, m.channel) || slices.Contains(p.Versions, version)) {
		return true
	}
	d := p.days[cmp.Or(m.day, m.content.Date)]
	return d != nil && d.Why != ""
}

// collect makes the plan. kept are the manifests that stay.
func (p *pruner) collect(kept []storedManifest) {
	stay, keep := map[string]bool{}, map[string]bool{}
	for _, m := range kept {
		stay[m.name] = true
		for _, f := range m.files {
			keep[path.Base(f.name)] = true
		}
	}
	gone := map[string]bool{} // base names
	named := map[string]bool{}
	for _, group := range p.named {
		for _, m := range group {
			for _, f := range m.files {
				named[f.name] = true
				if !stay[m.name] {
					gone[path.Base(f.name)] = true
				}
			}
		}
	}
	for _, day := range slices.Sorted(maps.Keys(p.days)) {
		d := p.days[day]
		if d.Why != "" {
			p.plan.Kept = append(p.plan.Kept, *d)
			for _, name := range d.names { // of which dist may have the copy
				of, _ := cutSide(name)
				keep[path.Base(of)] = true
			}
			continue
		}
		p.plan.Gone = append(p.plan.Gone, *d)
		for _, name := range d.names {
			of, _ := cutSide(name)
			switch base := path.Base(name); {
			case isManifestFile(base) || isStatement(path.Base(of)):
				p.plan.Manifests = append(p.plan.Manifests, name)
			case isLayout(base) || named[of]:
				gone[path.Base(of)] = true
				p.plan.Files = append(p.plan.Files, name)
			default:
				p.plan.Left = append(p.plan.Left, name)
				continue
			}
		}
		p.plan.Bytes += d.Bytes
	}
	p.undated(stay, keep, gone)
	slices.SortStableFunc(p.plan.Manifests, byRemoval)
}

// undated plans the files directly in dist: those of versions that go, and copies of
// files that go, unless something that stays has the name, too.
func (p *pruner) undated(stay, keep, gone map[string]bool) {
	var stems []string
	for _, m := range p.named[""] {
		if !stay[m.name] {
			stems = append(stems, strings.TrimSuffix(m.name, manifestExt))
		}
	}
	for _, o := range p.root {
		of, _ := cutSide(o.Name)
		base := path.Base(of)
		isGone := gone[base] && !keep[base]
		for _, stem := range stems {
			rest, ok := strings.CutPrefix(of, stem)
			isGone = isGone || ok && (rest == "" || slices.Contains(manifestSuffixes, rest))
		}
		if !isGone {
			continue
		}
		p.plan.Bytes += o.Size
		if isManifestFile(base) {
			p.plan.Manifests = append(p.plan.Manifests, o.Name)
		} else {
			p.plan.Files = append(p.plan.Files, o.Name)
		}
	}
}

// byRemoval is the order in which manifests go: what rustup reads first goes first, so
// that it never sees a checksum without its manifest, and statements before what they
// name. Undated ones go before those of days.
func byRemoval(a, b string) int {
	rank := func(name string) int {
		of, _ := cutSide(path.Base(name))
		n := 3 * strings.Count(name, "/")
		switch {
		case isStatement(of):
			return n
		case strings.HasSuffix(name, manifestExt+manifests.ChecksumExt):
			return n + 1
		}
		return n + 2
	}
	return cmp.Compare(rank(a), rank(b))
}

// deleteJobs is how many files are deleted at a time.
const deleteJobs = 16

// Run deletes what was planned: manifests, their lines in manifests.txt, then files. So
// nobody finds a manifest that names what is gone. A run that was killed is completed by
// another plan. It is an error if a channel has changed since the plan was made. deleted
// is called for one name at a time.
func (p *Prune) Run(ctx context.Context, deleted func(name string)) error {
	if err := p.run(ctx, deleted); err != nil {
		return fmt.Errorf("pruning %q: %w", p.Store, err)
	}
	return nil
}

func (p *Prune) run(ctx context.Context, deleted func(name string)) error {
	if deleted == nil {
		deleted = func(string) {}
	}
	for name, planned := range p.seen {
		if _, now, err := p.store.Load(ctx, name, manifests.MaxChannel); err != nil || now != planned {
			return errors.Join(fmt.Errorf("%q has changed since this was planned: plan again", name), err)
		}
	}
	for _, name := range p.Manifests {
		if err := p.store.Delete(ctx, name); err != nil {
			return err
		}
		deleted(name)
	}
	days := map[string]bool{}
	for _, d := range p.Gone {
		days[d.Date] = true
	}
	if len(days) > 0 {
		if err := editList(ctx, p.store, func(day, _ string) bool { return days[day] }, nil); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(deleteJobs)
	for _, name := range p.Files {
		g.Go(func() error {
			if err := p.store.Delete(ctx, name); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			deleted(name)
			return nil
		})
	}
	return g.Wait()
}
