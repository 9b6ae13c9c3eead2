package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/builddir"
	"x.go/bootstrap/config"
	"x.go/dist"
	"x.go/dist/archive"
	"x.go/dist/recompress"
	"x.go/dist/xz"
	"x.go/manifests"
)

// recompressFlags are the flags of x recompress.
type recompressFlags struct{ formats, profile, out, shard, bcj, blockSize string }

func (a *app) recompressCommand() *cobra.Command {
	var f recompressFlags
	cmd := &cobra.Command{
		Use:   "recompress file...",
		Short: "Compress archives once more, harder, for a release",
		Long: `Compress archives once more, harder than a build has time for: the step between
CI and the public server. Inputs are .tar, .tar.gz, .tar.xz and .tar.zst files; a
directory stands for the archives directly in it. Outputs go to --out, or beside
their inputs, and replace files of the same name. Files of one name in several
formats are one archive, so their contents must be equal.

The tar stream stays the same, byte for byte. An archive gets its name only after
x has decoded it and compared its checksum with what was read. --no-read-back is
refused where an output would replace its input, so that no input is ever lost. x
writes NAME.sha256 beside each output. Signatures and channels of replaced
archives no longer match: create them again.

A run may be killed. The next one skips what is done: ` + recompress.RecordName + `
beside the outputs records which content was compressed with which settings. A bad
archive does not stop the others; every failure is reported at the end.

--shard 2/8 takes the second of eight parts of about equal size, for eight
machines that have the same archives. Only one run at a time works in a directory,
so each machine needs its own. For many machines, or where the same archives come
again, use tasks: x recompress plan.

Of the configuration, only build.jobs and, from x.toml, dist.max-memory and
dist.read-back count, not the formats and the profile of x dist.`,
		Example: `  x recompress build/dist
  x recompress --formats xz,zst --out release ci/*.tar.xz
  x recompress --shard 2/8 --out part2 ci
  x recompress --bcj auto --max-memory 4GiB --dry-run ci
  x recompress plan --out plan.json ci`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("got no archives: name files or a directory of them")
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"tar", "gz", "xz", "zst"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.recompress(cmd.Context(), args, f) },
	}
	f.addSettings(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "write into this `directory`, and create it if needed (default that of each input)")
	flags.StringVar(&f.shard, "shard", "", "take only the `part` i/n of the archives, such as 2/8")
	a.compressFlags(cmd)
	cobra.CheckErr(cmd.MarkFlagDirname("out"))
	cmd.AddCommand(a.recompressPlanCommand(), a.recompressTaskCommand(), a.recompressCollectCommand(), a.recompressEngineCommand())
	hideGlobals(cmd, "sysroot", "build-dir")
	return cmd
}

// addSettings adds the flags that decide the bytes of archives.
func (f *recompressFlags) addSettings(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.formats, "formats", "gz,xz", "write these comma-separated `formats`: gz, xz, zst")
	flags.StringVar(&f.profile, "profile", string(archive.Best), "compress as hard as this `profile`: fast, balanced or best")
	flags.StringVar(&f.bcj, "bcj", xz.BCJNone.String(), "use this branch `filter` in .tar.xz, the one of the machine code inside: none, x86 or arm64, which rustup does not decode, or auto: x86 where a sample of the archive gets smaller by it")
	flags.StringVar(&f.blockSize, "block-size", "", "cut .tar.xz into blocks of so many `bytes`, such as 128MiB; small ones cost size (default that of the profile)")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("formats", completeList(string(archive.GZ), string(archive.XZ), string(archive.Zst))))
	complete(cmd, "profile", string(archive.Fast), string(archive.Balanced), string(archive.Best))
	complete(cmd, "bcj", xz.BCJNone.String(), xz.BCJX86.String(), xz.BCJARM64.String(), xz.BCJAuto.String())
}

// sizeFlag reads the value of a flag in bytes; "" is 0.
func sizeFlag(flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := config.ParseSize(text)
	if err != nil {
		err = fmt.Errorf("reading --%s: %w", flag, err)
	}
	return n, err
}

