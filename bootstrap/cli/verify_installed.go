package cli

import (
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap/config"
	"x.go/dist/install"
	"x.go/dist/verify"
)

// verifyInstalled compares what is installed with its digests or with sources, and
// prints a report.
func (a *app) verifyInstalled(cmd *cobra.Command, sources []string, f verifyFlags) error {
	for _, flag := range []string{"checks", "expect", "sandbox", "keyring"} {
		if cmd.Flags().Changed(flag) {
			return usagef("--%s is of no use with --installed, which runs nothing: leave it out", flag)
		}
	}
	begun := time.Now()
	opts, err := a.installedOptions(cmd, &f)
	if err != nil {
		return err
	}
	report := verify.Options{Inputs: append([]string{filepath.Join(opts.DestDir, opts.Prefix)}, sources...), AllowSkip: f.allowSkip, Program: "x " + buildVersion().Version}
	if report.Now, err = a.sourceDateEpoch(); err != nil {
		return err
	}
	for _, glob := range f.allowSkip {
		if _, err := verify.Match(glob); err != nil {
			return usagef("reading --allow-skip: %w", err)
		}
	}
	state, err := a.inspectInstalled(cmd, opts, sources, f.host)
	if err != nil {
		return err
	}
	done, err := verify.Installation(report, state, begun)
	if err != nil {
		return err
	}
	return a.printReport(done, f)
}

// installedOptions returns where the installation is.
func (a *app) installedOptions(cmd *cobra.Command, f *verifyFlags) (install.Options, error) {
	prefix, err := a.home("--installed", f.installed)
	if err != nil {
		return install.Options{}, err
	}
	if prefix == "" {
		return install.Options{}, usagef("reading --installed: got an empty directory: name the prefix of the installation")
	}
	destdir, err := a.configure(cmd, &f.dirs)
	if err != nil {
		return install.Options{}, err
	}
	a.configFlags = append(a.configFlags, config.Flag{Name: "--installed", Key: "install.prefix", Value: a.path(prefix)})
	dirs, err := a.configuredDirs(destdir)
	if err != nil {
		return install.Options{}, err
	}
	return dirs.Options(), nil
}

// inspectInstalled compares, and shows progress.
func (a *app) inspectInstalled(cmd *cobra.Command, opts install.Options, sources []string, host string) (install.State, error) {
	p := a.newInstallProgress()
	defer p.close()
	reading := func(done, total int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.show("reading", done, total)
	}
	if len(sources) == 0 {
		return install.Inspect(cmd.Context(), opts, nil, reading)
	}
	if host == "" {
		host = thisHost().String()
	}
	opts.Waiting = a.waitingFor(a.cacheDir())
	from := install.From{Sources: sources, Dir: a.Dir, Host: host, CacheDir: a.cacheDir(), Fetching: p.fetching}
	return install.InspectFrom(cmd.Context(), opts, from, reading)
}
