package mirror

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"x.go/dist/store"
	"x.go/manifests"
)

// maxSwaps is how often manifests.txt is read again because somebody else has written it.
const maxSwaps = 20

// editList adds dated manifests to manifests.txt, and takes away those that gone names.
// Lines that it does not know stay.
func editList(ctx context.Context, s *store.Store, gone func(day, channel string) bool, add []string) error {
	for range maxSwaps {
		text, version, err := s.Load(ctx, manifestsList, manifests.MaxListing)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out := editLines(string(text), gone, add)
		if out == string(text) {
			return nil
		}
		if err = s.Swap(ctx, manifestsList, version, []byte(out)); !errors.Is(err, store.ErrChanged) {
			return err
		}
	}
	return store.ErrChanged
}

// editLines is [editList] for the text. A new line begins as the others do: with the
// public name of the store.
func editLines(text string, gone func(day, channel string) bool, add []string) string {
	prefix := strings.TrimPrefix(manifests.OfficialServer, "https://") + "/"
	var lines []string
	has := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		day, channel, ok := parseListLine(line)
		if ok {
			prefix = strings.TrimSuffix(line, manifestName(day, channel))
			has[manifestName(day, channel)] = true
		}
		if !ok || gone == nil || !gone(day, channel) {
			lines = append(lines, line)
		}
	}
	for _, name := range add {
		if day, _, ok := parseManifestName(name); ok && day != "" && !has[name] {
			lines = append(lines, prefix+name)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}
