package manifests

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Limits of what is read of a server, in bytes.
const (
	// MaxChannel bounds the text of a [Channel]. That of Rust's nightly has 1 MB.
	MaxChannel = 64 << 20
	// MaxListing bounds manifests.txt, the list of all manifests. Upstream's has 1 MB.
	MaxListing = 64 << 20
)

// Channel is a channel manifest of version 2: the packages of one release, where
// their archives are, and how rustup groups them. [Channel.Validate] judges it.
// Source: `src/tools/build-manifest/src/manifest.rs` and rustup's
// `src/dist/manifest.rs`.
type Channel struct {
	// Date is the day of publication, YYYY-MM-DD.
	Date string
	// Packages are keyed by package name, such as "rustfmt-preview".
	Packages map[string]Package
	// Artifacts are files that no component installs ("source-code",
	// "installer-msi"), keyed by kind and then by target or "*".
	Artifacts map[string]map[string][]Download
	// Renames maps the name a user may say ("rustfmt") to a package.
	Renames map[string]string
	// Profiles maps minimal, default and complete to packages.
	Profiles map[string][]string
}

// Package is one package of a channel.
type Package struct {
	// Version is free text, such as "1.95.0 (59807616e 2026-04-14)"; "" if no
	// target of it is available.
	Version string
	// CommitHash is the git hash of the release it was built from, or "".
	CommitHash string
	// Targets are keyed by target triple, or by "*" alone.
	Targets map[string]PackageTarget
}

// AnyTarget is the key of a package that is the same for all targets.
const AnyTarget = "*"

// PackageTarget is a package for one target.
type PackageTarget struct {
	// Available says whether rustup may install it.
	Available bool
	// GZ, XZ and Zst say where the archive is in each format; zero if nowhere.
	GZ, XZ, Zst Download
	// Components are the parts of the package "rust", Extensions those that can
	// be added to it; other packages have none.
	Components, Extensions []ComponentRef
}

// Download is a file on a server.
type Download struct {
	// URL is absolute: https, http or file.
	URL string
	// Hash is of the file's bytes.
	Hash Hash
}

// OfficialServer is where Rust's own archives are, below /dist. rustup replaces
// this prefix by its RUSTUP_DIST_SERVER, so a channel with it can be installed
// from any place, and has the same bytes in each.
const OfficialServer = "https://static.rust-lang.org"

// IsZero reports whether there is neither a URL nor a hash.
func (d Download) IsZero() bool { return d == Download{} }

// ComponentRef names a package for a target.
type ComponentRef struct {
	// Package is a key of [Channel.Packages].
	Package string
	// Target is a triple or "*".
	Target string
}

// Download returns where the archive of format f is; zero if nowhere.
func (t PackageTarget) Download(f Format) Download {
	switch f {
	case GZ:
		return t.GZ
	case XZ:
		return t.XZ
	case Zst:
		return t.Zst
	}
	return Download{}
}

// Downloads yields the formats that have a URL or a hash, gz before xz before zst.
func (t PackageTarget) Downloads() iter.Seq2[Format, Download] {
	return func(yield func(Format, Download) bool) {
		for _, f := range Formats() {
			if d := t.Download(f); !d.IsZero() && !yield(f, d) {
				return
			}
		}
	}
}

// setDownload stores where the archive of format f is.
func (t *PackageTarget) setDownload(f Format, d Download) {
	switch f {
	case GZ:
		t.GZ = d
	case XZ:
		t.XZ = d
	case Zst:
		t.Zst = d
	}
}

// Lookup returns what the channel offers of a package for a target, by
// rustup's rule: a package for "*" serves every target.
func (c *Channel) Lookup(ref ComponentRef) (PackageTarget, error) {
	p, ok := c.Packages[ref.Package]
	if !ok {
		return PackageTarget{}, fmt.Errorf("looking up package %q: the channel has none of that name", ref.Package)
	}
	if t, ok := p.Targets[AnyTarget]; ok {
		return t, nil
	}
	t, ok := p.Targets[ref.Target]
	if !ok {
		return PackageTarget{}, fmt.Errorf("looking up package %q: the channel does not have it for target %q", ref.Package, ref.Target)
	}
	return t, nil
}

// Hosts returns the sorted triples of the machines that can install the channel.
func (c *Channel) Hosts() []string {
	var hosts []string
	for host, t := range c.Packages[rustPackage].Targets {
		if len(t.Components) > 0 {
			hosts = append(hosts, host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// Finding is one thing that is wrong with a manifest.
type Finding struct {
	// ID is the kind of the finding; the name is stable.
	ID FindingID
	// Path is the key, written as TOML does: pkg.rust.target."*".components[2].pkg.
	Path string
	// Got and Want say what is there and what should be.
	Got, Want string
	// Line and Column count from 1; 0 if the manifest did not come from a text.
	Line, Column int
}

// Error returns "LINE:COLUMN: PATH: got X, want Y (ID)".
func (f Finding) Error() string {
	var b strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", f.Line, f.Column)
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	fmt.Fprintf(&b, "got %s, want %s (%s)", f.Got, f.Want, f.ID)
	return b.String()
}

// Findings is an error that holds at least one finding.
type Findings []Finding

// Error returns one line per finding.
func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the single findings to [errors.As].
func (fs Findings) Unwrap() []error {
	errs := make([]error, len(fs))
	for i, f := range fs {
		errs[i] = f
	}
	return errs
}
