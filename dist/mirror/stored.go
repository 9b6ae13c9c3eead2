package mirror

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"x.go/dist/store"
	"x.go/manifests"
)

// storedManifest is a manifest in a store.
type storedManifest struct {
	name         string
	day, channel string // of the name
	data         []byte
	content      *manifests.Channel
	files        []file
}

// readStored reads a manifest of a store.
func readStored(ctx context.Context, s *store.Store, name string) (storedManifest, error) {
	m := storedManifest{name: name}
	m.day, m.channel, _ = parseManifestName(name)
	var err error
	if m.data, _, err = s.Load(ctx, name, manifests.MaxChannel); err != nil {
		return m, err
	}
	if m.content, err = manifests.ParseChannel(m.data); err != nil {
		return m, fmt.Errorf("reading manifest %q: %w", name, err)
	}
	m.files, err = m.refs()
	return m, err
}

// refs returns the files that a manifest of any mirror names. Where the mirror has put
// its own address into the URLs, what is behind /dist/ counts.
func (m *storedManifest) refs() ([]file, error) {
	seen := map[file]bool{}
	var out []file
	var errs []error
	for key, d := range m.content.Downloads() {
		address := d.URL
		if i := strings.LastIndex(address, "/"+distDir); i >= 0 {
			address = manifests.OfficialServer + address[i:]
		}
		name, err := fileName(address)
		if err != nil {
			errs = append(errs, fmt.Errorf("manifest %q: %s: %w", m.name, key, err))
			continue
		}
		if f := (file{name, d.Hash}); !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	if len(errs) > maxFailures {
		errs = append(errs[:maxFailures], fmt.Errorf("manifest %q: and %d more", m.name, len(errs)-maxFailures))
	}
	return out, errors.Join(errs...)
}

// release returns the version that a manifest is of, and the channel of that version;
// both are "" if it does not say.
func (m *storedManifest) release() (version, channel string) {
	v, err := m.content.Version()
	if err != nil {
		return "", ""
	}
	return v.Release.String(), v.Channel()
}

// isLayout reports whether a file with that base name in dist, or in a directory of a
// day, is one that a publisher or a mirror puts there.
func isLayout(base string) bool {
	base, _ = cutSide(base)
	if isManifestFile(base) || isStatement(base) {
		return true
	}
	if _, _, ok := manifests.CutFormat(base); ok {
		return true
	}
	switch path.Ext(base) {
	case ".msi", ".pkg", ".exe", ".json", ".jsonl":
		return true
	}
	return false
}
