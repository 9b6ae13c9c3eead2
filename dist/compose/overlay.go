package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"x.go/manifests"
)

// OverlayOptions say how to lay archives over a channel.
type OverlayOptions struct {
	MergeOptions
	// Date is the day of publication, YYYY-MM-DD; "" for that of the base.
	Date string
	// Part is what to take of the base.
	Part manifests.Selection
	// Replace has archives of one's own replace what the base has for the same component
	// and target. Otherwise that is an error, unless both are equal.
	Replace bool
	// Redirect leaves the archives of the base where they are, for which the draft has
	// rules. Otherwise they are copied.
	Redirect bool
	// Upstream is the URL of the directory above dist that has the archives of the base,
	// where the place of the base does not tell.
	Upstream string
}

// Overlay lays the archives in files and directories over a channel, the base, such as
// Rust's own: components and targets that it does not have, for all of its hosts, or
// hosts of one's own. They must be of the base's release and commit.
func Overlay(ctx context.Context, base *Source, places []string, o OverlayOptions) (*Draft, error) {
	all, err := scan(ctx, places, o.progress())
	if err != nil {
		return nil, err
	}
	part, err := base.Channel.Subset(o.Part)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", manifests.Redact(base.Place), err)
	}
	if o.Date != "" {
		part.Date = o.Date
	}
	l := layer{base: &Source{Place: base.Place, Names: base.Names, Channel: part}, options: o, all: all, files: map[string]File{}}
	d, err := l.draft(ctx, base.Channel.Date)
	if err != nil {
		return nil, fmt.Errorf("laying archives over channel %q: %w", manifests.Redact(base.Place), err)
	}
	return d, nil
}

// layer is the state of one [Overlay].
type layer struct {
	base    *Source
	options OverlayOptions
	all     []stored // archives of one's own
	files   map[string]File
	notes   []string
}

// draft is Overlay of what was read. date is that of the base.
func (l *layer) draft(ctx context.Context, date string) (*Draft, error) {
	if err := errors.Join(unique(l.all), l.sameRelease()); err != nil {
		return nil, err
	}
	if err := l.replace(); err != nil {
		return nil, err
	}
	own, err := l.own()
	if err != nil {
		return nil, err
	}
	var rules ruleSet
	var below *manifests.Channel
	if l.options.Redirect {
		below, rules, err = l.base.delegate(l.options.Upstream)
	} else {
		below, err = l.base.gather(ctx, l.options.MergeOptions, l.files)
	}
	if err != nil {
		return nil, err
	}
	merged, err := below.Merge(own, manifests.MergeOptions{AnyRelease: l.options.AnyRelease})
	if err != nil {
		return nil, err
	}
	if merged, err = merged.Declare(l.options.Declared); err != nil {
		return nil, err
	}
	if err := l.keepFiles(merged); err != nil {
		return nil, err
	}
	files := l.files
	if l.options.Redirect {
		files = l.base.atHand()
	}
	note, err := disjoint(ctx, merged, l.all, files, l.options.progress())
	if err != nil {
		return nil, err
	}
	d, err := draft(merged, l.base.Names, l.files, l.options.MergeOptions)
	if err != nil {
		return nil, err
	}
	if d.Notes = append(d.Notes, l.notes...); note != "" {
		d.Notes = append(d.Notes, note)
	}
	d.take(l.all)
	slices.SortFunc(d.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	d.note("signatures of the base do not fit this channel: sign it with x channel sign")
	if l.options.Redirect {
		d.Redirects, err = rules.forChannel(d.Names, date, merged.Date)
	}
	return d, err
}

// lead is the base as an archive whose release is the channel's.
func (l *layer) lead() *stored {
	rust := l.base.Channel.Packages["rust"]
	lead := &stored{path: manifests.Redact(l.base.Place), commit: rust.CommitHash}
	lead.VersionText = rust.Version
	for i := range l.all { // of a base that does not tell, all must be of one commit
		if a := &l.all[i]; lead.commit == "" && a.layout != nil && !a.IsOwn() {
			lead.commit = a.commit
		}
	}
	return lead
}

// sameRelease requires Rust's own components to be of the release of the base.
func (l *layer) sameRelease() error {
	if l.options.AnyRelease {
		return nil
	}
	if err := oneRelease(l.all, l.lead()); err != nil {
		return fmt.Errorf("%w (--any-release takes others)", err)
	}
	return nil
}

// replace takes out of the base what archives of one's own have in its place, and drops
// archives that are equal to the base's.
func (l *layer) replace() error {
	type place struct{ pkg, target string }
	equal, other := map[place]bool{}, map[place]string{}
	l.all = slices.DeleteFunc(l.all, func(a stored) bool {
		at := place{a.Component.Package, targetKey(a)}
		t, ok := l.base.Channel.Packages[at.pkg].Targets[at.target]
		if !ok || !t.Available || a.Source != "" {
			return false
		}
		if t.Download(a.Format).Hash == a.Hash {
			equal[at] = true
			return true
		}
		other[at] = a.path
		return false
	})
	var refs []manifests.ComponentRef
	var errs []error
	var names []string
	for at, path := range other {
		if equal[at] {
			continue // another format of the same
		}
		ref := manifests.ComponentRef{Package: at.pkg, Target: at.target}
		refs, names = append(refs, ref), append(names, ref.String())
		errs = append(errs, fmt.Errorf("%q: the base has another archive of %s", path, ref))
	}
	if len(l.all) == 0 {
		return errors.New("the base has all of the archives already")
	}
	if len(refs) > 0 && !l.options.Replace {
		slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return fmt.Errorf("%w: leave it out, or say --replace", errors.Join(errs...))
	}
	if slices.Sort(names); len(names) > 0 {
		l.notes = append(l.notes, "replaced in the base: "+strings.Join(names, ", "))
	}
	l.base.Channel = l.base.Channel.WithoutArchives(refs)
	return nil
}

// targetKey is the target of an archive as a channel has it.
func targetKey(a stored) string {
	if a.Target.IsZero() {
		return manifests.AnyTarget
	}
	return a.Target.String()
}

// own makes a channel of the archives of one's own, as a part of the base's release.
func (l *layer) own() (*manifests.Channel, error) {
	rust := l.base.Channel.Packages["rust"]
	v, err := manifests.ParseVersion(rust.Version, rust.CommitHash)
	if err != nil {
		return nil, fmt.Errorf("reading its release: %w", err)
	}
	plan := manifests.ChannelPlan{
		Version: v, Date: l.base.Channel.Date, URLBase: l.options.base(), Named: l.base.Channel.ArchiveVersion(), Text: rust.Version,
		AnyRelease: l.options.AnyRelease,
	}
	for _, a := range l.all {
		plan.Archives = append(plan.Archives, a.ListedArchive)
	}
	return plan.Channel()
}

// keepFiles drops the files that the channel does not name any more, and requires one
// file for one name: the channel's own server has both below dist.
func (l *layer) keepFiles(c *manifests.Channel) error {
	own := map[string]*stored{}
	for i := range l.all {
		own[l.all[i].String()] = &l.all[i]
	}
	var errs []error
	named := map[string]bool{}
	for key, d := range c.Downloads() {
		name := fileOf(d.URL)
		named[name] = true
		if a, ok := own[name]; ok && a.Hash != d.Hash {
			errs = append(errs, fmt.Errorf("%s: the base has %q, of sha256 %s, and %q has %s: want one file for one name", key, name, d.Hash, a.path, a.Hash))
		}
	}
	maps.DeleteFunc(l.files, func(name string, _ File) bool { return !named[name] || own[name] != nil })
	return errors.Join(errs...)
}
