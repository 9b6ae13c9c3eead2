package compose

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"x.go/dist/archive"
	"x.go/manifests"
)

// Event is a step of the work on a file. Steps of several files mix.
type Event struct {
	Doing string // "reading" or "copying"
	Name  string // of the file
	Bytes int64  // since the last event
	Size  int64  // of the file; 0 if it is not known yet
	Done  bool
}

// MakeOptions say how to make a channel of archives.
type MakeOptions struct {
	// Date is the day of publication, YYYY-MM-DD; "" for that of the commit. If it is not
	// known either, Today counts.
	Date, Today string
	// Name is the one by which rustup asks for the channel; "" for all those of the
	// release.
	Name string
	// URL is that of the directory of the archives; "" for Rust's own, whose place any
	// RUSTUP_DIST_SERVER takes.
	URL string
	// AnyRelease takes archives of different releases or commits.
	AnyRelease bool
	// Declared are components that Rust does not have, which the channel must have.
	Declared []manifests.Declaration
	// Progress, if not nil, is called for each step, from several goroutines.
	Progress func(Event)
}

// DefaultURL is that of the directory of archives unless it is told: a flat directory
// serves it as dist.
const DefaultURL = manifests.OfficialServer + "/dist"

// Make makes a channel of the archives in files and directories, as build-manifest
// does. It reads each archive whole: its version and commit, its components and the
// files that it installs. The error joins everything that rustup would trip over.
func Make(ctx context.Context, places []string, o MakeOptions) (*Draft, error) {
	if o.Progress == nil {
		o.Progress = func(Event) {}
	}
	if o.Name != "" && !manifests.IsChannelName(o.Name) {
		return nil, fmt.Errorf("naming the channel %q: rustup asks for stable, beta, nightly or a version such as 1.95.0", o.Name)
	}
	all, err := scan(ctx, places, o.Progress)
	if err != nil {
		return nil, err
	}
	d, err := build(all, o)
	if err != nil {
		return nil, fmt.Errorf("making a channel: %w", err)
	}
	return d, nil
}

// build is Make of archives that were read.
func build(all []stored, o MakeOptions) (*Draft, error) {
	if err := unique(all); err != nil {
		return nil, err
	}
	lead, err := leader(all)
	if err != nil {
		return nil, err
	}
	v, err := manifests.ParseVersion(lead.VersionText, lead.commit)
	if err != nil {
		return nil, fmt.Errorf("archive %q: %w", lead.path, err)
	}
	if !o.AnyRelease {
		if err := oneRelease(all, lead); err != nil {
			return nil, err
		}
	}
	date := cmp.Or(o.Date, v.CommitDate, o.Today)
	plan := manifests.ChannelPlan{
		Version: v, Date: date, URLBase: cmp.Or(o.URL, DefaultURL), Named: lead.Version, Text: lead.VersionText, AnyRelease: o.AnyRelease,
	}
	for _, a := range all {
		plan.Archives = append(plan.Archives, a.ListedArchive)
	}
	c, err := plan.Channel()
	if err != nil {
		return nil, err
	}
	if c, err = c.Declare(o.Declared); err != nil {
		return nil, err
	}
	d := &Draft{Channel: c, Commit: v.CommitHash}
	if err := errors.Join(d.name(o.Name, nil), judge(c, o.AnyRelease), collisions(all, c)); err != nil {
		return nil, err
	}
	d.take(all)
	return d, nil
}

// unique requires one archive for each component, target and format.
func unique(all []stored) error {
	seen := map[string]*stored{}
	var errs []error
	for i := range all {
		a := &all[i]
		key := a.Component.Archive + " " + a.Target.String() + " " + a.Source + " " + string(a.Format)
		if first, ok := seen[key]; ok {
			errs = append(errs, fmt.Errorf("%q and %q are both %s for one place in the channel: leave one out", first.path, a.path, a.Component.Archive))
			continue
		}
		seen[key] = a
	}
	return errors.Join(errs...)
}

