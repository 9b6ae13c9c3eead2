package bootstrap

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"x.go/bootstrap/builddir"
	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/bootstrap/marks"
	"x.go/bootstrap/toml"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/install"
	"x.go/dist/store"
	"x.go/dist/xz"
	"x.go/targets"
)

// Options say what to build from, and how. The zero value is what `x dist` does in
// the current directory.
type Options struct {
	// Config says where the configuration comes from. Host and Release in it do not
	// count: the toolchain knows better. If Dir is "", it is the current directory; if
	// ReadFile is nil, files are those of the disk; if Getenv is nil, Env is asked.
	Config config.Source
	// Sysroots are the input toolchains, one for each host, or build directories of x.py.
	// None stand for that of build.rustc, else of rustc on PATH; if build.host names
	// several hosts, for those in the build directory.
	Sysroots []string
	// Hosts are the hosts to work for; none stand for those of build.host or, if that is
	// not set, for all that have a toolchain. Of a compiler that does not run here and whose
	// files do not tell its host, it is one of them.
	Hosts []targets.Triple
	// Release is that of a compiler that does not run here and whose files do not tell it.
	Release targets.Release
	// OneHost has one of several hosts picked: this machine's.
	OneHost bool
	// Toolchain, if not nil, is the input, asked before. Sysroots do not count then.
	Toolchain *toolchain.Toolchain
	// Env is the environment of the programs that a build runs, as in
	// [os/exec.Cmd]; nil means that of this process.
	Env []string
	// Version is that of the calling program, for the build record.
	Version string
	// Store, if not nil, has archives by what their bytes depend on, as tasks of package
	// recompress keep them. What it has is not compressed, and what it lacks is put there.
	Store *store.Store
	// CompressLater writes .tar.gz of the profile fast alone, whatever the configuration
	// says: the least that holds the content and makes a channel, for recompression.
	CompressLater bool
	// DryRun records the plan and touches nothing.
	DryRun bool
	// Notify, if not nil, is told of each action when it starts, of notes and of
	// how archives are going to be compressed.
	Notify func(Event)
	// Progress, if not nil, is told how far archives are: see [archive.Writer].
	Progress func(archive.Progress)
	// Waiting, if not nil, is called once if another process, holder, has the directory
	// dir, where this one builds or installs.
	Waiting func(dir, holder string)
}

// OptionError is an error in what the caller asked for, not in the work: nothing has
// been touched. Errors of the configuration files are a [config.Errors] instead.
type OptionError struct {
	Option string // such as "SOURCE_DATE_EPOCH" or "dist.compression-formats"
	Err    error
}

// Error implements [error].
func (e *OptionError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *OptionError) Unwrap() error { return e.Err }

// optionErrorf returns an OptionError.
func optionErrorf(option, format string, args ...any) error {
	return &OptionError{option, fmt.Errorf(format, args...)}
}

// Load finds the input toolchain and loads the configuration as of its release:
// keys come and go, and rust.lld has changed its meaning. Each file is read once. Of
// several toolchains it is that of [Options.OneHost], whatever that says.
func Load(ctx context.Context, o Options) (config.Config, toolchain.Toolchain, error) {
	o.OneHost = true
	if err := o.fill(); err != nil {
		return config.Config{}, toolchain.Toolchain{}, err
	}
	in, err := o.load(ctx)
	if err != nil {
		return config.Config{}, toolchain.Toolchain{}, err
	}
	return in[0].cfg, in[0].tc, nil
}

// begin fills o, and returns the time of the files that a Builder writes.
func (o *Options) begin() (modTime time.Time, err error) {
	if err := o.fill(); err != nil {
		return time.Time{}, err
	}
	return SourceDate(o.getenv("SOURCE_DATE_EPOCH"))
}

