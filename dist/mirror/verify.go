package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"x.go/dist/channel"
	"x.go/dist/sign"
	"x.go/dist/store"
	"x.go/manifests"
)

// VerifyOptions say how [Verify] looks at a store.
type VerifyOptions struct {
	// Listing has it compare the manifests with the list of names, and read nothing else.
	Listing bool
	// Keyrings must each hold the key of a signature beside each manifest, and beside each
	// provenance and SHA256SUMS.
	Keyrings []*sign.Keyring
	// Jobs is how many files are read at a time; 0 for 8.
	Jobs int
	// Progress, if not nil, is called for each file, from several goroutines.
	Progress func(Event)
}

// Report is what [Verify] found.
type Report struct {
	// Store is the place.
	Store string `json:"store"`
	// Passed says that there are no Problems.
	Passed bool `json:"passed"`
	// Manifests is how many manifests were read, Named how many files they name, and Read
	// how many of all files were read back.
	Manifests int `json:"manifests"`
	Named     int `json:"named"`
	Read      int `json:"read"`
	// Redirected is how many of Named are on other servers, to which the rules of the store
	// send clients, and which are not asked.
	Redirected int `json:"redirected,omitempty"`
	// Signed is how many manifests have a signature that was checked.
	Signed int `json:"signed"`
	// Objects and Bytes are all that is in the store.
	Objects int   `json:"objects"`
	Bytes   int64 `json:"bytes"`
	// Problems are sorted by name.
	Problems []Problem `json:"problems"`
	// Unnamed are the files of the layout that nothing names: what a run that was
	// killed or `x channel prune` has left, or another tool has put there. Foreign are
	// other files. Neither is a problem.
	Unnamed int `json:"unnamed"`
	Foreign int `json:"foreign"`
	// Unsigned is how many signatures there are, which nobody checked.
	Unsigned int `json:"signatures_not_checked"`
}

// Problem is one thing that is wrong with a store.
type Problem struct {
	// Name is that of a file.
	Name string `json:"name"`
	// Kind is manifest, statement, signature, checksum, missing, digest, list or rustup.
	Kind string `json:"kind"`
	// Text says what is wrong.
	Text string `json:"text"`
}

// maxProblems is how many problems are kept.
const maxProblems = 1000

// verifier is one verification.
type verifier struct {
	VerifyOptions
	store *store.Store
	named map[string]manifests.Hash // files that manifests name, by name
	by    map[string]string         // the manifest that names a file
	seen  map[string]bool           // of those, what the list has
	flat  map[string]bool           // base names directly in dist
	bases map[string]bool           // base names of named, of which dist may have copies
	days  map[string]bool           // directories of days
	known map[manifests.Hash]bool   // manifests that were read under another name
	// hashes are those of the manifests that were read, by name, and statements the names
	// of provenances and SHA256SUMS.
	hashes     map[string]manifests.Hash
	statements []string
	// checked are the signatures and statements that were looked at, and the texts of
	// manifests that are there.
	checked map[string]bool

	mu     sync.Mutex
	report Report
}

// Verify checks whether a store has all that its manifests name, and whether each file
// has the digest that the manifest gives. It takes the layouts of all mirrors: with
// directories of days, without, and with addresses of its own in the manifests. Memory
// grows with the number of names, not with the size of the files.
func Verify(ctx context.Context, s *store.Store, o VerifyOptions) (Report, error) {
	v := &verifier{VerifyOptions: o, store: s, named: map[string]manifests.Hash{}, by: map[string]string{}, seen: map[string]bool{}, flat: map[string]bool{}, bases: map[string]bool{}, days: map[string]bool{},
		known: map[manifests.Hash]bool{}, hashes: map[string]manifests.Hash{}, checked: map[string]bool{}, report: Report{Store: s.String(), Problems: []Problem{}}}
	if err := v.run(ctx); err != nil {
		return v.report, fmt.Errorf("verifying %q: %w", s, err)
	}
	slices.SortFunc(v.report.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Text, b.Text))
	})
	v.report.Passed = len(v.report.Problems) == 0
	return v.report, nil
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.readManifests(ctx); err != nil {
		return err
	}
	if err := v.readFiles(ctx); err != nil {
		return err
	}
	if err := v.missing(ctx); err != nil {
		return err
	}
	return v.list(ctx)
}

// problem notes what is wrong.
func (v *verifier) problem(kind, name, format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.report.Problems) < maxProblems {
		v.report.Problems = append(v.report.Problems, Problem{name, kind, fmt.Sprintf(format, args...)})
	}
}

