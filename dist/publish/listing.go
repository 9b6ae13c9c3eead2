package publish

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"

	"x.go/dist/store"
)

// listingName is the list of all dated manifests, one line each: host and path without
// scheme, such as static.rust-lang.org/dist/2026-04-16/channel-rust-nightly.toml, in the
// order of publication. Source: rust-lang/promote-release src/lib.rs.
const listingName = "manifests.txt"

// publicName returns the store's own name for manifests.txt: that of a URL, or else that
// of the lines that are there; "" if neither says it.
func publicName(url, text string) string {
	if url != "" {
		_, name, ok := strings.Cut(url, "://")
		if !ok {
			name = url
		}
		return strings.TrimSuffix(name, "/")
	}
	lines := strings.Fields(text)
	if len(lines) == 0 {
		return ""
	}
	name, _, ok := strings.Cut(lines[len(lines)-1], "/dist/")
	if !ok {
		return ""
	}
	return name
}

// appendLines appends the lines that a text does not have.
func appendLines(text string, lines []string) (out string, changed bool) {
	has := map[string]bool{}
	for line := range strings.Lines(text) {
		has[strings.TrimSpace(line)] = true
	}
	out = text
	if out != "" && !strings.HasSuffix(out, "\n") {
		out += "\n"
	}
	for _, line := range lines {
		if !has[line] {
			out += line + "\n"
			changed = true
		}
	}
	return out, changed
}

// append adds the manifests to the list. Others may add theirs at the same time.
func (r *runner) append(ctx context.Context, _ *Step) error {
	var err error
	for range maxSwaps {
		var text []byte
		var v store.Version
		text, v, err = r.store.Load(ctx, listingName, maxListed)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out, changed := appendLines(string(text), r.listed)
		if !changed {
			return nil
		}
		if err = r.store.Swap(ctx, listingName, v, []byte(out)); !errors.Is(err, store.ErrChanged) {
			if err == nil {
				r.count(func(n *Result) { n.Replaced++; n.Sent += int64(len(out)) })
			}
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(time.Duration(rand.IntN(50)) * time.Millisecond):
		}
	}
	return err
}
