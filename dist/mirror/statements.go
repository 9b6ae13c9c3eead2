package mirror

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"x.go/dist/sign"
	"x.go/dist/store"
	"x.go/manifests"
)

// A statement is a file that says something of a whole channel beside its manifest: its
// provenance, or the digests of all its files.

// isStatement reports whether a file of a directory is one.
func isStatement(base string) bool {
	return base == manifests.ChecksumsFile || isManifestFile(base) && (strings.HasSuffix(base, manifests.ProvenanceExt) || strings.HasSuffix(base, manifests.ChecksumsSuffix))
}

// statementNames returns the names of the statements that may be of a manifest. The last
// may be of several.
func statementNames(manifest string) []string {
	stem := strings.TrimSuffix(manifest, manifestExt)
	return []string{stem + manifests.ProvenanceExt, stem + manifests.ChecksumsSuffix, path.Join(path.Dir(manifest), manifests.ChecksumsFile)}
}

// manifestOf returns the name of the manifest that a statement is of; ok is false if it
// may be of several.
func manifestOf(statement string) (name string, ok bool) {
	for _, suffix := range []string{manifests.ProvenanceExt, manifests.ChecksumsSuffix} {
		if stem, ok := strings.CutSuffix(statement, suffix); ok {
			return stem + manifestExt, true
		}
	}
	return "", false
}

// statementLimit bounds a statement in bytes.
const statementLimit = max(manifests.MaxProvenance, manifests.MaxChecksums)

// claims returns the digests that a statement gives, by the name of the file without
// directory.
func claims(name string, data []byte) (map[string]manifests.Hash, error) {
	if !strings.HasSuffix(name, manifests.ProvenanceExt) {
		return manifests.ParseChecksums(data)
	}
	p, err := manifests.ParseProvenance(data)
	if err != nil {
		return nil, err
	}
	out := map[string]manifests.Hash{}
	for _, r := range p.Subjects {
		out[r.Name], _ = r.SHA256() // every subject that was parsed has one
	}
	return out, nil
}

// sideTexts follow the name of a manifest, without its .toml, in the names of texts: of
// its date, and of its commit.
var sideTexts = []string{"-date.txt", "-git-commit-hash.txt"}

// manifestSuffixes follow the name of a manifest, without its .toml, in the names of all
// that belongs to it, but for checksums and signatures.
var manifestSuffixes = append([]string{manifestExt, manifests.ProvenanceExt, manifests.ChecksumsSuffix}, sideTexts...)

// planned are the files that a run mirrors.
type planned struct {
	manifests map[string]manifests.Hash // those that keep the source's bytes
	files     map[string]manifests.Hash
	bases     map[string]string // a name of each of files, by its base
}

