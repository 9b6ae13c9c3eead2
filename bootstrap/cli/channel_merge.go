package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"x.go/dist/compose"
	"x.go/manifests"
	"x.go/targets"
)

func (a *app) channelMergeCommand() *cobra.Command {
	var f outFlags
	var anyRelease bool
	cmd := &cobra.Command{
		Use:   "merge CHANNEL CHANNEL...",
		Short: "Put channels of one release together",
		Long: `Put channels of one release together, such as those of two build machines, with
their archives, each checked against its channel. What several have must be equal;
each host also lists what only another channel has.

All archives are copied beside the new manifest, and all URLs lead there: to Rust's
own server, which rustup replaces by RUSTUP_DIST_SERVER. Archives are looked for as
rustup does, or beside a manifest on disk.

Archives on this machine are read: components whose files or directories collide in
one toolchain are refused. Channels must be of one release, commit and day. With
--any-release the first one says which. Components that x.toml declares must be in
the result, and are as it says.`,
		Example: `  x channel merge --out /srv/rust/dist linux/dist windows/dist
  x channel merge --any-release stable/dist old/channel-rust-1.95.0.toml`,
		Args:              atLeast(2, "CHANNEL"),
		ValidArgsFunction: completeManifests,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.combineChannels(cmd.Context(), f, args, func(ctx context.Context, all []*compose.Source, o compose.MergeOptions) (*compose.Draft, error) {
				o.AnyRelease = anyRelease
				return compose.Merge(ctx, all, o)
			})
		},
	}
	f.addPlace(cmd)
	cmd.Flags().BoolVar(&anyRelease, "any-release", false, "take channels of different releases, commits and days")
	hideGlobals(cmd, "sysroot", "jobs", "verbose")
	return cmd
}

// partFlags select a part of a channel.
type partFlags struct{ hosts, targets, components, artifacts []string }

func (f *partFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.hosts, "host", nil, "keep these `triples` of machines that install the channel")
	flags.StringSliceVar(&f.targets, "target", nil, "keep these `triples` to compile for, beside those of the hosts")
	flags.StringSliceVar(&f.components, "component", nil, "keep these `names` of components, such as rustc or rustfmt")
	flags.StringSliceVar(&f.artifacts, "artifact", nil, "keep these `kinds` of other files, such as source-code; none with \"\"")
}

// selection reads the flags; what was not given keeps all.
func (f *partFlags) selection(cmd *cobra.Command) (manifests.Selection, error) {
	s := manifests.Selection{Packages: given(cmd, "component", f.components), Artifacts: given(cmd, "artifact", f.artifacts)}
	var errs []error
	triples := func(words []string) []targets.Triple {
		if words == nil {
			return nil
		}
		out := []targets.Triple{}
		for _, word := range words {
			t, err := targets.ParseTriple(word)
			out, errs = append(out, t), append(errs, err)
		}
		return out
	}
	s.Hosts, s.Targets = triples(given(cmd, "host", f.hosts)), triples(given(cmd, "target", f.targets))
	return s, usage(errors.Join(errs...))
}

// given returns the words of a flag: nil only if it was not given.
func given(cmd *cobra.Command, flag string, words []string) []string {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	out := []string{}
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

func (a *app) channelSubsetCommand() *cobra.Command {
	var f outFlags
	var part partFlags
	cmd := &cobra.Command{
		Use:   "subset CHANNEL",
		Short: "Take a part of a channel: some hosts, targets or components",
		Long: `Take a part of a channel, with its archives, each checked against the channel: some
hosts, targets or components. Each host keeps its own rust-std, and components that
are the same for all stay. Nothing in the result refers to what it does not have.`,
		Example: `  x channel subset --component rustc,cargo,rust-std stable/dist
  x channel subset --target wasm32-wasip1 --out small /srv/rust/dist`,
		Args:              exactly("CHANNEL"),
		ValidArgsFunction: completeManifests,
		RunE: func(cmd *cobra.Command, args []string) error {
			selected, err := part.selection(cmd)
			if err != nil {
				return err
			}
			return a.combineChannels(cmd.Context(), f, args, func(ctx context.Context, all []*compose.Source, o compose.MergeOptions) (*compose.Draft, error) {
				return compose.Subset(ctx, all[0], selected, o)
			})
		},
	}
	f.addPlace(cmd)
	part.add(cmd)
	hideGlobals(cmd, "sysroot", "jobs", "verbose")
	return cmd
}

// combineChannels reads channels and writes the one that is made of them.
func (a *app) combineChannels(ctx context.Context, f outFlags, args []string, combine func(context.Context, []*compose.Source, compose.MergeOptions) (*compose.Draft, error)) error {
	cfg, own, err := a.channelConfig()
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	p := a.newFileProgress()
	defer p.close()
	return a.writeChannel(ctx, p, a.outDir(cfg.Build.BuildDir, f.out), "", func(ctx context.Context) (*compose.Draft, error) {
		var all []*compose.Source
		for _, arg := range args {
			s, err := a.openChannel(ctx, arg)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		return f.withURLs(combine(ctx, all, compose.MergeOptions{Name: f.name, URL: f.url, Declared: own, Progress: p.event}))
	})
}
