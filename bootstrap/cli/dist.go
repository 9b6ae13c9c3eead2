package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"x.go/bootstrap"
	"x.go/bootstrap/lld"
	"x.go/dist"
	"x.go/dist/archive"
	"x.go/manifests"
)

// distFlags are the flags of x dist.
type distFlags struct {
	store string
	later bool
	// source is a source tree, if any of it is wanted.
	source string
}

func (a *app) distCommand() *cobra.Command {
	var f distFlags
	var given givenFlags
	cmd := &cobra.Command{
		Use:   "dist [component...]",
		Short: "Write archives and a channel to build/dist",
		Long: `Write to build/dist an archive of each component of the toolchain, the combined
archive "rust", a channel that rustup installs from, and checksums.

Without arguments, x packages everything that the toolchain has and the
configuration allows. With arguments, it writes only those archives: rustc,
rust-std, cargo, rustfmt, clippy, rust-docs and so on, or rust for the combined
one. The channel lists them, and archives of earlier runs. Install from it with:

  RUSTUP_DIST_SERVER=file://$PWD/build rustup toolchain install 1.95.0

What was compressed before is not compressed again: x reads the files once for the
digest of each tar stream, and takes the archive that build/dist has of it, compared
with its digest. With --store, archives are also taken from a store, a directory or a
bucket that machines share, and put there if they are absent. Keys are those of
x recompress task: the digest of the tar stream, that of the settings and the version
of the compressor. What is damaged is said and made again, also in the store.

--dry-run reads no content, so it only says which archives are there from before, and
that a store is asked: whether files and settings are the same shows when they are read.

--compress-later writes only .tar.gz of the profile fast, whatever
dist.compression-formats and dist.compression-profile say, with .sha256 and a channel
that can be installed from. It takes a tenth of the time of .tar.xz. x recompress and
x recompress plan take them, and the channel is then made by x channel make.

If the toolchain has rust-docs and rustc-docs, and the configuration allows both, the
archive of rust-docs lists its files and directories one by one, since rustc-docs lies
in its directory: upstream's list would let the removal of one delete the other's files.
build.compiler-docs = false keeps upstream's list.

SOURCE_DATE_EPOCH sets the time of the files and the channel's date.

--source names a source tree of Rust: of it are rustc-src, the archive
rustc-VERSION-src of all sources with the vendored crates, from which distributions
build, and rust-src, the library's sources for users. Without other names, these two
are written, and no toolchain is needed; rustc-src-gpl has GCC's source, too. x packs
what x.py does, in the same layout, and runs nothing of the tree, not even git. It
stops at build products, absolute paths, links that leave the tree, and vendored crates
that were changed. Crates that a distribution has left out are a warning, and are
recorded in the archive. Vendor the crates before, with x.py vendor; dist.vendor = false
leaves them out.

--max-memory bounds what compression takes. To fit, x first runs fewer threads and
fewer archives at once. It then shrinks blocks and dictionaries, which makes
archives larger. What still does not fit is an error before any work. --verbose
and --dry-run show what x chose. The last column of the answer is the memory that
unpacking takes.

The compiler need not run here. If it is for another machine, x runs it by QEMU where
qemu-user and its libraries are there, and reads the host, the release and the commit
from its files; both must agree. ` + "`x check`" + ` says how each fact is known. What no file
says is given with --host and --release.

Several hosts are packaged at once, into one channel: --sysroot may be repeated, or be a
build directory of x.py with several <host>/stage2. They are all that are there, those of
build.host if that is set, or those of --host. Without --sysroot, the hosts of a
build.host that names several are looked for in the build directory, too. A host without
a toolchain is an error, as are two releases. Standard libraries may be in any of the
toolchains; what several have, such as rust-src, must be equal.`,
		Example: `  x dist
  x dist rustc rust-std cargo --set 'dist.compression-formats=["xz"]'
  x dist --set rust.lld=false
  x dist --set dist.compression-profile=best --max-memory 2GiB
  x dist --store s3://rust-kept/nightly
  x dist --compress-later
  x dist rustc-src --source ../rust --set rust.channel=auto-detect
  x dist --sysroot debian/arm64/usr --release 1.63
  x dist --sysroot ../rust/build
  x dist --sysroot ~/rust-x86_64 --sysroot ~/rust-aarch64
  x dist --dry-run --json`,
		ValidArgsFunction: a.completeComponents,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.give(given); err != nil {
				return err
			}
			return a.dist(cmd, args, f)
		},
	}
	given.add(cmd)
	a.compressFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.store, "store", "", "take archives that were compressed before from this `store`, and put new ones there: a directory, file:///PATH or s3://BUCKET/PREFIX")
	flags.BoolVar(&f.later, "compress-later", false, "write only .tar.gz of the profile fast, for x recompress")
	flags.StringVar(&f.source, "source", "", "make rustc-src and rust-src of the source tree in this `directory`")
	cobra.CheckErr(cmd.MarkFlagDirname("store"))
	cobra.CheckErr(cmd.MarkFlagDirname("source"))
	return cmd
}

// distAnswer is what `x dist --json` prints.
type distAnswer struct {
	Dist    string      `json:"dist"`
	Release string      `json:"release"`
	Host    string      `json:"host"` // the first of Hosts
	LLD     lld.Outcome `json:"lld"`
	// Hosts are the toolchains that were packaged.
	Hosts    []bootstrap.DistHost `json:"hosts"`
	Archives []archiveAnswer      `json:"archives"`
	Channel  []string             `json:"channel"`
	// Compression says how the archives were compressed.
	Compression compressionAnswer `json:"compression"`
}

