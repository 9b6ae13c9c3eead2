package manifests

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// Validate returns everything that is wrong with a channel, sorted by path within
// each kind of check, at most 1000 findings; nil if nothing is. It finds what
// rustup refuses, what rustup silently misunderstands, and what build-manifest
// never writes.
func (c *Channel) Validate() Findings {
	v := validator{channel: c, hashes: map[string]seenURL{}}
	if !isDate(c.Date) {
		v.add(FindingDate, "date", quote(c.Date), "YYYY-MM-DD")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Packages)) {
		v.pkg(name, c.Packages[name])
	}
	v.rust()
	v.artifacts()
	v.renames()
	v.renamed()
	v.listed()
	v.profiles()
	return v.findings
}

// validator collects findings.
type validator struct {
	channel  *Channel
	hashes   map[string]seenURL
	findings Findings
}

// seenURL is where a URL was first met, and with which hash.
type seenURL struct {
	hash Hash
	path string
}

func (v *validator) add(id FindingID, path, got, want string) {
	if len(v.findings) < maxFindings {
		v.findings = append(v.findings, Finding{ID: id, Path: path, Got: got, Want: want})
	}
}

func quote(s string) string { return fmt.Sprintf("%.200q", s) }

// isPackageName reports whether a name can be part of the file name
// lib/rustlib/manifest-NAME-TARGET.
func isPackageName(s string) bool {
	return toml.IsBareKey(s) && len(s) <= 100 && s[0] != '-'
}

func (v *validator) pkg(name string, p Package) {
	at := toml.Path("pkg", name)
	if !isPackageName(name) {
		v.add(FindingPackageName, at, quote(name), "letters, digits, '-' and '_'")
	}
	if hasControl(p.Version) || !utf8.ValidString(p.Version) {
		v.add(FindingVersionText, at+".version", quote(p.Version), "one line of text")
	}
	if p.CommitHash != "" && !isCommitHash(p.CommitHash) {
		v.add(FindingCommitHash, at+".git_commit_hash", quote(p.CommitHash), "40 lower-case hexadecimal digits")
	}
	if len(p.Targets) == 0 {
		v.add(FindingPackageTargets, at, "no target", `at least one, or "*"`)
	}
	available := false
	for _, target := range slices.Sorted(maps.Keys(p.Targets)) {
		available = available || p.Targets[target].Available
		v.targetName(toml.Path("pkg", name, "target", target), target, len(p.Targets))
		v.target(toml.Path("pkg", name, "target", target), name, target, p.Targets[target])
	}
	v.version(at+".version", name, p.Version, available)
}

func (v *validator) targetName(at, target string, count int) {
	if target == AnyTarget {
		if count > 1 {
			v.add(FindingTargetMixed, at, fmt.Sprintf(`"*" and %d more`, count-1), `"*" alone, or triples alone`)
		}
		return
	}
	if _, err := targets.ParseTriple(target); err != nil {
		v.add(FindingTargetName, at, quote(target), `a target triple or "*"`)
	}
}

// version checks the version of a package against that of "rust", for the
// packages that are a part of rustc's own source.
func (v *validator) version(at, name, version string, available bool) {
	if !available {
		return
	}
	if version == "" {
		v.add(FindingVersionMissing, at, `""`, "a version, since the package is available")
		return
	}
	rust, ok := v.channel.Packages[rustPackage]
	if spec, known := lookupPackage(name); ok && known && !spec.OwnVersion && rust.Version != "" && version != rust.Version {
		v.add(FindingVersionMismatch, at, quote(version), quote(rust.Version)+" as pkg.rust has")
	}
}

// target checks the archives of a package for one target.
func (v *validator) target(at, name, target string, t PackageTarget) {
	offered := false
	for f, d := range t.Downloads() {
		keys := downloadKeys[f]
		switch {
		case d.URL == "":
			v.add(FindingHashWithoutURL, at+"."+keys[1], "a hash", "none without "+keys[0])
			continue
		case d.Hash.IsZero():
			v.add(FindingURLWithoutHash, at+"."+keys[0], "no "+keys[1], "64 lower-case hexadecimal digits")
		}
		offered = true
		v.url(at+"."+keys[0], d)
		v.archive(at+"."+keys[0], name, target, f, d.URL)
	}
	switch {
	case t.Available && !offered && name != rustPackage:
		v.add(FindingAvailableNoURL, at, "available = true and no URL", "a URL and a hash, or available = false")
	case !t.Available && offered:
		v.add(FindingUnavailableURL, at, "available = false and a URL", "available = true, or no URL")
	}
	if name != rustPackage && len(t.Components)+len(t.Extensions) > 0 {
		v.add(FindingComponentNested, at, "components of "+quote(name), `components of "rust" alone`)
	}
	seen := map[ComponentRef]string{}
	v.refs(at+".components", t.Components, seen)
	v.refs(at+".extensions", t.Extensions, seen)
}

// url checks one URL by itself and against the same URL elsewhere.
func (v *validator) url(at string, d Download) {
	if want := urlProblem(d.URL); want != "" {
		v.add(FindingURL, at, quote(Redact(d.URL)), want)
		return
	}
	first, ok := v.hashes[d.URL]
	if !ok {
		v.hashes[d.URL] = seenURL{d.Hash, at}
	} else if first.hash != d.Hash {
		v.add(FindingURLConflict, at, "another hash than "+first.path+" for the same URL", "one hash for one file")
	}
}

