package catalog

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strings"

	"x.go/dist/page"
	"x.go/manifests"
)

//go:embed index.html
var indexText string

//go:embed channel.html
var channelText string

//go:embed parts.html
var partsText string

// Both are parsed once; that they parse is tested.
var (
	indexPage   = page.Parse(partsText+indexText, template.FuncMap{"spark": spark})
	channelPage = page.Parse(partsText+channelText, template.FuncMap{"spark": spark})
)

// Page is a file of HTML.
type Page struct {
	Name string
	Data []byte
}

// Summary is a channel as the first page has it.
type Summary struct {
	Name    string   `json:"name"`
	Page    string   `json:"page"` // its file
	Version string   `json:"version"`
	Date    string   `json:"date"`
	Names   []string `json:"names"` // under which rustup can install it, too
	Hosts   []Host   `json:"hosts"`
	// Releases is how many are shown; Missing is how many components an earlier one had
	// for a target that the newest has not.
	Releases int `json:"releases"`
	Missing  int `json:"missing"`
}

// Host is a kind of machine that a channel has a toolchain for.
type Host struct {
	Triple string `json:"triple"`
	// Linker is what a plain link of the host uses, in words; "" if nothing says so.
	Linker string `json:"linker"`
	// Size is what an installation by the profile default downloads, in bytes, or by
	// minimal without one; -1 if an archive is not there.
	Size   int64   `json:"size"`
	Points []point `json:"-"`
}

// Summaries returns the channels in the order of the first page.
func (c *Catalog) Summaries() []Summary {
	var out []Summary
	for _, h := range c.channels {
		out = append(out, h.summary())
	}
	return out
}

// Pages returns the first page, index.html, and one for each channel. server is the
// public URL above dist, or "" for [Catalog.PublicURL]; without either, readers are told
// to fill it in.
func (c *Catalog) Pages(server string) ([]Page, error) {
	server = cmp.Or(server, c.server)
	summaries := c.Summaries()
	data := struct {
		Server   string
		Channels []Summary
		Charts   bool // of more than one release
	}{server, summaries, slices.ContainsFunc(summaries, func(s Summary) bool { return s.Releases > 1 })}
	var pages []Page
	for i, h := range c.channels {
		text, err := render(channelPage(), h.view(summaries[i], server))
		if err != nil {
			return nil, err
		}
		pages = append(pages, Page{summaries[i].Page, text})
	}
	text, err := render(indexPage(), data)
	return append(pages, Page{"index.html", text}), err // last: it leads to the others
}

func render(t *template.Template, data any) ([]byte, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, fmt.Errorf("writing page as HTML: %w", err)
	}
	return b.Bytes(), nil
}

// plainName matches the names of channels that can be those of files as they are, if
// they have no more than maxPlain bytes: a pattern that counts is large.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

const maxPlain = 81

func (h *history) summary() Summary {
	now := h.newest()
	s := Summary{Name: h.name, Page: "channel-" + h.name + ".html", Version: now.version, Date: now.date, Names: []string{}, Hosts: []Host{}, Releases: len(h.releases)}
	if len(h.name) > maxPlain || !plainName.MatchString(h.name) {
		s.Page = "channel-" + manifests.HashOf([]byte(h.name)).String()[:16] + ".html"
	}
	for _, name := range now.names {
		if name != h.name && !slices.Contains([]string{"stable", "beta", "nightly"}, name) {
			s.Names = append(s.Names, name)
		}
	}
	slices.SortFunc(s.Names, compareChannels)
	for _, host := range now.hosts {
		points := h.installations(host)
		s.Hosts = append(s.Hosts, Host{Triple: host, Linker: now.linkers[host], Size: points[len(points)-1].size, Points: points})
	}
	for p := range h.parts() {
		if !now.parts[p].available {
			s.Missing++
		}
	}
	return s
}

