package source

import (
	"bytes"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/manifests"
)

// Kind is a kind of [Finding].
type Kind string

// The kinds of findings.
const (
	missingFiles  Kind = "files"            // a file without which nothing is built is missing
	excludedFiles Kind = "excluded-files"   // there is what upstream leaves out
	buildProducts Kind = "build-products"   // there is what a build has made
	absolutePaths Kind = "absolute-paths"   // a path of the machine that packed it
	badLinks      Kind = "links"            // a symbolic link leads out of the archive
	oneVersion    Kind = "one-version"      // its files and its name tell different versions
	Vendor        Kind = "vendored-crates"  // a crate of Cargo.lock is missing
	vendorSums    Kind = "vendor-checksums" // a vendored crate is not what its checksums say
)

// Kinds returns all kinds, in the order of reports, each with what is demanded.
func Kinds() [][2]string {
	return [][2]string{
		{string(missingFiles), "the files without which x.py builds nothing are there: x.py, Cargo.lock, src/version, the compiler, the library"},
		{string(excludedFiles), "nothing that upstream leaves out: .git, .gitignore, backups, LLVM's tests, GCC, a builder's own bootstrap.toml"},
		{string(buildProducts), "no products of a build: target directories, .rlib, .rmeta, .pyc, programs and libraries outside of tests"},
		{string(absolutePaths), "no absolute path of the machine that packed it, in cargo's configuration and manifests"},
		{string(badLinks), "symbolic links are relative and stay inside the archive"},
		{string(oneVersion), "version, src/version, the commit's files and the archive's name tell one version"},
		{string(Vendor), "every crate of the Cargo.lock files is vendored, once, and .cargo/config.toml takes crates from there; of an archive without vendor, nothing is demanded"},
		{string(vendorSums), "vendored crates have the files and digests of their .cargo-checksum.json, and that of Cargo.lock"},
	}
}

// Finding is one thing that is wrong with a source archive.
type Finding struct {
	Kind Kind
	Text string
	// Lacks is the crate or the file that a directory of vendored crates lacks, if that is
	// what is wrong: distributions leave out what they do not build or may not distribute.
	Lacks string
}

// Error implements [error].
func (f Finding) Error() string { return f.Text }

// Judge returns what is wrong with a source archive: all of it, sorted by kind as
// [Kinds] are and then by name. What the archive's own record says that it lacks is
// not; it is counted.
func Judge(l *Listing) (found []Finding, recorded int) {
	j := &judge{Listing: l}
	j.files()
	j.excluded()
	j.built()
	j.paths()
	j.links()
	j.versions()
	j.vendor()
	if text, ok := j.Texts[LacksFile]; ok {
		return withoutRecorded(j.found, text)
	}
	return j.found, 0
}

type judge struct {
	*Listing
	found []Finding
}

func (j *judge) failf(k Kind, format string, args ...any) {
	j.found = append(j.found, Finding{Kind: k, Text: fmt.Sprintf(format, args...)})
}

// names returns the names of all files and links, sorted.
func (j *judge) names() []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(j.Files)), maps.Keys(j.Links))
	slices.Sort(all)
	return all
}

func (j *judge) files() {
	for _, name := range needed {
		if _, ok := j.Files[name]; !ok {
			j.failf(missingFiles, "%q is missing", name)
		}
	}
	if _, ok := j.Files[recordFile]; !ok {
		j.failf(missingFiles, "%q is missing, which tells the version of an archive", recordFile)
	}
}

// excluded finds what upstream leaves out. A directory is told once.
func (j *judge) excluded() {
	told := map[string]bool{}
	tell := func(name string) {
		if !told[name] {
			told[name] = true
			j.failf(excludedFiles, "%q: upstream's source archives do not have it", name)
		}
	}
	tops := slices.Concat(plainDirs, plainFiles, []string{recordFile, hashFile, infoFile, LacksFile, vendorDirs[0], ".cargo"})
	for _, name := range j.names() {
		top, rest, _ := strings.Cut(name, "/")
		switch at := firstExcluded(name); {
		case !slices.Contains(tops, top):
			if top == "build" || top == "target" {
				continue // of a build
			}
			tell(top)
		case at != "" && !isPycache(at):
			tell(at)
		case strings.HasPrefix(name, gccDir+"/") && name != gccDir+"/"+gccNotice && !j.GPL:
			tell(gccDir)
		case top == ".cargo" && rest != "config.toml":
			tell(name)
		}
	}
}

