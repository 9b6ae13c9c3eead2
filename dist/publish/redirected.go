package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"x.go/dist"
	"x.go/dist/channel"
	"x.go/dist/store"
	"x.go/manifests"
)

// redirectsName is that of the rules in a store. They are for all channels of the store.
const redirectsName = "dist/" + channel.RedirectsFile

// readRules reads the rules of an overlay beside its manifest; none if there are none.
func readRules(place string) ([]channel.Redirect, error) {
	local, ok := channel.LocalPath(place)
	if !ok {
		return nil, nil
	}
	at := filepath.Join(filepath.Dir(local), channel.RedirectsFile)
	data, err := dist.ReadFile(at, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rules, err := channel.ParseRedirects(data)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", at, err)
	}
	return rules, nil
}

// redirected returns the name in a store of a file that is not in the directory, since
// clients are sent to another server for it.
func (p *Plan) redirected(url string) (name string, ok bool) {
	name, ok = strings.CutPrefix(url, manifests.OfficialServer+"/")
	if !ok || store.CheckName(name) != nil {
		return "", false
	}
	if _, ok = channel.RedirectFor(p.rules, name); !ok {
		return "", false
	}
	_, err := channel.Locate(p.source.Place, url)
	_, absent := errors.AsType[*channel.AbsentError](err)
	return name, absent
}

// settleRedirected counts the files that other servers have. What the store itself has
// under such a name comes from there, and is read back.
func (p *Plan) settleRedirected(ctx context.Context, f *files) error {
	undated := 0
	there := map[string]bool{}
	listed := map[string]bool{}
	for _, r := range f.redirected {
		dir := path.Dir(r.name) + "/"
		if dir == "dist/" {
			undated++
			if _, err := p.store.Stat(ctx, r.name); err == nil {
				there[r.name] = true
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if listed[dir] {
			continue
		}
		listed[dir] = true
		for o, err := range p.store.List(ctx, dir) {
			if err != nil {
				return err
			}
			there[o.Name] = true
		}
	}
	for _, r := range f.redirected {
		if there[r.name] {
			f.archives = append(f.archives, r)
		} else {
			p.Redirected++
		}
	}
	if p.Redirected > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d files stay on other servers, to which %s sends clients: x serve obeys it, and other servers need the configuration that x channel overlay --redirect prints", p.Redirected, redirectsName))
	}
	if undated > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d of these files have no day in their URLs: the next release there may replace them", undated))
	}
	return nil
}

// ruleSteps plans the rules of the store: those of the channel, and that its manifest of
// the day is not looked for elsewhere.
func (p *Plan) ruleSteps(ctx context.Context) error {
	if len(p.rules) == 0 {
		return nil
	}
	for _, name := range p.source.Names {
		rule, err := channel.NoRedirect("/dist/" + p.Date + "/" + path.Base(channelFile(name)))
		if err != nil {
			return err
		}
		if !slices.Contains(p.rules, rule) {
			p.rules = append(p.rules, rule)
		}
	}
	text, _, err := p.store.Load(ctx, redirectsName, maxSmall)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := p.addRules(text)
	if err != nil {
		return err
	}
	p.Steps = append(p.Steps, Step{Phase: Redirects, Action: Append, Name: redirectsName, Size: int64(len(out)), Present: string(out) == string(text)})
	return nil
}

// addRules adds the rules of the channel to those of a store, which other channels need.
func (p *Plan) addRules(text []byte) ([]byte, error) {
	var rules []channel.Redirect
	if len(text) > 0 {
		var err error
		if rules, err = channel.ParseRedirects(text); err != nil {
			return nil, fmt.Errorf("reading %q of the store: %w", redirectsName, err)
		}
	}
	for _, r := range p.rules {
		i := slices.IndexFunc(rules, func(old channel.Redirect) bool { return old.Prefix() == r.Prefix() })
		switch {
		case i < 0:
			rules = append(rules, r)
		case rules[i] != r:
			return nil, fmt.Errorf("the store sends clients for %q to %q, and this channel to %q: other channels may need that: lay it over the same server with --upstream, or take the rule out of %s first",
				r.Prefix(), rules[i].Target(), r.Target(), redirectsName)
		}
	}
	return channel.FormatRedirects(rules), nil
}

// redirect adds the rules. Others may add theirs at the same time.
func (r *runner) redirect(ctx context.Context, _ *Step) error {
	return r.edit(ctx, redirectsName, maxSmall, r.addRules)
}

// edit changes a file of the store that others change at the same time, too.
func (r *runner) edit(ctx context.Context, name string, limit int64, change func(text []byte) ([]byte, error)) error {
	var err error
	for range maxSwaps {
		var text []byte
		var v store.Version
		text, v, err = r.store.Load(ctx, name, limit)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out, cerr := change(text)
		if cerr != nil || string(out) == string(text) {
			return cerr
		}
		if err = r.store.Swap(ctx, name, v, out); !errors.Is(err, store.ErrChanged) {
			if err == nil {
				r.count(func(n *Result) { n.Replaced++; n.Sent += int64(len(out)) })
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Duration(rand.IntN(50)) * time.Millisecond):
		}
	}
	return err
}
