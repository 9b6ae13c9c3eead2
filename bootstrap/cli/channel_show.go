package cli

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/dist/compose"
	"x.go/manifests"
)

func (a *app) channelShowCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show CHANNEL",
		Short: "Print what a channel offers, and to which hosts",
		Long: `Print what a channel offers: its release, the hosts that can install it, the targets
that they can compile for, the profiles, and each package with its version. The
names in parentheses are those that rustup takes as well. What is wrong with the
manifest is listed last; x verify looks at the archives, too.

--json prints everything: each archive with its URL and digest.`,
		Example: `  x channel show build/dist
  x channel show https://static.rust-lang.org/dist/channel-rust-stable.toml
  x channel show --json /srv/rust/dist/channel-rust-nightly.toml`,
		Args:              exactly("CHANNEL"),
		ValidArgsFunction: completeManifests,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.openChannel(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			answer := describeChannel(s)
			if a.flags.json {
				return a.printJSON(answer)
			}
			return a.printChannel(answer)
		},
	}
	hideGlobals(cmd, "config", "set", "build-dir", "dry-run", "verbose")
	return cmd
}

// shownChannel is the answer of x channel show.
type shownChannel struct {
	Place    string              `json:"place"`
	Names    []string            `json:"names"`
	Date     string              `json:"date"`
	Version  string              `json:"version"`
	Commit   string              `json:"commit,omitempty"`
	Servers  []string            `json:"servers"` // URLs of the directories with the archives
	Hosts    []string            `json:"hosts"`
	Targets  []string            `json:"targets"` // that have a rust-std
	Profiles map[string][]string `json:"profiles"`
	Packages []shownPackage      `json:"packages"`
	// Artifacts are keyed by kind and target.
	Artifacts map[string]map[string][]shownFile `json:"artifacts,omitempty"`
	Findings  []string                          `json:"findings,omitempty"`
}

// shownPackage is a package of a channel.
type shownPackage struct {
	Name    string        `json:"name"`
	Called  []string      `json:"called,omitempty"` // other names that rustup takes
	Version string        `json:"version"`
	Commit  string        `json:"commit,omitempty"`
	Targets []shownTarget `json:"targets"`
}

// shownTarget is a package for a target.
type shownTarget struct {
	Target    string      `json:"target"`
	Available bool        `json:"available"`
	Files     []shownFile `json:"files,omitempty"`
}

// shownFile is a file on a server.
type shownFile struct {
	URL    string         `json:"url"`
	SHA256 manifests.Hash `json:"sha256"`
}

// describeChannel collects what a channel offers. URLs lose their logins.
func describeChannel(s *compose.Source) shownChannel {
	c := s.Channel
	rust := c.Packages["rust"]
	out := shownChannel{
		Place: manifests.Redact(s.Place), Names: s.Names, Date: c.Date, Version: rust.Version, Commit: rust.CommitHash,
		Hosts: c.Hosts(), Targets: slices.Sorted(maps.Keys(c.Packages["rust-std"].Targets)), Profiles: c.Profiles, Packages: []shownPackage{},
	}
	servers := map[string]bool{}
	for _, d := range c.Downloads() {
		servers[path.Dir(manifests.Redact(d.URL))] = true
	}
	out.Servers = slices.Sorted(maps.Keys(servers))
	for i, url := range out.Servers {
		out.Servers[i] = strings.Replace(url, ":/", "://", 1) // path.Dir has made it one slash
	}
	for _, name := range slices.Sorted(maps.Keys(c.Packages)) {
		out.Packages = append(out.Packages, describePackage(c, name))
	}
	for kind, byTarget := range c.Artifacts {
		if out.Artifacts == nil {
			out.Artifacts = map[string]map[string][]shownFile{}
		}
		out.Artifacts[kind] = map[string][]shownFile{}
		for target, files := range byTarget {
			for _, d := range files {
				out.Artifacts[kind][target] = append(out.Artifacts[kind][target], showFile(d))
			}
		}
	}
	for _, f := range s.Findings {
		out.Findings = append(out.Findings, f.Error())
	}
	return out
}

func showFile(d manifests.Download) shownFile { return shownFile{manifests.Redact(d.URL), d.Hash} }

func describePackage(c *manifests.Channel, name string) shownPackage {
	pkg := c.Packages[name]
	p := shownPackage{Name: name, Version: pkg.Version, Commit: pkg.CommitHash, Targets: []shownTarget{}}
	for _, from := range slices.Sorted(maps.Keys(c.Renames)) {
		if c.Renames[from] == name {
			p.Called = append(p.Called, from)
		}
	}
	for _, target := range slices.Sorted(maps.Keys(pkg.Targets)) {
		t := shownTarget{Target: target, Available: pkg.Targets[target].Available}
		for _, d := range pkg.Targets[target].Downloads() {
			t.Files = append(t.Files, showFile(d))
		}
		p.Targets = append(p.Targets, t)
	}
	return p
}

// printChannel prints the answer for people.
func (a *app) printChannel(c shownChannel) error {
	w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
	row := func(key, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", key, value)
		}
	}
	row("channel", strings.Join(c.Names, ", "))
	row("date", c.Date)
	row("release", c.Version)
	row("commit", c.Commit)
	row("files at", someOf(c.Servers, 3))
	row("hosts", someOf(c.Hosts, 4))
	row("targets", someOf(c.Targets, 4))
	for _, name := range slices.Sorted(maps.Keys(c.Profiles)) {
		row("profile "+name, strings.Join(c.Profiles[name], " "))
	}
	fmt.Fprintf(w, "\nPACKAGE\tVERSION\tAVAILABLE FOR\n")
	for _, p := range c.Packages {
		name := p.Name
		if len(p.Called) > 0 {
			name += " (" + strings.Join(p.Called, ", ") + ")"
		}
		var has []string
		for _, t := range p.Targets {
			if t.Available {
				has = append(has, t.Target)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, p.Version, someOf(has, 2))
	}
	if len(c.Findings) > 0 {
		fmt.Fprintf(w, "\n%s:\n", plural(len(c.Findings), "thing")+" wrong with the manifest")
	}
	for _, f := range c.Findings {
		fmt.Fprintf(w, "  %s\n", f)
	}
	return w.Flush()
}

// someOf names at most limit things, and counts the others.
func someOf(names []string, limit int) string {
	if len(names) == 0 {
		return "-"
	}
	more := len(names) - limit
	if more <= 1 { // naming it takes no more room
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:limit], ", "), more)
}