// installations returns what an installation took of a host's user in each release.
func (h *history) installations(host string) []point {
	var points []point
	for _, rel := range h.releases {
		parts, ok := rel.profile[host]
		p := point{rel.date, ok, 0}
		for _, of := range parts {
			o := rel.parts[of]
			if p.present = p.present && o.available; o.size < 0 || p.size < 0 {
				p.size = -1
				continue
			}
			p.size += o.size
		}
		if !p.present {
			p.size = -1
		}
		points = append(points, p)
	}
	return points
}

// parts are what some release has had, or has said to be not available now.
func (h *history) parts() map[part]bool {
	out := map[part]bool{}
	for _, rel := range h.releases {
		for p, o := range rel.parts {
			if o.available {
				out[p] = true
			}
		}
	}
	return out
}

// channelView is what the page of a channel shows.
type channelView struct {
	Summary
	Server  string
	Targets []targetView
	Past    []pastRelease // the newest first
	Dated   string        // a name such as nightly-2026-04-16, or ""
}

// targetView is the table of a target.
type targetView struct {
	Target  string
	Missing int
	Open    bool
	Rows    []partView
}

// partView is a row: a component.
type partView struct {
	Name, Package string
	Mark, Class   string // for the eye
	State         string
	Present       bool
	Version       string
	Size          int64
	Points        []point
}

type pastRelease struct{ Version, Date, Name, Linker string }

// openTargets is how many targets a page may have so that all their tables are open.
const openTargets = 4

func (h *history) view(s Summary, server string) channelView {
	v := channelView{Summary: s, Server: server}
	byTarget := map[string][]partView{}
	for p := range h.parts() {
		byTarget[p.target] = append(byTarget[p.target], h.part(p))
	}
	targets := slices.SortedFunc(maps.Keys(byTarget), func(a, b string) int {
		rank := func(t string) int {
			switch {
			case slices.Contains(h.newest().hosts, t):
				return 0
			case t == manifests.AnyTarget:
				return 1
			}
			return 2
		}
		return cmp.Or(rank(a)-rank(b), strings.Compare(a, b))
	})
	for _, target := range targets {
		t := targetView{Target: target, Rows: byTarget[target], Open: len(targets) <= openTargets}
		slices.SortFunc(t.Rows, func(a, b partView) int {
			return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Package, b.Package))
		})
		for _, row := range t.Rows {
			if !row.Present {
				t.Missing++
			}
		}
		t.Open = t.Open || t.Missing > 0 && len(targets) <= 4*openTargets
		v.Targets = append(v.Targets, t)
	}
	for i := len(h.releases) - 1; i >= 0; i-- {
		rel := h.releases[i]
		past := pastRelease{Version: rel.version, Date: rel.date, Linker: rel.linkersText()}
		if rel.dated && !numbered.MatchString(h.name) {
			past.Name = h.name + "-" + rel.date
			v.Dated = cmp.Or(v.Dated, past.Name)
		}
		v.Past = append(v.Past, past)
	}
	return v
}

// part returns the row of a component.
func (h *history) part(p part) partView {
	now := h.newest()
	o := now.parts[p]
	v := partView{Name: cmp.Or(now.renames[p.pkg], p.pkg), Package: p.pkg, Version: o.version, Size: o.size, Mark: "\u2713", Class: "pass"}
	for _, rel := range h.releases {
		o, ok := rel.parts[p]
		at := point{rel.date, ok && o.available, -1}
		if at.present {
			at.size = o.size
		}
		v.Points = append(v.Points, at)
	}
	last := len(v.Points) - 1
	v.Present = v.Points[last].present
	since := last
	for since > 0 && v.Points[since-1].present == v.Points[last].present {
		since--
	}
	switch {
	case !v.Present:
		v.Mark, v.Class = "\u2717", "fail"
		v.State = fmt.Sprintf("missing since %s, last in %s", v.Points[since].date, v.Points[since-1].date)
	case o.file == "":
		v.Mark, v.Class, v.State = "\u2197", "skip", "present, its archive on another server"
	case since > 0:
		v.State = "present since " + v.Points[since].date
	default:
		v.State = "present"
	}
	return v
}
