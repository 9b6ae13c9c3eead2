package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"x.go/bootstrap/config"
	"x.go/dist/channel"
	"x.go/dist/compose"
	"x.go/manifests"
)

func (a *app) channelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "channel",
		Short: "Make channels that rustup installs from, and look at them",
		Long: `Make channels that rustup installs from, and look at them. Each job has a command of its own.

A channel is named by the path or the URL of its manifest, channel-rust-NAME.toml,
or by a directory that has the manifests of one release, as x dist leaves it.`,
		Example: `  x channel make --out /srv/rust/dist linux/dist windows/dist
  x channel show /srv/rust/dist
  x channel prune /srv/rust --keep-days 30
  x channel withdraw /srv/rust nightly`,
		Args: unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.channelMakeCommand(), a.channelMergeCommand(), a.channelSubsetCommand(), a.channelOverlayCommand(),
		a.channelShowCommand(), a.channelSignCommand(), a.channelDiffCommand(), a.channelPageCommand(), a.channelPruneCommand(), a.withdrawCommand())
	hideGlobals(cmd, "sysroot", "jobs")
	return cmd
}

// declared returns the components that x.toml declares.
func declared(cfg config.Config) []manifests.Declaration {
	var all []manifests.Declaration
	for _, name := range slices.Sorted(maps.Keys(cfg.X.Component)) {
		c := cfg.X.Component[name]
		all = append(all, manifests.Declaration{
			Name: name, Origin: cfg.Origin("component." + name + ".targets").String(),
			Targets: c.Targets, Profiles: c.Profiles, Rename: c.Rename, Required: c.Required,
		})
	}
	return all
}

// channelConfig loads the configuration for a channel, and the components that it
// declares; names of Rust's own are refused.
func (a *app) channelConfig() (config.Config, []manifests.Declaration, error) {
	cfg, err := a.loadConfig()
	if err != nil {
		return cfg, nil, err
	}
	all := declared(cfg)
	var errs []error
	for _, d := range all {
		if err := d.Check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: component.%s: %w", d.Origin, d.Name, err))
		}
	}
	return cfg, all, usage(errors.Join(errs...))
}

// openChannel reads the channel that an argument names.
func (a *app) openChannel(ctx context.Context, arg string) (*compose.Source, error) {
	s, err := compose.Open(ctx, a.channelPlace(arg))
	if err != nil {
		return nil, err
	}
	if s.Unchecked && channel.IsURL(s.Place) {
		a.progressf("x: note: there is no .sha256 beside %q to check the manifest with", arg)
	}
	return s, nil
}

// channelPlace returns the place of a channel on the command line.
func (a *app) channelPlace(arg string) string {
	if channel.IsURL(arg) {
		return arg
	}
	return a.path(arg)
}

// completeManifests offers manifests and directories.
func completeManifests(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"toml"}, cobra.ShellCompDirectiveFilterFileExt
}