type compressionAnswer struct {
	Profile   archive.Profile `json:"profile"`
	MaxMemory int64           `json:"max_memory,omitempty"` // bytes; 0 is no limit
	Memory    int64           `json:"memory"`               // bytes, about, at most
	Plans     []archive.Plan  `json:"plans"`
}

type archiveAnswer struct {
	Name      string         `json:"name"`
	Component string         `json:"component"`
	Source    string         `json:"source,omitempty"` // src or src-gpl, of archives of sources
	Version   string         `json:"version"`
	Format    string         `json:"format"`
	Size      int64          `json:"size"`
	SHA256    manifests.Hash `json:"sha256"`
	// Kept says that it was compressed before.
	Kept bool `json:"kept"`
	// DecoderMemory is what unpacking takes, in bytes.
	DecoderMemory int64 `json:"decoder_memory"`
}

func (a *app) dist(cmd *cobra.Command, args []string, f distFlags) error {
	tree := f.source
	var sources, others []string
	for _, name := range args {
		switch {
		case bootstrap.IsSourceArchive(name) && tree != "":
			sources = append(sources, name)
		case bootstrap.IsSourceArchive(name) && name != "rust-src":
			return usagef("%s is made of a source tree: name one with --source", name)
		default:
			others = append(others, name)
		}
	}
	o := a.options()
	o.CompressLater = f.later
	if f.store != "" {
		kept, err := a.openStore(cmd.Context(), f.store)
		if err != nil {
			return err
		}
		defer kept.Close()
		o.Store = kept
	}
	var answer distAnswer
	var s *session
	if tree == "" || len(others) > 0 {
		var err error
		if s, answer, err = a.distOf(cmd.Context(), o, "", others); err != nil {
			return err
		}
	}
	if tree != "" && (len(sources) > 0 || len(args) == 0) {
		last, more, err := a.distOf(cmd.Context(), o, tree, sources)
		if err != nil {
			return err
		}
		if s == nil {
			answer.Dist, answer.Release = more.Dist, more.Release
		}
		s = last
		answer.Archives = append(answer.Archives, more.Archives...)
		answer.Compression.Plans = append(answer.Compression.Plans, more.Compression.Plans...)
		answer.Compression.Profile, answer.Compression.Memory = more.Compression.Profile, max(answer.Compression.Memory, more.Compression.Memory)
		if answer.Channel == nil {
			answer.Channel = more.Channel
		}
	}
	return a.answer(s, answer, func() { a.printDist(answer) })
}

// distOf writes archives of the toolchain or, if it is named, of a source tree.
func (a *app) distOf(ctx context.Context, o bootstrap.Options, tree string, names []string) (*session, distAnswer, error) {
	var s *session
	var err error
	if tree != "" {
		s, err = a.openSource(ctx, o, tree)
	} else {
		s, err = a.open(ctx, o)
	}
	if err != nil {
		return nil, distAnswer{}, err
	}
	defer s.close()
	answer, err := s.dist(ctx, tree != "", names)
	return s, answer, err
}

// dist writes the archives that args name.
func (s *session) dist(ctx context.Context, sources bool, args []string) (distAnswer, error) {
	var done bootstrap.Dist
	var err error
	if sources {
		done, err = s.DistSources(ctx, args)
	} else {
		var selection bootstrap.Selection
		if selection, err = s.Select(args...); err == nil {
			done, err = s.Dist(ctx, selection)
		}
	}
	if err != nil {
		return distAnswer{}, err
	}
	answer := distAnswer{
		Dist: s.DistDir(), Release: s.Toolchain().Version.Release.String(), Host: s.Toolchain().Host.String(),
		Hosts: append([]bootstrap.DistHost{}, done.Hosts...), Channel: done.Channel, Compression: s.progress.compression(),
	}
	if len(done.Hosts) > 0 {
		answer.LLD = done.Hosts[0].LLD
	}
	for _, ar := range done.Archives {
		answer.Archives = append(answer.Archives, archiveAnswer{
			Name: ar.Name, Component: ar.Listed.Component.Archive, Source: ar.Listed.Source, Version: ar.Listed.VersionText,
			Format: string(ar.Format), Size: ar.Size, SHA256: ar.SHA256, Kept: ar.Kept, DecoderMemory: ar.DecoderMemory,
		})
	}
	return answer, nil
}

// printDist prints a row for each archive, and below them the channel files.
func (a *app) printDist(answer distAnswer) {
	w := tabwriter.NewWriter(a.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ARCHIVE\tSIZE\tTO UNPACK")
	for _, ar := range answer.Archives {
		fmt.Fprintf(w, "%s\t%s\t%s\n", filepath.Join(answer.Dist, ar.Name), bootstrap.FormatSize(ar.Size), dist.FormatBytes(ar.DecoderMemory))
	}
	w.Flush()
	for _, name := range answer.Channel {
		if strings.HasSuffix(name, ".toml") {
			fmt.Fprintln(a.Stdout, filepath.Join(answer.Dist, name))
		}
	}
}

// completeComponents offers the archives that Rust has; which of them a
// toolchain has would take running its compiler.
func (a *app) completeComponents(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, c := range manifests.Components() {
		if c.Package != "" {
			names = append(names, c.Archive)
		}
	}
	names = append(names, "rustc-src", "rustc-src-gpl")
	return names, cobra.ShellCompDirectiveNoFileComp
}
