package publish

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"x.go/dist/channel"
	"x.go/dist/store"
	"x.go/manifests"
)

// WithdrawOptions say what to take back.
type WithdrawOptions struct {
	// Channel is the name of the channel, such as "stable".
	Channel string
	// To is the day whose release comes back; empty means the last before the one that is
	// offered.
	To string
}

// Withdrawal is a plan to take a release back. Its dated files stay, and so does
// manifests.txt, which lists them.
type Withdrawal struct {
	Store string `json:"store"`
	// From and To describe the release that goes and the one that comes back.
	From string `json:"from"`
	To   string `json:"to"`
	// Names are those of the channel that go back; Removed are those that had no other
	// release, such as the number of the one that goes.
	Names   []string `json:"names"`
	Removed []string `json:"removed,omitempty"`
	// Gone are components that only the release has that goes: who has installed one must
	// remove it to update.
	Gone  []string `json:"gone,omitempty"`
	Steps []Step   `json:"steps"`

	store   *store.Store
	offered map[string]offer
}

// NewWithdrawal plans to take a release back. It is an error if there is none before it,
// or if a file of that one is missing.
func NewWithdrawal(ctx context.Context, s *store.Store, o WithdrawOptions) (*Withdrawal, error) {
	w := &Withdrawal{Store: s.String(), store: s, offered: map[string]offer{}}
	if err := w.make(ctx, o); err != nil {
		return nil, fmt.Errorf("planning to withdraw %q: %w", o.Channel, err)
	}
	return w, nil
}

func (w *Withdrawal) make(ctx context.Context, o WithdrawOptions) error {
	if err := store.CheckName(channelFile(o.Channel)); err != nil || strings.Contains(o.Channel, "/") {
		return errors.New("want the name of a channel, such as stable")
	}
	p := &Plan{store: w.store}
	now, err := p.load(ctx, channelFile(o.Channel))
	if err != nil {
		return err
	}
	if now.channel == nil {
		return fmt.Errorf("%q is not in the store", channelFile(o.Channel))
	}
	names, err := w.names(ctx)
	if err != nil {
		return err
	}
	back := now
	if torn, err := w.torn(ctx, o.Channel, now); err != nil {
		return err
	} else if !torn && now.channel.Date != o.To {
		if back, err = w.earlier(ctx, names, o, now.channel); err != nil {
			return err
		}
	}
	w.From, w.To = describe(now.channel), describe(back.channel)
	for _, c := range lost(now.channel, back.channel) {
		w.Gone = append(w.Gone, c.String())
	}
	if err := w.whole(ctx, back.channel); err != nil {
		return err
	}
	if err := w.files(ctx, names, back.channel.Date); err != nil {
		return err
	}
	return w.channels(ctx, p, names, o.Channel, now, back)
}