// leader returns the archive whose release is the channel's: one of rustc, which makes
// a host.
func leader(all []stored) (*stored, error) {
	for _, name := range []string{"rustc", "rust"} {
		for i := range all {
			if all[i].Component.Archive == name && all[i].Source == "" {
				return &all[i], nil
			}
		}
	}
	return nil, errors.New("there is no archive of rustc, and so no host that could install the channel")
}

// oneRelease requires Rust's own archives to be of one commit, and those that are a part
// of rustc of one version.
func oneRelease(all []stored, lead *stored) error {
	var errs []error
	differs := func(a *stored, what, got, want string) {
		errs = append(errs, fmt.Errorf("%q has %s %.200q, and %q has %.200q: want one release and one commit", a.path, what, got, lead.path, want))
	}
	for i := range all {
		a := &all[i]
		switch {
		case a.layout == nil || a.IsOwn():
		case a.commit != lead.commit:
			differs(a, "commit", a.commit, lead.commit)
		case !a.Component.OwnVersion && a.VersionText != lead.VersionText:
			differs(a, "version", a.VersionText, lead.VersionText)
		}
	}
	return errors.Join(errs...)
}

// judge returns what is wrong with a channel, as an error.
func judge(c *manifests.Channel, anyRelease bool) error {
	findings := slices.DeleteFunc(c.Validate(), func(f manifests.Finding) bool {
		return anyRelease && f.ID == manifests.FindingVersionMismatch
	})
	if len(findings) > 0 {
		return findings
	}
	return nil
}

// collisions returns the paths that archives would install twice into one toolchain. A
// component for a target that is no host is offered to all hosts.
func collisions(all []stored, c *manifests.Channel) error {
	hosts := c.Hosts()
	seen := map[string]bool{}
	var claimants []archive.Claimant
	for _, a := range all {
		if a.layout == nil || a.Component.Package == "" || a.Component.Package == "rust" || seen[a.Stem()] {
			continue
		}
		if _, err := c.Lookup(manifests.ComponentRef{Package: a.Component.Package, Target: a.Target.String()}); err != nil {
			continue
		}
		seen[a.Stem()] = true // its other formats have the same
		claimants = append(claimants, archive.Claimant{
			Layout: a.layout, Name: a.ArchiveName, AnyHost: a.IsOwn() && !slices.Contains(hosts, a.Target.String()),
		})
	}
	var errs []error
	const most = 20
	for _, c := range claimants {
		if own := archive.OwnRecords(c.Layout); len(own) > 0 {
			errs = append(errs, fmt.Errorf("%q of %s is where rustup keeps its own records", own[0], c.Name.Stem()))
		}
	}
	found, _ := archive.Collisions(claimants) // rustup installs what is nested
	for i, text := range found {
		if i == most {
			errs = append(errs, errors.New("and more paths of two components"))
			break
		}
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}

// name chooses the names of the channel, and says so if its release has no such name.
// had are those that it had, for a release that tells none.
func (d *Draft) name(asked string, had []string) error {
	names, named, exact, err := d.Channel.PublicNames()
	switch {
	case asked != "":
		d.Names = []string{asked}
	case err == nil:
		d.Names = names
		if !exact {
			d.note("rustup cannot ask for %.100q: the channel is called %s", named, strings.Join(names, ", "))
		}
	default:
		d.Names = slices.DeleteFunc(slices.Clone(had), func(name string) bool { return !manifests.IsChannelName(name) })
	}
	if len(d.Names) == 0 {
		return fmt.Errorf("naming the channel: rustup cannot ask for version %.100q: choose a name", d.Channel.Packages["rust"].Version)
	}
	return nil
}

// take notes which archives the channel offers, and says which it does not.
func (d *Draft) take(all []stored) {
	offered := map[string]bool{}
	for _, dl := range d.Channel.Downloads() {
		offered[fileOf(dl.URL)] = true
	}
	var left []string
	for _, a := range all {
		if !offered[a.String()] {
			left = append(left, a.String())
			continue
		}
		d.Files = append(d.Files, File{Name: a.String(), Place: a.path, Size: a.size, Hash: a.Hash})
	}
	if len(left) > 0 {
		d.note("no channel of this kind offers %q: left out", left)
	}
}