// archive checks what the file name at the end of a URL says, where it is a
// name that build-manifest would use.
func (v *validator) archive(at, pkg, target string, f Format, url string) {
	file := path.Base(url)
	for _, other := range Formats() {
		if other != f && strings.HasSuffix(file, other.Ext()) {
			v.add(FindingURLFormat, at, quote(file), "a name that ends in "+f.Ext())
			return
		}
	}
	a, err := ParseArchiveName(file)
	if err != nil {
		return // a site may choose its file names
	}
	switch spec := a.Component; {
	case spec.Package != pkg || a.Source != "":
		v.add(FindingURLArchive, at, quote(file), "an archive of "+quote(pkg))
	case targetKey(a.Target) != target && target != AnyTarget && !spec.DocsFallback:
		v.add(FindingURLArchive, at, quote(file), "an archive for "+quote(target))
	}
}

func (v *validator) refs(at string, refs []ComponentRef, seen map[ComponentRef]string) {
	for i, ref := range refs {
		elem := toml.Element(at, i)
		if first, ok := seen[ref]; ok {
			v.add(FindingComponentDuplicate, elem, ref.String(), "it once; it is also "+first)
			continue
		}
		seen[ref] = elem
		p, ok := v.channel.Packages[ref.Package]
		if !ok {
			v.add(FindingComponentPackage, elem, quote(ref.Package), "a package of this channel")
			continue
		}
		_, any := p.Targets[AnyTarget]
		if _, has := p.Targets[ref.Target]; !has && !any {
			v.add(FindingComponentTarget, elem, ref.String(), "a target that "+toml.Path("pkg", ref.Package)+" has")
		}
	}
}

// String returns "PACKAGE for TARGET".
func (r ComponentRef) String() string { return quote(r.Package) + " for " + quote(r.Target) }

// rust checks that there is something to install.
func (v *validator) rust() {
	rust, ok := v.channel.Packages[rustPackage]
	if !ok {
		v.add(FindingRustMissing, toml.Path("pkg", rustPackage), "nothing", "the package that says what a host consists of")
		return
	}
	hosts := 0
	for _, host := range slices.Sorted(maps.Keys(rust.Targets)) {
		t, at := rust.Targets[host], toml.Path("pkg", rustPackage, "target", host)
		if len(t.Components) > 0 {
			hosts++
			v.required(at, t)
		} else if t.Available {
			v.add(FindingComponentsMissing, at+".components", "none", "the components that the host consists of")
		}
	}
	if hosts == 0 && len(rust.Targets) > 0 {
		v.add(FindingRustMissing, toml.Path("pkg", rustPackage), "no host with components", "at least one")
	}
}

// required checks that what a host consists of can be installed there.
func (v *validator) required(at string, t PackageTarget) {
	for i, ref := range t.Components {
		if p, err := v.channel.Lookup(ref); err == nil && !p.Available {
			v.add(FindingComponentUnavailable, toml.Element(at+".components", i), ref.String()+", which is not available", "a component that is")
		}
	}
}

func (v *validator) artifacts() {
	for _, kind := range slices.Sorted(maps.Keys(v.channel.Artifacts)) {
		for _, target := range slices.Sorted(maps.Keys(v.channel.Artifacts[kind])) {
			for i, d := range v.channel.Artifacts[kind][target] {
				at := toml.Element(toml.Path("artifacts", kind, "target", target), i)
				if d.URL == "" || d.Hash.IsZero() {
					v.add(FindingArtifact, at, "no URL or no hash", "both")
					continue
				}
				v.url(at+".url", d)
			}
		}
	}
}

func (v *validator) renames() {
	for _, from := range slices.Sorted(maps.Keys(v.channel.Renames)) {
		at, to := toml.Path("renames", from), v.channel.Renames[from]
		if _, ok := v.channel.Packages[to]; !ok {
			v.add(FindingRenameTarget, at+".to", quote(to), "a package of this channel")
		}
		if _, ok := v.channel.Packages[from]; ok {
			v.add(FindingRenameShadows, at, quote(from)+", which is a package", "a name that is no package")
		}
	}
}

// profiles checks the profiles, if there are any; without them rustup installs
// all components and no extension.
func (v *validator) profiles() {
	if len(v.channel.Profiles) == 0 {
		return
	}
	for _, name := range []string{profileMinimal, profileDefault} {
		if _, ok := v.channel.Profiles[name]; !ok {
			v.add(FindingProfileMissing, toml.Path("profiles", name), "nothing", "a profile "+strconv.Quote(name)+", since there are others")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(v.channel.Profiles)) {
		at := toml.Path("profiles", name)
		if profileRank(name) == len(profileTable) {
			v.add(FindingProfileName, at, quote(name), "minimal, default or complete")
		}
		list := v.channel.Profiles[name]
		for i, pkg := range list {
			if _, ok := v.channel.Packages[pkg]; !ok {
				v.add(FindingProfilePackage, toml.Element(at, i), quote(pkg), "a package of this channel")
			}
			if slices.Contains(list[:i], pkg) {
				v.add(FindingProfileDuplicate, toml.Element(at, i), quote(pkg)+" again", "it once")
			}
		}
		if name != profileComplete {
			v.installable(at, list)
		}
	}
}

// installable checks that each host can install a profile: rustup skips what a
// host does not list, and refuses what it lists and cannot have. The profile
// "complete" is left out, since Rust's own does not install on stable.
func (v *validator) installable(at string, list []string) {
	rust := v.channel.Packages[rustPackage]
	for _, host := range slices.Sorted(maps.Keys(rust.Targets)) {
		for _, ref := range rust.Targets[host].Extensions {
			if ref.Target != host && ref.Target != AnyTarget || !slices.Contains(list, ref.Package) {
				continue
			}
			if p, err := v.channel.Lookup(ref); err == nil && !p.Available {
				v.add(FindingProfileUnavailable, toml.Element(at, slices.Index(list, ref.Package)),
					ref.String()+", which is not available", "a component that is")
			}
		}
	}
}
