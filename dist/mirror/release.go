package mirror

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"x.go/manifests"
	"x.go/targets"
)

// release is one manifest with all that belongs to it.
type release struct {
	asked  string   // as rustup would ask, or the day of a nightly
	facts  facts    // of the channel, which is too large to keep
	hosts  []string // that can install it
	data   []byte   // what is written
	source string   // name of the manifest in the source
	// names are what the manifest is called in the store. The last is written last.
	names []string
	whole bool // data has the bytes of the source
	files []file
	// original is the digest of the source's bytes, and alike what of names the source
	// calls these bytes, too.
	original manifests.Hash
	alike    map[string]bool
	// statements are the contents of statements and of their signatures, by the name of
	// the statement and by what follows it in the name of the file. Of files, extra are
	// those that only a statement names, and lost those of these that could not be
	// brought.
	statements map[string]map[string][]byte
	extra      map[string]bool
	lost       map[string]error
}

// facts are what a channel says of itself.
type facts struct{ date, version, commit string }

// file is a file that a manifest names.
type file struct {
	name string
	hash manifests.Hash
}

// plan reads all manifests, before anything is transferred.
func (m *mirror) plan(ctx context.Context) ([]*release, error) {
	found := map[string]bool{}
	var out []*release
	add := func(asked, name string, data []byte) error {
		r, err := m.prepare(ctx, asked, name, data, found)
		if err == nil {
			out = append(out, r)
		}
		return err
	}
	for _, asked := range slices.Compact(slices.Clone(m.Channels)) {
		if err := m.named(ctx, asked, add); err != nil {
			return nil, fmt.Errorf("channel %s: %w", asked, err)
		}
	}
	if m.manyNightlies() {
		if err := m.nightlies(ctx, add); err != nil {
			return nil, err
		}
		for _, r := range out {
			if r.asked == nightly {
				r.names = append(r.names, manifestName("", nightly))
			}
		}
	}
	if err := m.misspelt(out, found); err != nil {
		return nil, err
	}
	return out, m.findStatements(ctx, out)
}

// named adds a channel that was asked for by its name.
func (m *mirror) named(ctx context.Context, asked string, add func(asked, name string, data []byte) error) error {
	of, day, err := parseToolchain(asked)
	if err != nil {
		return err
	}
	if of == nightly && day == "" && m.manyNightlies() {
		return nil // the newest of them is it
	}
	name := manifestName(day, of)
	data, err := m.manifest(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q has none of that name: %w", m.up, err)
	}
	if err != nil {
		return err
	}
	return add(asked, name, data)
}

// misspelt is an error if nothing has any of the hosts, targets or components that were
// asked for.
func (m *mirror) misspelt(releases []*release, found map[string]bool) error {
	if len(releases) == 0 {
		return nil
	}
	wanted := map[string][]string{"component": m.Select.Components}
	for what, triples := range map[string][]targets.Triple{"host": m.Select.Hosts, "target": m.Select.Targets} {
		for _, t := range triples {
			wanted[what] = append(wanted[what], t.String())
		}
	}
	var errs []error
	for _, what := range slices.Sorted(maps.Keys(wanted)) {
		names := wanted[what]
		if len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return found[what+" "+n] }) {
			errs = append(errs, fmt.Errorf("no channel has the %s %s", what, strings.Join(names, " or ")))
		}
	}
	return errors.Join(errs...)
}

// manifest reads a manifest of the source, which must be signed if there is a keyring.
func (m *mirror) manifest(ctx context.Context, name string) (data []byte, err error) {
	for range torn { // while another release is published, the signature may be of that
		var unchecked bool
		data, unchecked, err = readManifest(ctx, m.up, name)
		if err != nil {
			return nil, err
		}
		if unchecked && m.Keyring == nil {
			m.note("%s has no checksum file at the source: it was not checked", name)
		}
		if err = m.authentic(ctx, name, data); err == nil {
			return data, nil
		}
	}
	return nil, err
}

// prepare selects from a manifest.
func (m *mirror) prepare(ctx context.Context, asked, name string, data []byte, found map[string]bool) (*release, error) {
	r := &release{asked: asked, source: name, data: data, whole: true, original: manifests.HashOf(data), alike: map[string]bool{name: true},
		statements: map[string]map[string][]byte{}, extra: map[string]bool{}, lost: map[string]error{}}
	c, err := manifests.ParseChannel(data)
	if err != nil {
		return nil, fmt.Errorf("reading manifest %q: %w", name, err)
	}
	if r.data, c, err = m.official(data, c); err != nil {
		return nil, err
	}
	if len(r.data) != len(data) {
		r.whole = false
		m.note("channel %s: the URLs are those of the source: they become those of %s, and signatures of the manifest do not fit", asked, manifests.OfficialServer)
	}
	p, err := m.Select.apply(c)
	if err != nil {
		return nil, err
	}
	maps.Copy(found, p.found)
	for _, text := range p.notes {
		m.note("channel %s: %s", asked, text)
	}
	if !p.whole {
		r.whole = false
		r.data = append([]byte(partMark), p.channel.Encode(manifests.DialectDist)...)
	}
	rust := c.Packages[rustPackage]
	r.facts = facts{c.Date, rust.Version, rust.CommitHash}
	for host, t := range p.channel.Packages[rustPackage].Targets {
		if _, err := targets.ParseTriple(host); err == nil && len(t.Components) > 0 {
			r.hosts = append(r.hosts, host)
		}
	}
	if r.files, err = filesOf(p.channel); err != nil {
		return nil, err
	}
	if m.Keyring != nil && !r.whole {
		m.note("channel %s: its manifest at the source is signed by key %s; the part of it that is mirrored cannot bear that signature, and has none", asked, m.proofs[name].Key)
	}
	return r, m.call(ctx, r, c, data)
}

