package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
	"x.go/bootstrap/toolchain"
	"x.go/targets"
)

// session is the state that the commands which build share.
type session struct {
	*bootstrap.Builder
	progress *progress
}

// close gives the build directory back and ends the progress. It may be called
// again.
func (s *session) close() {
	s.progress.close()
	s.Close()
}

// options are what the global flags say about a build.
func (a *app) options() bootstrap.Options {
	return bootstrap.Options{
		Config: a.configSource(), Sysroots: a.flags.sysroots, Hosts: a.hosts, Release: a.release, Env: a.Env, Version: buildVersion().released(), DryRun: a.flags.dryRun,
	}
}

// givenFlags are the facts of a compiler that does not run here, as a user gives them.
type givenFlags struct {
	hosts   []string
	release string
}

// add adds the flags to a command.
func (f *givenFlags) add(cmd *cobra.Command) {
	f.addHosts(cmd)
	cmd.Flags().StringVar(&f.release, "release", "", "`version` of the input's compiler, where it does not run here and its files do not say it")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("release", completeReleases))
}

// addHosts adds the flag --host, and has the command take --sysroot several times.
func (f *givenFlags) addHosts(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.hosts, "host", nil, "comma-separated `triples` of the input's compilers: pick some of several, and say the host where nothing else does (default build.host, else all)")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("host", completeTriples))
	cmd.Annotations = map[string]string{manySysroots: "yes"}
}

// give reads the flags.
func (a *app) give(f givenFlags) error {
	var err error
	if a.release, err = releaseFlag("--release", f.release); err != nil {
		return err
	}
	for _, name := range trimmed(f.hosts) {
		t, err := targets.ParseTriple(name)
		if err != nil {
			return usagef("reading --host: %w", err)
		}
		if !slices.Contains(a.hosts, t) {
			a.hosts = append(a.hosts, t)
		}
	}
	return nil
}

// toolchain finds the input toolchain.
func (a *app) toolchain(ctx context.Context) (toolchain.Toolchain, error) {
	_, tc, err := bootstrap.Load(ctx, a.options())
	return tc, err
}

// open starts a build with [app.options], or more.
func (a *app) open(ctx context.Context, o bootstrap.Options) (*session, error) {
	a.progressf("x: reading the toolchain")
	s, err := a.start(o, func(o bootstrap.Options) (*bootstrap.Builder, error) { return bootstrap.Open(ctx, o) })
	if err != nil {
		return nil, err
	}
	for _, h := range s.Hosts() {
		a.reportInput(h.Toolchain(), h.Input())
	}
	return s, nil
}

// openSource starts a build of archives of a source tree.
func (a *app) openSource(ctx context.Context, o bootstrap.Options, tree string) (*session, error) {
	s, err := a.start(o, func(o bootstrap.Options) (*bootstrap.Builder, error) { return bootstrap.OpenSource(ctx, o, tree) })
	if err != nil {
		return nil, err
	}
	a.progressf("x: sources of rustc %s in %s", s.Toolchain().Version, a.path(tree))
	return s, nil
}

// start opens a builder whose progress is shown.
func (a *app) start(o bootstrap.Options, open func(bootstrap.Options) (*bootstrap.Builder, error)) (*session, error) {
	s := &session{progress: a.newProgress()}
	o.Notify, o.Progress = s.progress.event, s.progress.packing
	o.Waiting = func(dir, holder string) {
		a.progressf("x: waiting for the directory %q, which %s uses", dir, holder)
	}
	var err error
	if s.Builder, err = open(o); err != nil {
		s.progress.close()
		return nil, err
	}
	s.progress.writer = s.Writer()
	a.limitMemory(s.Writer().MaxMemory)
	return s, nil
}

// reportInput tells what the toolchain is and what of it is left out.
func (a *app) reportInput(tc toolchain.Toolchain, in toolchain.Input) {
	a.progressf("x: rustc %s for %s in %s", tc.Version, tc.Host, tc.Sysroot)
	const show = 10
	for i, name := range in.Unowned {
		if i == show && !a.flags.verbose {
			a.progressf("x: note: and %d more files; --verbose lists them", len(in.Unowned)-show)
			break
		}
		a.progressf("x: note: no component owns %s: it is not packaged", name)
	}
}

// loadConfig reads the configuration files, --set and flags.
func (a *app) loadConfig() (config.Config, error) {
	cfg, err := config.Load(a.configSource())
	return cfg, usage(err)
}

// configSource says where the configuration comes from.
func (a *app) configSource() config.Source {
	src := config.Source{
		Path: a.flags.config, Dir: a.Dir, ReadFile: a.readConfigFile, Getenv: a.getenv, Sets: a.flags.set, Host: thisHost(),
	}
	src.Flags = append(src.Flags, a.configFlags...)
	if a.flags.jobs != 0 {
		src.Flags = append(src.Flags, config.Flag{Name: "--jobs", Key: "build.jobs", Value: strconv.Itoa(a.flags.jobs)})
	}
	if a.flags.buildDir != "" {
		src.Flags = append(src.Flags, config.Flag{Name: "--build-dir", Key: "build.build-dir", Value: a.flags.buildDir})
	}
	if a.flags.maxMemory != "" {
		src.Flags = append(src.Flags, config.Flag{Name: "--max-memory", Key: "dist.max-memory", Value: a.flags.maxMemory})
	}
	if a.flags.noReadBack {
		src.Flags = append(src.Flags, config.Flag{Name: "--no-read-back", Key: "dist.read-back", Value: "false"})
	}
	return src
}

// readConfigFile reads a configuration file. Only one that the user named may be a
// pipe.
func (a *app) readConfigFile(path string) ([]byte, error) {
	if a.flags.config != "" && path == a.path(a.flags.config) {
		return bootstrap.ReadConfigInput(path)
	}
	return bootstrap.ReadConfigFile(path)
}

// compressFlags adds the flags that dist and recompress share.
func (a *app) compressFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.flags.maxMemory, "max-memory", "", "`bytes` of memory that compression may take, such as 2GiB (default dist.max-memory of x.toml, else no limit)")
	f.BoolVar(&a.flags.noReadBack, "no-read-back", false, "do not decode every archive once more before it gets its name")
}

// thisHost guesses the triple of this machine, the default of build.build; the
// toolchain's own word replaces it once there is one.
func thisHost() targets.Triple { return targets.HostOf(runtime.GOOS, runtime.GOARCH) }

// path returns p, a path of the user, as an absolute path; "" stays "".
func (a *app) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.Dir, p)
}

// paths returns paths of the user as absolute ones.
func (a *app) paths(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = a.path(arg)
	}
	return out
}

func (a *app) buildDir(cfg config.Config) string { return a.path(cfg.Build.BuildDir) }

// sourceDateEpoch reads SOURCE_DATE_EPOCH.
func (a *app) sourceDateEpoch() (time.Time, error) {
	return bootstrap.SourceDate(a.getenv("SOURCE_DATE_EPOCH"))
}

// limitMemory holds Go's runtime to the bytes that compression may take, 0 for any
// number.
func (a *app) limitMemory(limit int64) {
	if limit > 0 && a.getenv("GOMEMLIMIT") == "" {
		// The estimates know nothing of garbage: let it be collected in time.
		debug.SetMemoryLimit(limit - limit/8)
	}
}

// fileExists reports whether path is there.
func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