// torn reports whether a manifest is not that of its checksum: a run was killed between
// the two. What is left is to finish, and not to go back once more.
func (w *Withdrawal) torn(ctx context.Context, name string, now offer) (bool, error) {
	sum, _, err := w.store.Load(ctx, channelFile(name)+manifests.ChecksumExt, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	h, _, err := manifests.ParseChecksum(sum)
	return err != nil || h != manifests.HashOf(now.text), nil
}

// names lists what is in dist.
func (w *Withdrawal) names(ctx context.Context) (map[string]store.Object, error) {
	out := map[string]store.Object{}
	for o, err := range w.store.List(ctx, "dist/") {
		if err != nil {
			return nil, err
		}
		if o.Type == 0 {
			out[o.Name] = o
		}
	}
	return out, nil
}

// datedName is the name of a manifest of a day.
func datedName(date, name string) string { return "dist/" + date + "/" + path.Base(channelFile(name)) }

// dates returns the days that have a manifest of a channel, the last first.
func dates(names map[string]store.Object, name string) []string {
	var out []string
	for at := range names {
		date := path.Base(path.Dir(at))
		if channel.IsDated(date) && at == datedName(date, name) {
			out = append(out, date)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

// earlier reads the release that comes back.
func (w *Withdrawal) earlier(ctx context.Context, names map[string]store.Object, o WithdrawOptions, now *manifests.Channel) (offer, error) {
	p := &Plan{store: w.store}
	for _, date := range dates(names, o.Channel) {
		if o.To != "" && date != o.To || o.To == "" && date >= now.Date {
			continue
		}
		back, err := p.load(ctx, datedName(date, o.Channel))
		if err != nil {
			return offer{}, err
		}
		sum, _, err := w.store.Load(ctx, datedName(date, o.Channel)+manifests.ChecksumExt, maxSmall)
		if err != nil {
			return offer{}, err
		}
		if h, _, err := manifests.ParseChecksum(sum); err != nil || h != manifests.HashOf(back.text) {
			return offer{}, fmt.Errorf("%q does not have the digest of its %s", datedName(date, o.Channel), manifests.ChecksumExt)
		}
		return back, nil
	}
	if o.To != "" {
		return offer{}, fmt.Errorf("the store has no %q: got the days %s", datedName(o.To, o.Channel), shorten(dates(names, o.Channel)))
	}
	return offer{}, fmt.Errorf("the store has no release of it before that of %s", now.Date)
}

// whole requires the files of a release to be there.
func (w *Withdrawal) whole(ctx context.Context, c *manifests.Channel) error {
	rules, err := channel.ReadRedirects(w.store.FS(ctx))
	if err != nil {
		return err
	}
	for key, d := range c.Downloads() {
		name, ok := strings.CutPrefix(d.URL, manifests.OfficialServer+"/")
		if !ok {
			continue // on another server
		}
		_, redirected := channel.RedirectFor(rules, name)
		if _, err := w.store.Stat(ctx, name); err != nil && !(redirected && errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("the release of %s is not whole: %s: %w", c.Date, key, err)
		}
	}
	return nil
}

// files plans the copies without day: those of the release that comes back.
func (w *Withdrawal) files(ctx context.Context, names map[string]store.Object, date string) error {
	prefix := "dist/" + date + "/"
	for name, o := range names {
		base, ok := strings.CutPrefix(name, prefix)
		if !ok || strings.HasPrefix(base, channelPrefix) {
			continue
		}
		w.Steps = append(w.Steps, Step{Phase: Undated, Action: Copy, Name: "dist/" + base, From: name, Size: o.Size})
	}
	slices.SortFunc(w.Steps, func(a, b Step) int { return strings.Compare(a.Name, b.Name) })
	return ctx.Err()
}

// channels plans the names of the channel that offer the release that goes: each goes
// back to what it was on the day, or before it, and a name of that release alone goes.
func (w *Withdrawal) channels(ctx context.Context, p *Plan, names map[string]store.Object, main string, now, back offer) error {
	var all []string
	for at := range names {
		if name, ok := strings.CutSuffix(path.Base(at), ".toml"); ok && path.Dir(at) == "dist" {
			if name, ok := strings.CutPrefix(name, channelPrefix); ok {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	all = append(slices.DeleteFunc(all, func(n string) bool { return n == main }), main) // the last
	for _, name := range all {
		o, err := p.load(ctx, channelFile(name))
		if err != nil {
			return err
		}
		if text := string(o.text); text != string(now.text) && text != string(back.text) {
			continue // of another release
		}
		w.offered[channelFile(name)] = o
		day := slices.IndexFunc(dates(names, name), func(date string) bool { return date <= back.channel.Date })
		if day < 0 {
			w.Removed = append(w.Removed, name)
			w.remove(names, name)
			continue
		}
		w.Names = append(w.Names, name)
		if err := w.restore(ctx, names, name, dates(names, name)[day]); err != nil {
			return err
		}
	}
	return nil
}

// ofName returns the files of a name of a channel in a directory, in the order in which
// they are written.
func ofName(names map[string]store.Object, dir, name string) []string {
	var out []string
	for at := range names {
		if base, ok := strings.CutPrefix(at, dir); ok && !strings.Contains(base, "/") && nameOf(base, []string{name}) == name {
			out = append(out, base)
		}
	}
	slices.SortFunc(out, byRank)
	return out
}

// restore plans the files of one name.
func (w *Withdrawal) restore(ctx context.Context, names map[string]store.Object, name, date string) error {
	for _, base := range ofName(names, "dist/"+date+"/", name) {
		from := "dist/" + date + "/" + base
		data, _, err := w.store.Load(ctx, from, manifests.MaxChannel)
		if err != nil {
			return err
		}
		w.Steps = append(w.Steps, Step{Phase: Channel, Action: Replace, Name: "dist/" + base, From: from, Size: int64(len(data)), SHA256: manifests.HashOf(data), body: store.Bytes(data)})
	}
	return nil
}

// remove plans that a name goes: its checksum first, without which rustup finds nothing,
// and its manifest last, by which a later run finds what is left.
func (w *Withdrawal) remove(names map[string]store.Object, name string) {
	list := ofName(names, "dist/", name)
	last := func(base string) int { return []int{1, 3, 2, 0}[rank(base)] }
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(last(a), last(b)) })
	for _, base := range list {
		w.Steps = append(w.Steps, Step{Phase: Channel, Action: Delete, Name: "dist/" + base})
	}
}

// Run takes the release back. A killed run is finished by planning and running again.
func (w *Withdrawal) Run(ctx context.Context) (Result, error) {
	var n Result
	r := &runner{Plan: &Plan{store: w.store, Steps: w.Steps}}
	for i := range w.Steps {
		s := &w.Steps[i]
		if err := w.step(ctx, r, s, &n); err != nil {
			return n, fmt.Errorf("withdrawing %q: %w", s.Name, err)
		}
	}
	return n, nil
}

func (w *Withdrawal) step(ctx context.Context, r *runner, s *Step, n *Result) error {
	switch s.Action {
	case Copy:
		n.Copied++
		return w.store.Copy(ctx, s.Name, s.From)
	case Delete:
		n.Replaced++
		return w.store.Delete(ctx, s.Name)
	}
	data, err := content(s.body)
	if err != nil {
		return err
	}
	o, isManifest := w.offered[s.Name]
	done, err := swap(ctx, w.store, s.Name, data, func(_ []byte, v store.Version) error {
		if isManifest && v != o.version {
			return store.ErrChanged
		}
		return r.stillOurs(ctx, s)
	})
	if errors.Is(err, store.ErrChanged) {
		return fmt.Errorf("another publisher won: %w", err)
	}
	if done {
		n.Replaced++
	}
	return err
}