// partMark begins a manifest that has only a part of the source's.
const partMark = "# A part of the channel, selected by x mirror: signatures of the whole manifest do not fit.\n"

// official returns the manifest with URLs of the official server in place of those of
// the source, which would lead all users of the mirror there. What is left is then often
// what the source itself had got.
func (m *mirror) official(data []byte, c *manifests.Channel) ([]byte, *manifests.Channel, error) {
	bases := []string{strings.TrimRight(m.Rebase, "/")}
	if w, ok := m.up.(*web); ok {
		bases = append(bases, w.base)
	}
	out := data
	for _, base := range bases {
		if base != "" && base != manifests.OfficialServer {
			out = bytes.ReplaceAll(out, []byte(`"`+base+`/dist/`), []byte(`"`+manifests.OfficialServer+`/dist/`))
		}
	}
	if bytes.Equal(out, data) {
		return data, c, nil
	}
	c, err := manifests.ParseChannel(out)
	return out, c, err
}

// filesOf returns the files that a channel names, sorted.
func filesOf(c *manifests.Channel) ([]file, error) {
	seen := map[string]manifests.Hash{}
	for key, d := range c.Downloads() {
		name, err := fileName(d.URL)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if d.Hash.IsZero() {
			return nil, fmt.Errorf("%s: got no digest, want one to check the file by", key)
		}
		if had, ok := seen[name]; ok && had != d.Hash {
			return nil, fmt.Errorf("%s: got two digests for %q", key, name)
		}
		seen[name] = d.Hash
	}
	files := make([]file, 0, len(seen))
	for name, hash := range seen {
		files = append(files, file{name, hash})
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.name, b.name) })
	return files, nil
}

// call finds all names of a manifest. A release is found by its version, too, and in the
// directory of its day: of these, r gets those under which the source has the same
// manifest. data has the source's bytes.
func (m *mirror) call(ctx context.Context, r *release, c *manifests.Channel, data []byte) error {
	day, of, _ := parseManifestName(r.source)
	names := []string{of}
	if v, err := c.Version(); err == nil && slices.Contains(v.Names(), of) {
		names = v.Names()
	}
	slices.Sort(names)
	days := []string{c.Date, ""}
	if day != "" {
		days = []string{day}
	}
	if !isDay(days[0]) {
		days = days[1:]
	}
	for _, d := range days {
		for _, n := range names {
			name := manifestName(d, n)
			if name == r.source {
				continue
			}
			same, err := m.sameManifest(ctx, name, r.original)
			if same {
				err = m.authentic(ctx, name, data)
				r.alike[name] = err == nil
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) { // the source's own signature fits
				return err
			}
			if same || d != "" && n == of && !m.has(ctx, name) { // a directory of x dist has no days
				r.names = append(r.names, name)
			}
		}
	}
	r.names = append(r.names, r.source)
	return nil
}

// sameManifest reports whether the source has a manifest of that digest under a name.
func (m *mirror) sameManifest(ctx context.Context, name string, hash manifests.Hash) (bool, error) {
	text, err := readOptional(ctx, m.up, name+manifests.ChecksumExt)
	if text == nil || err != nil {
		return false, err
	}
	got, err := leadingHash(text)
	return err == nil && got == hash, nil
}

// has reports whether the source has a checksum of a name.
func (m *mirror) has(ctx context.Context, name string) bool {
	text, err := readOptional(ctx, m.up, name+manifests.ChecksumExt)
	return text != nil || err != nil
}

const nightly = "nightly"

// manyNightlies says that nightlies are chosen by number or day.
func (m *mirror) manyNightlies() bool { return m.Nightlies > 0 || m.Since != "" || m.Until != "" }

const (
	// maxGap is how many days may have no nightly before nobody looks further: upstream
	// never had more than 30.
	maxGap = 60
	// maxSteps is how many nightlies are looked at.
	maxSteps = 1000
)

// nightlies adds the newest nightlies that have what is wanted, or those of a range of
// days.
func (m *mirror) nightlies(ctx context.Context, add func(asked, name string, data []byte) error) error {
	count, looked := 0, 0
	for day, err := range m.nightlyDays(ctx) {
		if err != nil {
			return err
		}
		if m.Nightlies > 0 && count == m.Nightlies || looked == maxSteps {
			break
		}
		looked++
		asked := nightly + "-" + day
		if count == 0 && m.Until == "" {
			asked = nightly
		}
		ok, err := m.nightly(ctx, day, asked, add)
		if err != nil {
			return fmt.Errorf("nightly of %s: %w", day, err)
		}
		if ok {
			count++
		}
	}
	if count == 0 {
		return errors.New("no nightly has what is wanted for each host: see --hosts and --components, and the notes")
	}
	if count < m.Nightlies {
		m.note("found only %d nightlies that have what is wanted", count)
	}
	return nil
}

// nightly adds the nightly of a day, if there is one that has what is wanted.
func (m *mirror) nightly(ctx context.Context, day, asked string, add func(asked, name string, data []byte) error) (ok bool, err error) {
	name := manifestName(day, nightly)
	data, err := m.manifest(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c, err := manifests.ParseChannel(data)
	if err != nil {
		return false, fmt.Errorf("reading manifest %q: %w", name, err)
	}
	if missing := m.Select.lacks(c); len(missing) > 0 {
		m.note("the nightly of %s is passed over: it lacks %s", day, strings.Join(missing, ", "))
		return false, nil
	}
	return true, add(asked, name, data)
}