// completeList offers fixed values for a list with commas.
func completeList(values ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, text string) ([]string, cobra.ShellCompDirective) {
		given := strings.Split(text, ",")
		given = given[:len(given)-1]
		var out []string
		for _, v := range values {
			if !slices.Contains(given, v) {
				out = append(out, strings.Join(append(slices.Clone(given), v), ","))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// recompressOptions returns the options of flags and configuration.
func (a *app) recompressOptions(cfg config.Config, f recompressFlags) (recompress.Options, error) {
	r := recompress.Options{Dir: a.path(f.out), Jobs: cfg.Build.Jobs, SkipReadBack: !cfg.X.Dist.ReadBack}
	var errs []error // all mistakes are reported at once, as those of the configuration are
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	var err error
	for name := range strings.SplitSeq(f.formats, ",") {
		format, err := manifests.ParseFormat(name)
		note(err)
		if slices.Contains(r.Formats, format) {
			note(fmt.Errorf("reading --formats: got %q twice", name))
		}
		r.Formats = append(r.Formats, format)
	}
	r.Profile, err = archive.ParseProfile(f.profile)
	if err == nil && r.Profile == archive.NoOp {
		err = fmt.Errorf("reading --profile: got %q, want fast, balanced or best", f.profile)
	}
	note(err)
	r.BCJ, err = xz.ParseBCJ(f.bcj)
	note(err)
	r.BlockSize, err = sizeFlag("block-size", f.blockSize)
	note(err)
	if f.shard != "" {
		r.Shard, err = recompress.ParseShard(f.shard)
		note(err)
	}
	r.MaxMemory = bootstrap.MemoryLimit(cfg, r.Profile)
	a.limitMemory(r.MaxMemory)
	return r, usage(errors.Join(errs...))
}

// recompress plans and does the work.
func (a *app) recompress(ctx context.Context, args []string, f recompressFlags) error {
	cfg, err := a.loadConfig()
	if err != nil {
		return err
	}
	r, err := a.recompressOptions(cfg, f)
	if err != nil {
		return err
	}
	files := make([]string, 0, len(args))
	for _, path := range args {
		files = append(files, a.path(path))
	}
	p := a.newProgress()
	defer p.close()
	r.Progress = p.packing
	p.writer = archive.Writer{Formats: r.Formats, Profile: r.Profile, Jobs: r.Jobs, MaxMemory: r.MaxMemory}
	if !a.flags.dryRun {
		// Before the plan: another run may be writing what it would read.
		unlock, err := a.lockOutputs(ctx, r, files)
		if err != nil {
			return err
		}
		defer unlock()
	}
	todo, err := recompress.Plan(ctx, files, r)
	if err != nil {
		return err
	}
	plans := []archive.Plan{}
	for _, plan := range todo.Plans {
		plans = append(plans, plan.Plan)
	}
	if len(plans) > 0 { // all done: there is nothing to say about memory
		p.plan(plans)
	}
	if r.BCJ == xz.BCJARM64 {
		a.progressf("x: warning: rustup does not decode the filter arm64: liblzma knows it from 5.4 on, rustup 1.29 has 5.2")
	}
	if a.flags.dryRun {
		p.close()
		return errors.Join(a.printRecompressPlan(todo), errors.Join(todo.Problems...))
	}
	done, err := todo.Run(ctx)
	p.close() // before the table: a bar that redraws itself would tear it
	a.noteOutdated(done)
	return errors.Join(a.printRecompressed(done, p.compression(), err), err)
}

// lockOutputs locks the directories of the outputs for this process, and removes
// what killed runs left there. For the dist directory of a build, it locks the build
// directory instead: that is what `x dist` locks.
func (a *app) lockOutputs(ctx context.Context, r recompress.Options, files []string) (unlock func(), err error) {
	var dirs []string
	for _, path := range files {
		dir := path
		if info, err := os.Stat(path); err != nil {
			continue // a problem of the plan
		} else if !info.IsDir() {
			dir = filepath.Dir(path)
		}
		dirs = append(dirs, filepath.Clean(cmp.Or(r.Dir, dir)))
	}
	slices.Sort(dirs) // so that two runs do not wait for each other
	var unlocks []func()
	unlock = func() {
		for _, u := range unlocks {
			u()
		}
	}
	for _, dir := range slices.Compact(dirs) {
		u, err := a.lockOutput(ctx, dir)
		if err != nil {
			unlock()
			return nil, err
		}
		unlocks = append(unlocks, u)
	}
	return unlock, nil
}

// lockOutput is [app.lockOutputs] for one directory.
func (a *app) lockOutput(ctx context.Context, dir string) (unlock func(), err error) {
	locked := dir
	if made, err := builddir.Claimed(filepath.Dir(dir)); err == nil && slices.Contains(made, filepath.Base(dir)) {
		locked = filepath.Dir(dir)
	}
	root, err := dist.OpenDir(locked)
	if err != nil {
		return nil, fmt.Errorf("opening directory %q: %w", locked, dist.WithoutPath(err))
	}
	lock, err := dist.Lock(ctx, root, func(holder string) {
		a.progressf("x: waiting for the directory %q, which %s uses", locked, holder)
	})
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	unlock = func() {
		lock.Release()
		_ = root.Close()
	}
	out, err := dist.OpenDir(dir)
	if err == nil {
		_, err = dist.RemoveStale(out)
		err = errors.Join(err, out.Close())
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

// noteOutdated names the files beside new archives that describe the old ones.
func (a *app) noteOutdated(done []recompress.Result) {
	var dirs, signatures []string
	for _, r := range done {
		for _, ar := range r.Archives {
			if ar.Done {
				continue
			}
			dirs = append(dirs, filepath.Dir(ar.Path))
			if fileExists(ar.Path + ".asc") {
				signatures = append(signatures, ar.Name+".asc")
			}
		}
	}
	slices.Sort(dirs)
	for _, dir := range slices.Compact(dirs) {
		entries, _ := os.ReadDir(dir) // the directory was just written to, so only the note is lost
		channels := 0
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "channel-rust-") && strings.HasSuffix(e.Name(), ".toml") {
				channels++
			}
		}
		if channels > 0 {
			a.progressf("x: note: %s in %q may hold checksums of the old archives: create them again", plural(channels, "channel manifest"), dir)
		}
	}
	if len(signatures) > 0 {
		a.progressf("x: note: %s of the old archives: sign again: %s", plural(len(signatures), "signature"), strings.Join(signatures, ", "))
	}
}
