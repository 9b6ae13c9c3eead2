package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/builddir"
	"x.go/bootstrap/config"
	"x.go/bootstrap/toolchain"
	"x.go/dist/archive"
	"x.go/dist/xz"
	"x.go/targets"
)

// session is the state that the commands which build share.
type session struct {
	builder  *bootstrap.Builder
	progress *progress
	unlock   func()
}

// close gives the build folder back and ends the progress. It may be called
// again.
func (s *session) close() {
	s.progress.close()
	s.unlock()
}

// toolchain finds the input toolchain and reads the configuration as of its
// release, for keys come and go and rust.lld changed its meaning.
func (a *app) toolchain(ctx context.Context) (config.Config, toolchain.Toolchain, error) {
	newest, err := a.loadConfig()
	if err != nil {
		return config.Config{}, toolchain.Toolchain{}, err
	}
	tc, err := toolchain.Find(ctx, toolchain.Source{Sysroot: a.path(a.flags.sysroot), Rustc: a.path(newest.Build.Rustc), Env: a.Env})
	if err != nil {
		return config.Config{}, toolchain.Toolchain{}, err
	}
	src := a.configSource()
	src.Host, src.Release = tc.Host, tc.Version.Release
	cfg, err := config.Load(src)
	if err != nil {
		return config.Config{}, toolchain.Toolchain{}, usage(err)
	}
	return cfg, tc, checkChannel(cfg, tc)
}

// open loads the configuration, finds the toolchain and takes the build folder.
func (a *app) open(ctx context.Context) (*session, error) {
	modTime, err := a.sourceDateEpoch()
	if err != nil {
		return nil, err
	}
	cfg, tc, err := a.toolchain(ctx)
	if err != nil {
		return nil, err
	}
	text, err := a.configText(cfg)
	if err != nil {
		return nil, err
	}
	input, err := toolchain.ReadInput(tc)
	if err != nil {
		return nil, err
	}
	s := &session{progress: a.newProgress(), unlock: func() {}}
	if !a.flags.dryRun {
		s.unlock, err = builddir.Lock(ctx, a.buildDir(cfg), func(holder string) {
			a.progressf("x: waiting for the build folder %q, which %s uses", a.buildDir(cfg), holder)
		})
		if err != nil {
			return nil, err
		}
	}
	writer := a.writer(cfg, tc)
	writer.ModTime, writer.Progress = modTime, s.progress.packing
	s.progress.writer = writer
	s.builder = bootstrap.NewBuilder(bootstrap.Options{
		Config: cfg, ConfigText: text, Toolchain: tc, Input: input, BuildDir: a.buildDir(cfg), Env: a.Env,
		Version: buildVersion().released(), DryRun: a.flags.dryRun, Writer: writer, Notify: s.progress.event,
	})
	a.reportInput(tc, input)
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
		Path: a.flags.config, Dir: a.Dir, ReadFile: readConfigFile, Getenv: a.getenv, Sets: a.flags.set, Host: thisHost(),
	}
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

// compressFlags adds the flags that dist and recompress share.
func (a *app) compressFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.flags.maxMemory, "max-memory", "", "`bytes` of memory that compression may take, such as 2GiB (default dist.max-memory of x.toml, else no limit)")
	f.BoolVar(&a.flags.noReadBack, "no-read-back", false, "do not decode every archive once more before it gets its name")
}

// maxConfigSize bounds configuration files; the annotated example of x.py has
// 40 KB.
const maxConfigSize = 4 << 20

// readConfigFile reads a file that a stranger may have written.
func readConfigFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxConfigSize+1))
	if err == nil && len(data) > maxConfigSize {
		err = fmt.Errorf("got more than %d bytes, which no configuration has", maxConfigSize)
	}
	return data, err
}

// thisHost guesses the triple of this machine, the default of build.build; the
// toolchain's own word replaces it once there is one.
func thisHost() targets.Triple { return targets.HostOf(runtime.GOOS, runtime.GOARCH) }

// path makes a path of the user absolute, and keeps "" as it is.
func (a *app) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(a.Dir, p)
}

func (a *app) buildDir(cfg config.Config) string { return a.path(cfg.Build.BuildDir) }

// configText returns the main configuration file as it is.
func (a *app) configText(cfg config.Config) ([]byte, error) {
	name := cfg.MainFile()
	if name == "" {
		return nil, nil
	}
	data, err := readConfigFile(a.path(name))
	if err != nil {
		return nil, fmt.Errorf("reading config %q: %w", name, err)
	}
	return data, nil
}

// sourceDateEpoch reads SOURCE_DATE_EPOCH. The specification wants a malformed
// value to be an error: a build that only looks reproducible helps nobody.
func (a *app) sourceDateEpoch() (time.Time, error) {
	text, ok := a.lookupenv("SOURCE_DATE_EPOCH")
	if !ok || text == "" {
		return time.Time{}, nil
	}
	// Directories of archives carry 2006; a year that a date cannot hold in
	// four digits would break the channel's date.
	const last = 253402300799 // 9999-12-31T23:59:59Z
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > last {
		return time.Time{}, usagef("reading SOURCE_DATE_EPOCH %q: want a number of seconds from 0 to %d", text, last)
	}
	return time.Unix(n, 0).UTC(), nil
}

// fastMemory is what the profile fast gets by with unless somebody says
// otherwise, so that the default fits a small machine.
const fastMemory = 1 << 30

// writer configures the archive writer.
func (a *app) writer(cfg config.Config, tc toolchain.Toolchain) archive.Writer {
	w := archive.Writer{
		Profile: archive.Profile(cfg.Dist.CompressionProfile),
		Order:   archive.KindOrder,
		Jobs:    cfg.Build.Jobs, SkipReadBack: !cfg.X.Dist.ReadBack, Formats: []archive.Format{archive.GZ, archive.XZ},
	}
	w.MaxMemory = a.memoryLimit(cfg, w.Profile)
	if cfg.IsSet("dist.compression-formats") {
		w.Formats = nil
		for _, f := range cfg.Dist.CompressionFormats {
			w.Formats = append(w.Formats, archive.Format(f))
		}
	}
	if cfg.X.Dist.BCJ {
		w.BCJ = branchFilter(tc.Spec.Arch)
	}
	return w
}

// memoryLimit returns the bytes that compression may take, 0 for any number, and
// holds the runtime of Go to them too.
func (a *app) memoryLimit(cfg config.Config, profile archive.Profile) int64 {
	limit := cfg.X.Dist.MaxMemory
	if limit == 0 && profile == archive.Fast {
		limit = fastMemory
	}
	if limit > 0 && a.getenv("GOMEMLIMIT") == "" {
		// The estimates know nothing of garbage: let it be collected in time.
		debug.SetMemoryLimit(limit - limit/8)
	}
	return limit
}

// branchFilter returns the filter for the machine code of an architecture.
func branchFilter(arch string) xz.BCJ {
	switch arch {
	case "x86_64", "x86":
		return xz.BCJX86
	case "aarch64":
		return xz.BCJARM64
	}
	return xz.BCJNone
}

// checkChannel refuses a configuration for another channel than the compiler's,
// whose name is in file names and inside the compiler itself.
func checkChannel(cfg config.Config, tc toolchain.Toolchain) error {
	want := cfg.Rust.Channel
	if !cfg.IsSet("rust.channel") || want == "auto-detect" || want == tc.Version.Channel() {
		return nil
	}
	return usagef("%s: rust.channel: got %q, want %q, which rustc %s was built as", cfg.Origin("rust.channel"), want, tc.Version.Channel(), tc.Version.Release)
}

// fileExists reports whether path is there.
func fileExists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