// fill replaces zero values by their defaults.
func (o *Options) fill() error {
	if o.Config.Dir == "" {
		dir, err := os.Getwd()
		if err != nil {
			return err
		}
		o.Config.Dir = dir
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Config.Getenv == nil {
		o.Config.Getenv = o.getenv
	}
	if o.Config.ReadFile == nil {
		o.Config.ReadFile = ReadConfigFile
	}
	o.Config = o.Config.Cached()
	return nil
}

// load finds the input toolchains, and loads the configuration for each.
func (o *Options) load(ctx context.Context) ([]inputs, error) {
	all, err := o.toolchains(ctx)
	if err != nil {
		return nil, err
	}
	var out []inputs
	for _, tc := range all {
		cfg, err := o.configure(tc)
		if err != nil {
			return nil, err
		}
		out = append(out, inputs{cfg: cfg, tc: tc})
	}
	return out, nil
}

// configure loads the configuration for a toolchain.
func (o *Options) configure(tc toolchain.Toolchain) (config.Config, error) {
	src := o.Config
	src.Host, src.Release = tc.Host, tc.Version.Release
	cfg, err := config.Load(src)
	if err != nil {
		return cfg, err
	}
	// The channel is in file names and inside the compiler itself.
	if want := cfg.Rust.Channel; cfg.IsSet("rust.channel") && want != "auto-detect" && want != tc.Version.Channel() {
		return cfg, optionErrorf("rust.channel", "%s: rust.channel: got %q, want %q, which rustc %s was built as",
			cfg.Origin("rust.channel"), want, tc.Version.Channel(), tc.Version.Release)
	}
	return cfg, nil
}

// toolchains finds the input. Only keys of [build] are needed to find it, which have had
// one meaning in all releases.
func (o *Options) toolchains(ctx context.Context) ([]toolchain.Toolchain, error) {
	if o.Toolchain != nil {
		return []toolchain.Toolchain{*o.Toolchain}, nil
	}
	src := o.Config
	src.Host, src.Release = targets.HostOf(runtime.GOOS, runtime.GOARCH), targets.Release{}
	cfg, refused := config.Load(src)
	found, err := toolchain.FindAll(ctx, o.Trees(cfg))
	if err != nil && refused != nil {
		return nil, refused
	}
	if err != nil { // the toolchain's release decides what is refused
		return nil, err
	}
	for _, tc := range found.Left {
		o.notify("%s: it is left out: its host %s is not asked for", tc.Sysroot, tc.Host)
	}
	return o.Pick(cfg, found)
}

// Pick returns the toolchains to work on, of those that were found. With an [OptionError],
// it returns those that are there.
func (o *Options) Pick(cfg config.Config, found toolchain.Found) ([]toolchain.Toolchain, error) {
	if o.OneHost {
		return o.oneOf(found.Toolchains)
	}
	if len(found.Missing) > 0 {
		return found.Toolchains, missingHosts(cfg, found, len(o.Hosts) > 0)
	}
	return found.Toolchains, nil
}

// Trees says where the toolchains of a configuration are.
func (o *Options) Trees(cfg config.Config) toolchain.Trees {
	t := toolchain.Trees{
		Source: toolchain.Source{Rustc: o.path(cfg.Build.Rustc), Env: o.Env, Given: marks.Given{Release: o.Release, Libdir: libdir(cfg)}},
		Hosts:  o.Hosts, Named: len(o.Hosts) > 0, BuildDir: o.path(cfg.Build.BuildDir),
	}
	if !t.Named && cfg.IsSet("build.host") {
		t.Hosts = cfg.Build.Host
	}
	for _, dir := range o.Sysroots {
		t.Sysroots = append(t.Sysroots, o.path(dir))
	}
	return t
}

// libdir returns install.libdir as a directory of a sysroot; "" if it is none.
func libdir(cfg config.Config) string {
	if !cfg.IsSet("install.libdir") {
		return ""
	}
	dir := filepath.ToSlash(filepath.Clean(cfg.Install.Libdir))
	if rel, err := filepath.Rel(cmp.Or(cfg.Install.Prefix, "/usr/local"), dir); filepath.IsAbs(dir) && err == nil {
		dir = filepath.ToSlash(rel)
	}
	if !filepath.IsLocal(dir) {
		return ""
	}
	return dir
}

// oneOf returns the toolchain of this machine, or the only one.
func (o *Options) oneOf(all []toolchain.Toolchain) ([]toolchain.Toolchain, error) {
	here := targets.HostOf(runtime.GOOS, runtime.GOARCH)
	i := slices.IndexFunc(all, func(tc toolchain.Toolchain) bool { return tc.Host == here })
	if len(all) == 1 {
		i = 0
	}
	if i < 0 {
		var names []string
		for _, tc := range all {
			names = append(names, tc.Host.String())
		}
		return nil, optionErrorf("--host", "finding the toolchain: there are several, and none is for this machine: %s: name one with --host", strings.Join(names, ", "))
	}
	return all[i : i+1], nil
}

// missingHosts is the error of hosts that have no toolchain.
func missingHosts(cfg config.Config, found toolchain.Found, named bool) error {
	var missing, have []string
	for _, h := range found.Missing {
		missing = append(missing, h.String())
	}
	for _, tc := range found.Toolchains {
		have = append(have, tc.Host.String())
	}
	option, place := "--host", "--host"
	if !named {
		option, place = "build.host", fmt.Sprintf("%s: build.host", cfg.Origin("build.host"))
	}
	return optionErrorf(option, "%s names %s, and there is no toolchain for it: give it with --sysroot, or package those that are there with --host %s", place, strings.Join(missing, ", "), strings.Join(have, ","))
}

// notify tells a note before there is a Builder.
func (o *Options) notify(format string, args ...any) {
	if o.Notify != nil {
		o.Notify(Event{Note: fmt.Sprintf(format, args...)})
	}
}

// Open loads the configuration, asks the toolchains, sorts their files into components,
// and takes the build directory: after it, [Builder.Dist] and [Builder.Install] do what
// `x dist` and `x install` do, with the same defaults. Close the Builder to give the
// build directory back.
//
// The error is a [config.Errors] or an [OptionError] if somebody has to change what
// was asked for.
func Open(ctx context.Context, o Options) (*Builder, error) {
	modTime, err := o.begin()
	if err != nil {
		return nil, err
	}
	all, err := o.load(ctx)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].input, err = toolchain.ReadInput(all[i].tc); err != nil {
			return nil, err
		}
	}
	lendStd(all)
	return o.builder(ctx, modTime, all...)
}