// firstExcluded returns the part of a name that upstream leaves out, or "".
func firstExcluded(name string) string {
	if slices.Contains(plainFiles, name) {
		return "" // .gitmodules of the top
	}
	for i := 0; i <= len(name); i++ {
		if (i == len(name) || name[i] == '/') && excluded(name[:i]) {
			return name[:i]
		}
	}
	return ""
}

func isPycache(name string) bool {
	return path.Base(name) == "__pycache__" || path.Ext(name) == ".pyc"
}

// product matches names of what a build makes.
var product = regexp.MustCompile(`(^|/)(__pycache__|\.fingerprint|\.rustc_info\.json|\.cargo-lock)(/|$)|\.(rlib|rmeta|pyc|rcgu\.o|gcda|gcno)$|^(build|target)/`)

func (j *judge) built() {
	told := map[string]bool{}
	for _, name := range j.names() {
		format, made := j.Made[name]
		switch cache := j.cacheDir(name); {
		case cache != "" && !inVendor(name):
			if !told[cache] {
				told[cache] = true
				j.failf(buildProducts, "directory %q is cargo's, of a build", cache)
			}
		case inVendor(name) && !strings.Contains(name, "__pycache__"):
			// Crates are what their checksums say.
		case product.MatchString(name) && !(isTest(name) && !strings.Contains(name, "__pycache__") && path.Ext(name) != ".pyc" && path.Ext(name) != ".rmeta"):
			j.failf(buildProducts, "%q is made by a build", name)
		case made && !isTest(name):
			j.failf(buildProducts, "%q is %s", name, format)
		}
	}
}

// cacheDir returns the directory above a name that cargo marks as its own, or "".
func (j *judge) cacheDir(name string) string {
	for i, c := range name {
		if c == '/' && bytes.HasPrefix(j.Texts[name[:i+1]+cacheTag], []byte(cacheMark)) {
			return name[:i]
		}
	}
	return ""
}

// absolute matches paths that are of one machine.
var absolute = regexp.MustCompile(`^(file://)?(/|[A-Za-z]:[\\/]|\\\\)`)

// pathKeys are the keys of manifests and of cargo's configuration that hold paths.
var pathKeys = []string{"path", "directory", "local-registry", "target-dir", "workspace", "linker", "rustc", "rustdoc", "build-dir", "git", "registry", "root"}

func (j *judge) paths() {
	for _, name := range slices.Sorted(maps.Keys(j.Texts)) {
		base := path.Base(name)
		if base != "Cargo.toml" && base != "config.toml" || inVendor(name) {
			continue
		}
		doc := toml.Parse(name, j.Texts[name])
		if err := doc.Err(); err != nil && name == cargoConfig {
			j.failf(absolutePaths, "%v", err)
		}
		j.pathsIn(doc, doc.Root)
	}
	for _, name := range slices.Sorted(maps.Keys(j.Texts)) {
		if isLock(name) && bytes.Contains(j.Texts[name], []byte("file:///")) {
			j.failf(absolutePaths, "%s names a source of this machine (file:///…)", name)
		}
	}
}

// pathsIn looks for absolute paths in the values of a table.
func (j *judge) pathsIn(doc *toml.Document, n *toml.Node) {
	for _, c := range append(slices.Clone(n.Children), n.Items...) {
		key := c.Key
		if key == "" {
			key = n.Key // an element of an array
		}
		if c.Kind == toml.String && slices.Contains(pathKeys, key) && absolute.MatchString(c.Text) {
			j.failf(absolutePaths, "%s: %s is %.200q, a path of one machine", doc.Position(c.At), key, c.Text)
		}
		j.pathsIn(doc, c)
	}
}