// findStatements finds what the source says of the whole channels beside their manifests,
// and the files that only such a statement names. A part has no statement: none fits.
func (m *mirror) findStatements(ctx context.Context, releases []*release) error {
	all := planned{map[string]manifests.Hash{}, map[string]manifests.Hash{}, map[string]string{}}
	for _, r := range releases {
		for _, name := range r.names {
			if r.whole {
				all.manifests[name] = r.original
			}
		}
		for _, f := range r.files {
			all.files[f.name], all.bases[path.Base(f.name)] = f.hash, f.name
		}
	}
	seen := map[string]bool{}
	for _, r := range slices.Backward(releases) { // one of several is brought with the last
		for _, name := range r.names {
			if !r.whole || name != r.source && !r.alike[name] {
				continue
			}
			for _, at := range statementNames(name) {
				if seen[at] {
					continue
				}
				seen[at] = true
				if err := m.findStatement(ctx, r, name, at, all); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// findStatement reads a statement of the source, if there is one, with its signatures.
func (m *mirror) findStatement(ctx context.Context, r *release, manifest, at string, all planned) error {
	data, err := m.up.fetch(ctx, at, statementLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	more, err := all.fits(r, manifest, at, data)
	if err != nil {
		m.note("%s is not mirrored: %v", at, err)
		return nil
	}
	files := map[string][]byte{"": data}
	for _, ext := range []string{sign.OpenPGPExt, sign.MinisignExt, manifests.ChecksumExt} {
		text, err := readOptional(ctx, m.up, at+ext)
		if err != nil {
			return err
		}
		if got, err := leadingHash(text); ext == manifests.ChecksumExt && (err != nil || got != manifests.HashOf(data)) {
			continue
		}
		if text != nil {
			files[ext] = text
		}
	}
	if m.Keyring != nil {
		text, ok := files[m.Keyring.Ext()]
		if !ok {
			return fmt.Errorf("%s is not signed: got no %s%s", at, path.Base(at), m.Keyring.Ext())
		}
		if _, err := m.Keyring.Check(data, text); err != nil {
			return fmt.Errorf("%s: %w", at+m.Keyring.Ext(), err)
		}
	}
	for _, f := range more {
		r.files = append(r.files, f)
		r.extra[f.name] = true
		all.files[f.name] = f.hash
	}
	r.statements[at] = files
	return nil
}

// fits reports by an error that the mirror cannot have a statement: it is of another
// release, or names what the mirror will not have. more are the files that only it names.
func (all planned) fits(r *release, manifest, at string, data []byte) (more []file, err error) {
	named, err := claims(at, data)
	if err != nil {
		return nil, err
	}
	if got := named[path.Base(manifest)]; got != r.original {
		return nil, fmt.Errorf("it is not of the manifest %q beside it", path.Base(manifest))
	}
	provenance := strings.HasSuffix(at, manifests.ProvenanceExt)
	for _, base := range slices.Sorted(maps.Keys(named)) {
		f := file{path.Join(path.Dir(at), base), named[base]}
		want, known := all.files[f.name]
		if !known {
			want, known = all.manifests[f.name]
		}
		switch elsewhere := all.bases[base]; {
		case known && want != f.hash:
			return nil, fmt.Errorf("it names %.200q with sha256 %s, which has %s", base, f.hash, want)
		case known || provenance && elsewhere != "" && all.files[elsewhere] == f.hash:
		case elsewhere != "":
			return nil, fmt.Errorf("it names %.200q beside it, which the mirror has as %q", base, elsewhere)
		case provenance || !all.brings(f.name):
			return nil, fmt.Errorf("it names %.200q, which is not mirrored", base)
		default:
			more = append(more, f)
		}
	}
	return more, nil
}

// brings reports whether a file that only a statement names can be brought: it is none of
// a channel that is not mirrored, and no checksum or signature.
func (all planned) brings(name string) bool {
	base := path.Base(name)
	if isSide(base) || base == manifests.ChecksumsFile || strings.HasPrefix(base, ".") || store.CheckName(name) != nil {
		return false
	}
	if !isManifestFile(base) {
		return true
	}
	for _, suffix := range append([]string{manifests.ProvenanceExt}, sideTexts...) {
		if stem, ok := strings.CutSuffix(name, suffix); ok && !all.manifests[stem+manifestExt].IsZero() {
			return true
		}
	}
	return false
}

// lose gives up files that could not be brought, and the statements that name them:
// clients need neither.
func (m *mirror) lose(r *release) {
	if len(r.lost) == 0 {
		return
	}
	for _, at := range slices.Sorted(maps.Keys(r.statements)) {
		named, _ := claims(at, r.statements[at][""]) // which were read before
		for _, base := range slices.Sorted(maps.Keys(named)) {
			if err := r.lost[path.Join(path.Dir(at), base)]; err != nil {
				m.note("%s is not mirrored: it names %q: %v", at, base, err)
				delete(r.statements, at)
				break
			}
		}
	}
	r.files = slices.DeleteFunc(r.files, func(f file) bool { return r.lost[f.name] != nil })
}

// moveStatements writes what belongs to a manifest of the mirror, if it is not what the
// store has. If the manifest changes, what was there for another goes.
func (m *mirror) moveStatements(ctx context.Context, r *release, manifest string, changes bool) error {
	for _, at := range statementNames(manifest) {
		files, ok := r.statements[at]
		if !ok && (!changes || !m.contradicts(ctx, r, manifest, at)) {
			continue
		}
		for _, ext := range []string{sign.OpenPGPExt, sign.MinisignExt, "", manifests.ChecksumExt} {
			if data, ok := files[ext]; ok {
				if err := m.writeChanged(ctx, at+ext, data); err != nil {
					return err
				}
			} else if err := m.deleteOld(ctx, at+ext); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeChanged writes a small file that comes from the source, unless the store has it.
func (m *mirror) writeChanged(ctx context.Context, name string, data []byte) error {
	if m.holds(ctx, name, data) {
		return nil
	}
	m.transferred(name, int64(len(data)))
	return m.write(ctx, name, data)
}

func (m *mirror) deleteOld(ctx context.Context, name string) error {
	if m.DryRun {
		return nil
	}
	return m.store.Delete(ctx, name)
}

// statedFiles returns the files that a statement of a store names, in its directory.
func statedFiles(ctx context.Context, s *store.Store, at string) (map[string]manifests.Hash, error) {
	data, _, err := s.Load(ctx, at, statementLimit)
	if err != nil {
		return nil, err
	}
	named, err := claims(at, data)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", at, err)
	}
	out := map[string]manifests.Hash{}
	for base, hash := range named {
		out[path.Join(path.Dir(at), base)] = hash
	}
	return out, nil
}

// contradicts reports whether a statement of the store is of another manifest than the
// one that it gets.
func (m *mirror) contradicts(ctx context.Context, r *release, manifest, at string) bool {
	named, err := statedFiles(ctx, m.store, at)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	got, ok := named[manifest]
	_, alone := manifestOf(at)
	return got != manifests.HashOf(r.data) && (ok || alone)
}

// readStatement compares a statement of a store with the manifest that it is of, and
// notes the files that it names. One whose manifests are gone says nothing any more.
func (v *verifier) readStatement(ctx context.Context, at string) error {
	data, _, err := v.store.Load(ctx, at, statementLimit)
	if err != nil {
		v.problem("statement", at, "%v", err)
		return context.Cause(ctx)
	}
	named, err := claims(at, data)
	manifest, alone := manifestOf(at)
	if alone && v.hashes[manifest].IsZero() || !alone && err == nil && !v.names(at, named) {
		return nil
	}
	v.checked[at] = true
	v.checkSignatures(ctx, at, data)
	v.checkSum(ctx, at, manifests.HashOf(data), false)
	if err != nil {
		v.problem("statement", at, "%v", err)
		return nil
	}
	if _, ok := named[path.Base(manifest)]; alone && !ok {
		v.problem("statement", at, "it does not name %q", path.Base(manifest))
	}
	for _, base := range slices.Sorted(maps.Keys(named)) {
		v.readClaim(at, base, named[base])
	}
	return nil
}

// names reports whether a statement of several manifests names one that is there.
func (v *verifier) names(at string, named map[string]manifests.Hash) bool {
	for base := range named {
		if !v.hashes[path.Join(path.Dir(at), base)].IsZero() {
			return true
		}
	}
	return false
}

// readClaim compares what a statement says of a file with what the manifests say. A
// provenance does not say where the file is.
func (v *verifier) readClaim(at, base string, hash manifests.Hash) {
	name := path.Join(path.Dir(at), base)
	want, ok := v.hashes[name]
	if !ok {
		want, ok = v.named[name]
	}
	switch {
	case ok && want != hash:
		v.problem("statement", at, "it names %q with sha256 %s, want %s", base, hash, want)
	case !ok && !strings.HasSuffix(at, manifests.ProvenanceExt):
		v.named[name], v.by[name] = hash, at
	}
}