// builder returns a Builder of what all have, each of one host, and of the options. It
// takes the build directory.
func (o *Options) builder(ctx context.Context, modTime time.Time, all ...inputs) (*Builder, error) {
	var hosts []*Builder
	for _, in := range all {
		in.buildDir, in.env, in.version, in.dryRun = o.path(in.cfg.Build.BuildDir), o.Env, cmp.Or(o.Version, "devel"), o.DryRun
		in.writer, in.store, in.tell, in.waiting = writer(in.cfg, in.tc), o.Store, o.Notify, o.Waiting
		b := newBuilder(in)
		b.writer.ModTime, b.writer.Progress = modTime, o.Progress
		b.compressBy(*o)
		hosts = append(hosts, b)
	}
	b := hosts[0]
	b.join(hosts)
	if err := b.openDir(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// compressBy applies the options that say how archives are compressed.
func (b *Builder) compressBy(o Options) {
	if o.Store != nil {
		b.writer.SkipReadBack = false // others take what is there
	}
	if o.CompressLater {
		b.writer.Formats, b.writer.Profile = []archive.Format{archive.GZ}, archive.Fast
	}
}

// openDir takes the build directory, unless nothing is going to be written.
func (b *Builder) openDir(ctx context.Context) error {
	if b.dryRun {
		return nil
	}
	dir, err := builddir.Open(ctx, b.buildDir, func(holder string) {
		if b.waiting != nil {
			b.waiting(b.buildDir, holder)
		}
	})
	for _, h := range b.hosts {
		h.dir = dir
	}
	return err
}

// path returns p as an absolute path; "" stays "".
func (o *Options) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(o.Config.Dir, p)
}

// getenv returns the last setting of a variable in Env, as a started program sees
// it.
func (o *Options) getenv(name string) string {
	for i := len(o.Env) - 1; i >= 0; i-- {
		if k, v, ok := strings.Cut(o.Env[i], "="); ok && k == name {
			return v
		}
	}
	return ""
}

// SourceDate reads the value of SOURCE_DATE_EPOCH; "" is the zero time. A malformed
// value is an error, as its specification wants: a build that only looks
// reproducible helps nobody.
func SourceDate(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	// The channel's date has four digits for the year.
	const last = 253402300799 // 9999-12-31T23:59:59Z
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > last {
		return time.Time{}, optionErrorf("SOURCE_DATE_EPOCH", "reading SOURCE_DATE_EPOCH %q: want a number of seconds from 0 to %d", text, last)
	}
	return time.Unix(n, 0).UTC(), nil
}

// ReadConfigFile reads a configuration file, which a stranger may have written: it
// takes at most what [toml.Parse] does.
func ReadConfigFile(path string) ([]byte, error) { return dist.ReadFile(path, toml.MaxSize) }

// ReadConfigInput is [ReadConfigFile] for a path that the user named: it may be a pipe.
func ReadConfigInput(path string) ([]byte, error) { return dist.ReadInput(path, toml.MaxSize) }

// writer configures the archive writer.
func writer(cfg config.Config, tc toolchain.Toolchain) archive.Writer {
	w := archive.Writer{
		Profile: archive.Profile(cfg.Dist.CompressionProfile),
		Order:   archive.KindOrder,
		Jobs:    cfg.Build.Jobs, SkipReadBack: !cfg.X.Dist.ReadBack, Formats: []archive.Format{archive.GZ, archive.XZ},
	}
	w.MaxMemory = MemoryLimit(cfg, w.Profile)
	if cfg.IsSet("dist.compression-formats") {
		w.Formats = nil
		for _, f := range cfg.Dist.CompressionFormats {
			w.Formats = append(w.Formats, archive.Format(f))
		}
	}
	if cfg.X.Dist.BCJ {
		w.BCJ = xz.BCJAuto
	}
	return w
}

// fastMemory is what the profile fast may take unless somebody says otherwise, in
// bytes, so that the default fits a small machine.
const fastMemory = 1 << 30

// MemoryLimit returns the bytes that compression with a profile may take, 0 for any
// number: dist.max-memory, else 1 GiB for the profile fast.
func MemoryLimit(cfg config.Config, profile archive.Profile) int64 {
	if limit := cfg.X.Dist.MaxMemory; limit != 0 || profile != archive.Fast {
		return limit
	}
	return fastMemory
}

// Dist writes the archives of a selection, and the channel that describes them, to
// [Builder.DistDir].
func (b *Builder) Dist(ctx context.Context, s Selection) (Dist, error) {
	if err := b.checkWriter(); err != nil {
		return Dist{}, err
	}
	return ensure(ctx, b, channelStep{s})
}

// checkWriter returns an error for a configuration by which no archive can be written.
func (b *Builder) checkWriter() error {
	if len(b.writer.Formats) == 0 {
		return optionErrorf("dist.compression-formats", "%s: dist.compression-formats can't be empty: name gz, xz or zst, or leave the key out for gz and xz", b.cfg.Origin("dist.compression-formats"))
	}
	if b.writer.Profile == archive.NoOp {
		return optionErrorf("dist.compression-profile", "%s: dist.compression-profile = 'no-op' can only be used for `x install`: name fast, balanced or best", b.cfg.Origin("dist.compression-profile"))
	}
	return nil
}

// InstallDirs returns the directories of the builder's configuration.
func (b *Builder) InstallDirs() InstallDirs { return ConfiguredDirs(b.cfg) }

// Components lays out the components of a selection, as [Builder.Install] installs them.
func (b *Builder) Components(ctx context.Context, s Selection) ([]dist.Component, error) {
	components, _, err := b.selected(ctx, s)
	return components, err
}

// Install installs the components of a selection into dirs, below dirs.DestDir if
// that is set.
func (b *Builder) Install(ctx context.Context, s Selection, dirs InstallDirs) (install.Installed, error) {
	if !filepath.IsAbs(dirs.Prefix) {
		return install.Installed{}, optionErrorf("install.prefix", "install.prefix %q: want an absolute path", dirs.Prefix)
	}
	parts := dist.ProgramDirs{Prefix: dirs.Prefix, Bindir: dirs.Bindir, Libdir: dirs.Libdir}
	if key, err := parts.Parted(); err != nil {
		return install.Installed{}, optionErrorf(key, "%s: %s: %w: remove it, or set install.bindir and install.libdir to bin and lib of one directory", b.cfg.Origin(key), key, err)
	}
	return ensure(ctx, b, installStep{Selection: s, To: dirs})
}

// Sysroot assembles the toolchain in [Builder.SysrootDir], with LLD as the
// configuration has it, and returns what it has of LLD.
func (b *Builder) Sysroot(ctx context.Context) (lld.Outcome, error) {
	decided, err := ensure(ctx, b, decideLLDStep{})
	if err != nil {
		return decided, err
	}
	_, err = ensure(ctx, b, sysrootStep{})
	return decided, err
}

// Toolchain returns the input toolchain.
func (b *Builder) Toolchain() toolchain.Toolchain { return b.tc }

// Input returns the files of the toolchain by component.
func (b *Builder) Input() toolchain.Input { return b.input }

// Writer returns how archives are written.
func (b *Builder) Writer() archive.Writer { return b.writer }

// Close gives the build directory back. It may be called again.
func (b *Builder) Close() {
	if b.dir != nil {
		b.dir.Close()
	}
	for _, h := range b.hosts {
		h.dir = nil
	}
}