func (j *judge) links() {
	for _, name := range slices.Sorted(maps.Keys(j.Links)) {
		switch to := j.Links[name]; {
		case absolute.MatchString(to):
			j.failf(badLinks, "%q is a symbolic link to %.200q, an absolute path", name, to)
		case j.leaves(path.Dir(name), to, 0):
			j.failf(badLinks, "%q is a symbolic link to %.200q, out of the archive", name, to)
		}
	}
}

// leaves reports whether the target of a link in a directory leads out of the archive,
// also over other links. One that leads to nothing stays inside.
func (j *judge) leaves(dir, to string, links int) bool {
	const most = 40
	at := strings.Split(dir, "/")
	if dir == "." {
		at = nil
	}
	for part := range strings.SplitSeq(to, "/") {
		switch part {
		case "", ".":
			continue
		case "..":
			if len(at) == 0 {
				return true
			}
			at = at[:len(at)-1]
			continue
		}
		next := path.Join(append(slices.Clone(at), part)...)
		if via, ok := j.Links[next]; ok {
			if links == most || absolute.MatchString(via) {
				return true
			}
			if j.leaves(path.Dir(next), via, links+1) {
				return true
			}
			if at = split(path.Join(path.Dir(next), via)); at == nil {
				return true
			}
			continue
		}
		at = append(slices.Clone(at), part)
	}
	return false
}

// split returns the parts of a clean path below the top, nil for one that leaves it.
func split(p string) []string {
	if p == ".." || strings.HasPrefix(p, "../") {
		return nil
	}
	if p == "." {
		return []string{}
	}
	return strings.Split(p, "/")
}

func (j *judge) versions() {
	text := func(name string) string { return strings.TrimSpace(string(j.Texts[name])) }
	hash := text(hashFile)
	if _, ok := j.Texts[hashFile]; ok && !isHash(hash) {
		j.failf(oneVersion, "got %.100q in %s, want 40 lower-case hexadecimal digits", hash, hashFile)
		hash = ""
	}
	record, ok := j.Texts[recordFile]
	if !ok {
		return
	}
	v, err := manifests.ParseVersion(text(recordFile), "")
	if err != nil {
		j.failf(oneVersion, "%s: %v", recordFile, err)
		return
	}
	number, _, _ := strings.Cut(v.Release.String(), "-")
	if own := text(versionFile); own != number && j.Texts[versionFile] != nil {
		j.failf(oneVersion, "%s is of %q, %s says %.60q", recordFile, record, versionFile, own)
	}
	if want := v.PackageVersion(); j.Version != "" && j.Version != want {
		j.failf(oneVersion, "%s is of %q, the archive's name says %q", recordFile, record, j.Version)
	}
	j.commits(string(record), hash)
}

// commits compares the files that keep the commit.
func (j *judge) commits(record, hash string) {
	_, shown, _ := strings.Cut(record, " (")
	short, day, _ := strings.Cut(strings.TrimSuffix(strings.SplitN(shown, ")", 2)[0], ")"), " ")
	if hash != "" && isDay(day) && !strings.HasPrefix(hash, short) {
		j.failf(oneVersion, "%s names commit %q, %s has %q", recordFile, short, hashFile, hash)
	}
	for _, dir := range []string{"", cargoDir + "/"} {
		info, ok := j.Texts[dir+infoFile]
		own := strings.TrimSpace(string(j.Texts[dir+hashFile]))
		if !ok {
			if own != "" {
				j.failf(oneVersion, "%q is missing, but %q is there", dir+infoFile, dir+hashFile)
			}
			continue
		}
		v, err := parseInfo(string(info))
		switch {
		case err != nil:
			j.failf(oneVersion, "%q: %v", dir+infoFile, err)
		case v.CommitHash != own:
			j.failf(oneVersion, "%q has commit %q, %q has %q", dir+infoFile, v.CommitHash, dir+hashFile, own)
		case dir == "" && isDay(day) && day != v.CommitDate:
			j.failf(oneVersion, "%s has the day %q, %s has %q", recordFile, day, infoFile, v.CommitDate)
		}
	}
}
