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

	"x.go/bootstrap/toml"
	"x.go/manifests"
	"x.go/targets"
)

// Names of rustup's own tree. rustup asks RUSTUP_UPDATE_ROOT/release-stable.toml for the
// newest version, then for archive/VERSION/TRIPLE/rustup-init; rustup.rs sends people to
// dist/TRIPLE/rustup-init.
const (
	rustupDir     = "rustup/"
	rustupRelease = rustupDir + "release-stable.toml"
)

// rustup brings rustup itself, for the selected hosts.
func (m *mirror) rustup(ctx context.Context, releases []*release) error {
	text, err := m.up.fetch(ctx, rustupRelease, maxSide)
	if err != nil {
		return err
	}
	version, err := rustupVersion(text)
	if err != nil {
		return fmt.Errorf("reading %q: %w", rustupRelease, err)
	}
	m.result.Rustup = version
	hosts := m.rustupHosts(releases)
	var todo []file
	trees := []string{}
	for _, v := range append(slices.Clone(m.RustupVersions), version) {
		trees = append(trees, rustupDir+"archive/"+v)
	}
	slices.Sort(trees)
	for _, tree := range append(slices.Compact(trees), rustupDir+"dist") {
		for _, host := range hosts {
			todo = append(todo, file{name: path.Join(tree, host, "rustup-init"+exeSuffix(host))})
		}
	}
	if err := m.each(ctx, todo, m.rustupInit); err != nil {
		return err
	}
	if m.holds(ctx, rustupRelease, text) {
		return nil
	}
	m.transferred(rustupRelease, int64(len(text)))
	return m.write(ctx, rustupRelease, text) // last: it says that the others are there
}

// rustupVersion reads release-stable.toml.
func rustupVersion(text []byte) (string, error) {
	doc := toml.Parse("", text)
	for _, e := range doc.Errors {
		return "", errors.New(e.Msg)
	}
	n := doc.Root.Child("version")
	if n == nil || n.Kind != toml.String {
		return "", errors.New("got no version")
	}
	if _, err := targets.ParseRelease(n.Text); err != nil {
		return "", fmt.Errorf("got version %.100q, want one such as 1.29.0", n.Text)
	}
	return n.Text, nil
}

// rustupHosts returns the machines that rustup is wanted for: those of the selection, or
// all with a compiler in some channel.
func (m *mirror) rustupHosts(releases []*release) []string {
	hosts := map[string]bool{}
	if m.Select.Hosts != nil {
		for _, h := range m.Select.Hosts {
			hosts[h.String()] = true
		}
		return slices.Sorted(maps.Keys(hosts))
	}
	for _, r := range releases {
		for _, host := range r.hosts {
			hosts[host] = true
		}
	}
	return slices.Sorted(maps.Keys(hosts))
}

// exeSuffix returns what the names of programs end with on a host.
func exeSuffix(host string) string {
	if slices.Contains(strings.Split(host, "-"), "windows") {
		return ".exe"
	}
	return ""
}

// rustupInit brings one program of rustup. Not every host has one.
func (m *mirror) rustupInit(ctx context.Context, f file) error {
	sumName := f.name + manifests.ChecksumExt
	text, err := readOptional(ctx, m.up, sumName)
	if err != nil {
		return err
	}
	if text == nil {
		if m.Select.Hosts != nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.note("the source has no %s with a checksum", f.name)
		}
		return nil
	}
	if f.hash, err = leadingHash(text); err != nil {
		return fmt.Errorf("reading %q: %w", sumName, err)
	}
	if _, err := m.store.Stat(ctx, f.name); err == nil {
		if !m.Check && m.holds(ctx, sumName, text) {
			m.keep()
			return nil
		}
		if got, err := m.store.Hash(ctx, f.name); err == nil && got == f.hash {
			m.keep()
			return m.write(ctx, sumName, text)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return m.bringRustup(ctx, f, text)
}

// bringRustup transfers a program of rustup. text is its checksum file, as the source
// has it.
func (m *mirror) bringRustup(ctx context.Context, f file, text []byte) error {
	if m.DryRun {
		m.transferred(f.name, -1)
		return nil
	}
	if err := m.store.Delete(ctx, f.name+manifests.ChecksumExt); err != nil {
		return err
	}
	size, err := m.transfer(ctx, f.name, f.hash)
	if err != nil {
		return err
	}
	m.transferred(f.name, size)
	if err := m.store.Flush(ctx); err != nil { // before its checksum file says that it is there
		return err
	}
	if err := m.optional(ctx, f.name+".asc"); err != nil {
		return err
	}
	return m.write(ctx, f.name+manifests.ChecksumExt, text)
}
