package compose

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist/channel"
	"x.go/manifests"
)

// ruleSet says where the archives of a channel are that its own server does not have: it
// maps directories of that server to URLs.
type ruleSet map[string]string

// distDir is the directory of a distribution server that clients ask for.
const distDir = "/dist"

// delegate leaves the archives of a channel where they are. It returns the channel with
// the URLs that have each rustup ask the server of the channel itself, and the rules by
// which that one sends it on. upstream, unless "", is the URL above the dist directory of
// the server that has what the official URLs name.
func (s *Source) delegate(upstream string) (*manifests.Channel, ruleSet, error) {
	rules := ruleSet{}
	moved := map[string]string{}
	var errs []error
	for key, d := range s.Channel.Downloads() {
		at, err := s.beyond(d.URL, upstream)
		if err == nil && !isFileName(fileOf(d.URL)) {
			err = fmt.Errorf("got %.200q, want the URL of a file", manifests.Redact(d.URL))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", key, err))
			continue
		}
		dir, file := path.Split(here(d.URL))
		dir = strings.TrimSuffix(dir, "/")
		to := at[:strings.LastIndexByte(at, '/')]
		if old, ok := rules[dir]; ok && old != to {
			errs = append(errs, fmt.Errorf("%s: %q and %q are both %s of one server: leave out --redirect, which copies them", key, manifests.Redact(old), manifests.Redact(to), dir))
			continue
		}
		rules[dir] = to
		moved[d.URL] = manifests.OfficialServer + dir + "/" + file
	}
	const most = 20
	if len(errs) > most {
		errs = append(errs[:most], fmt.Errorf("and %d more", len(errs)-most))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, fmt.Errorf("sending clients to the archives of %q: %w", manifests.Redact(s.Place), err)
	}
	return s.Channel.WithURLs(func(url string) string { return moved[url] }), rules.short(), nil
}

// beyond returns the URL of a file of the channel for clients on other machines.
func (s *Source) beyond(url, upstream string) (string, error) {
	if rest, ok := strings.CutPrefix(url, manifests.OfficialServer); ok && upstream != "" {
		return strings.TrimSuffix(upstream, "/") + rest, nil
	}
	at := url
	if _, local := channel.LocalPath(s.Place); !local {
		var err error
		if at, err = channel.Locate(s.Place, url); err != nil {
			return "", err
		}
	}
	if !strings.HasPrefix(at, "http://") && !strings.HasPrefix(at, "https://") {
		return "", fmt.Errorf("got %.200q, to which no server can send clients: leave out --redirect, which copies the file", manifests.Redact(at))
	}
	return at, nil
}

// here returns the path at which the channel's own server is asked for a file.
func here(url string) string {
	if below := channel.BelowDist(url); len(below) > 0 {
		return distDir + below[0]
	}
	return distDir + "/" + path.Base(url)
}

// short returns one rule for dist if that says the same.
func (r ruleSet) short() ruleSet {
	one := ""
	for dir, to := range r {
		root, ok := strings.CutSuffix(to, dir)
		if !ok || one != "" && root != one {
			return r
		}
		one = root
	}
	return ruleSet{distDir: one + distDir}
}

// forChannel returns the rules of a channel of some names. Its own manifest is not looked
// for elsewhere under its days: the base's would have another content.
func (r ruleSet) forChannel(names []string, days ...string) ([]channel.Redirect, error) {
	slices.Sort(days)
	var rules []channel.Redirect
	var errs []error
	add := func(rule channel.Redirect, err error) { rules, errs = append(rules, rule), append(errs, err) }
	for _, day := range slices.Compact(days) {
		for _, name := range names {
			add(channel.NoRedirect(distDir + "/" + day + "/" + manifestPrefix + name + manifestExt))
		}
	}
	dirs := slices.Sorted(maps.Keys(r))
	slices.Reverse(dirs) // the longer of two before the shorter
	for _, dir := range dirs {
		add(channel.NewRedirect(dir, r[dir]))
	}
	return rules, errors.Join(errs...)
}