// readManifests goes through the names, and reads the manifests among them.
func (v *verifier) readManifests(ctx context.Context) error {
	for o, err := range v.store.List(ctx, "") {
		if err != nil {
			return err
		}
		v.report.Objects++
		v.report.Bytes += o.Size
		if dir := path.Dir(o.Name); dir+"/" == distDir {
			v.flat[path.Base(o.Name)] = true
		} else if isDay(path.Base(dir)) {
			v.days[path.Base(dir)] = true
		}
		if _, _, ok := parseManifestName(o.Name); ok && o.Type == 0 {
			if err := v.readManifest(ctx, o.Name); err != nil {
				return err
			}
		} else if strings.HasPrefix(o.Name, distDir) && isStatement(path.Base(o.Name)) && o.Type == 0 {
			v.statements = append(v.statements, o.Name)
		}
	}
	for _, name := range v.statements {
		if err := v.readStatement(ctx, name); err != nil {
			return err
		}
	}
	switch {
	case v.report.Objects == 0:
		return errors.New("nothing is there")
	case v.report.Manifests == 0:
		return errors.New("no manifest (dist/channel-rust-*.toml) is there: name the directory above dist")
	}
	v.flatten()
	v.report.Named = len(v.named)
	for name := range v.named {
		v.bases[path.Base(name)] = true
	}
	return nil
}

// flatten looks for files directly in dist that manifests name in directories of days, as
// a store without such directories has them.
func (v *verifier) flatten() {
	for name, hash := range maps.Clone(v.named) {
		day := path.Base(path.Dir(name))
		if isDay(day) && !v.days[day] && v.flat[path.Base(name)] {
			delete(v.named, name)
			v.named[beside(name)], v.by[beside(name)] = hash, v.by[name]
		}
	}
}

// readManifest notes what a manifest names.
func (v *verifier) readManifest(ctx context.Context, name string) error {
	v.report.Manifests++
	data, _, err := v.store.Load(ctx, name, manifests.MaxChannel)
	if err != nil {
		v.problem("manifest", name, "%v", err)
		return context.Cause(ctx)
	}
	hash := manifests.HashOf(data)
	v.hashes[name] = hash
	for _, suffix := range sideTexts {
		v.checked[strings.TrimSuffix(name, manifestExt)+suffix] = true
	}
	v.checkSum(ctx, name, hash, true)
	if v.checkSignatures(ctx, name, data) {
		v.report.Signed++
	}
	if v.known[hash] {
		return nil
	}
	v.known[hash] = true
	// What else may be wrong with a manifest is its publisher's: many a nightly lists what
	// it lacks.
	c, err := manifests.ParseChannel(data)
	if err != nil {
		v.problem("manifest", name, "%v", err)
		return nil
	}
	m := storedManifest{name: name, content: c}
	files, err := m.refs()
	if err != nil {
		v.problem("manifest", name, "%v", err)
	}
	for _, f := range files {
		if had, ok := v.named[f.name]; ok && had != f.hash {
			v.problem("manifest", name, "it names %q with digest %s, and %s names it with %s", f.name, f.hash, v.by[f.name], had)
			continue
		}
		v.named[f.name], v.by[f.name] = f.hash, name
	}
	return nil
}

// checkSum compares the checksum file of a name with a digest. Manifests must have one:
// rustup asks for it first.
func (v *verifier) checkSum(ctx context.Context, name string, want manifests.Hash, must bool) {
	text, _, err := v.store.Load(ctx, name+manifests.ChecksumExt, maxSide)
	if errors.Is(err, fs.ErrNotExist) {
		if must {
			v.problem("checksum", name, "it has no checksum file %q", path.Base(name)+manifests.ChecksumExt)
		}
		return
	}
	var got manifests.Hash
	if err == nil {
		got, err = leadingHash(text)
	}
	if err != nil {
		v.problem("checksum", name+manifests.ChecksumExt, "%v", err)
	} else if got != want {
		v.problem("checksum", name+manifests.ChecksumExt, "got %s, want %s", got, want)
	}
}

// readFiles goes through the names once more, and reads the files.
func (v *verifier) readFiles(ctx context.Context) error {
	g, work := errgroup.WithContext(ctx)
	g.SetLimit(cmp.Or(v.Jobs, defaultJobs))
	for o, err := range v.store.List(work, "") {
		if err != nil {
			return errors.Join(err, g.Wait())
		}
		v.file(work, g, o)
	}
	return g.Wait()
}

// file judges one name of the list.
func (v *verifier) file(ctx context.Context, g *errgroup.Group, o store.Object) {
	want, named := v.named[o.Name]
	base := path.Base(o.Name)
	_, _, isManifest := parseManifestName(o.Name)
	switch side := isSide(base); {
	case named:
		v.seen[o.Name] = true
		if o.Type != 0 {
			v.problem("missing", o.Name, "it is not a regular file")
			return
		}
		v.read(ctx, g, o, want)
	case isManifest || v.checked[o.Name] || o.Name == manifestsList || o.Name == distDir+channel.RedirectsFile || side && strings.HasSuffix(base, manifests.ChecksumExt):
		// Read with what it is about.
	case side:
		v.report.Unsigned++
	case strings.HasPrefix(o.Name, rustupDir) && strings.HasPrefix(base, "rustup-init"):
		v.rustup(ctx, g, o)
	case v.bases[base] && path.Dir(o.Name)+"/" == distDir:
		// The copy of a file of a day, which the next release replaces.
	case strings.HasPrefix(o.Name, distDir) && isLayout(base):
		v.report.Unnamed++
	case o.Name != rustupRelease:
		v.report.Foreign++
	}
}

// read reads a file back.
func (v *verifier) read(ctx context.Context, g *errgroup.Group, o store.Object, want manifests.Hash) {
	if v.Listing {
		return
	}
	g.Go(func() error {
		v.tell(Event{Name: o.Name, Total: o.Size})
		defer v.tell(Event{Name: o.Name, Done: o.Size, Total: o.Size, End: true})
		got, err := v.store.Hash(ctx, o.Name)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		v.mu.Lock()
		v.report.Read++
		v.mu.Unlock()
		switch {
		case err != nil:
			v.problem("digest", o.Name, "%v", err)
		case got != want:
			v.problem("digest", o.Name, "got sha256 %s, want %s", got, want)
		default:
			v.checkSum(ctx, o.Name, got, false)
		}
		return nil
	})
}

func (v *verifier) tell(e Event) {
	if v.Progress != nil {
		v.Progress(e)
	}
}

// rustup checks a program of rustup against the checksum beside it.
func (v *verifier) rustup(ctx context.Context, g *errgroup.Group, o store.Object) {
	text, _, err := v.store.Load(ctx, o.Name+manifests.ChecksumExt, maxSide)
	var want manifests.Hash
	if err == nil {
		want, err = leadingHash(text)
	}
	if err != nil {
		v.problem("rustup", o.Name, "%v", err)
		return
	}
	v.read(ctx, g, o, want)
}

// missing reports the files that the list does not have. Clients may be sent elsewhere
// for them.
func (v *verifier) missing(ctx context.Context) error {
	rules, err := channel.ReadRedirects(v.store.FS(ctx))
	if err != nil {
		v.problem("list", distDir+channel.RedirectsFile, "%v", err)
	}
	for _, name := range slices.Sorted(maps.Keys(v.named)) {
		if v.seen[name] {
			continue
		}
		if _, ok := channel.RedirectFor(rules, name); ok {
			v.report.Redirected++
			continue
		}
		v.problem("missing", name, "%s names it", v.by[name])
	}
	return context.Cause(ctx)
}

// list checks what manifests.txt and rustup's release file say is there.
func (v *verifier) list(ctx context.Context) error {
	text, _, err := v.store.Load(ctx, manifestsList, manifests.MaxListing)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		v.problem("list", manifestsList, "%v", err)
	}
	for line := range strings.Lines(string(text)) {
		if day, channel, ok := parseListLine(line); ok {
			if _, err := v.store.Stat(ctx, manifestName(day, channel)); err != nil {
				v.problem("list", manifestsList, "it names %q: %v", manifestName(day, channel), err)
			}
		}
	}
	text, _, err = v.store.Load(ctx, rustupRelease, maxSide)
	if errors.Is(err, fs.ErrNotExist) {
		return context.Cause(ctx)
	}
	var version string
	if err == nil {
		version, err = rustupVersion(text)
	}
	if err == nil {
		err = fmt.Errorf("it names version %s, and there is no rustup-init of it", version)
		for o, lerr := range v.store.List(ctx, rustupDir+"archive/"+version+"/") {
			if err = lerr; o.Name != "" || lerr != nil {
				break
			}
		}
	}
	if err != nil {
		v.problem("rustup", rustupRelease, "%v", err)
	}
	return context.Cause(ctx)
}
