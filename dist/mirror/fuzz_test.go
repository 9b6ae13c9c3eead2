package mirror

import (
	"path"
	"strings"
	"testing"

	"x.go/dist/channel"
	"x.go/manifests"
)

// Whatever a manifest names, the name in the store is that of a file in dist or in a
// directory of a day, and of nothing that says something of other files.
func FuzzFileName(f *testing.F) {
	for _, rest := range []string{"2026-04-16/cargo.tar.xz", "cargo.tar.xz", "../x", "a/b", "2026-04-16/../x", "%2e%2e/x", "x?y", "x.sha256", "channel-rust-x", "staging/x", ".x-y", "CON", "a\x00b"} {
		f.Add(rest)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		name, err := fileName(manifests.OfficialServer + "/dist/" + rest)
		if err != nil {
			return
		}
		dir, base := path.Split(strings.TrimPrefix(name, distDir))
		if name != path.Clean(name) || !strings.HasPrefix(name, distDir) || dir != "" && !channel.IsDated(strings.TrimSuffix(dir, "/")) ||
			isSide(base) || isManifestFile(base) || strings.ContainsAny(name, "\\\x00\n") || base[0] == '.' {
			t.Errorf("%q: got name %q", rest, name)
		}
	})
}

// The list keeps what it does not know, and has each manifest once.
func FuzzList(f *testing.F) {
	f.Add("static.rust-lang.org/dist/2026-04-16/channel-rust-stable.toml\nhttps://other/x\n\n")
	f.Add("x/dist/2026-04-16/channel-rust-nightly.toml")
	f.Fuzz(func(t *testing.T, text string) {
		const name = "dist/2026-04-16/channel-rust-nightly.toml"
		once := editLines(text, nil, []string{name})
		if again := editLines(once, nil, []string{name}); again != once || !strings.Contains(once, name) {
			t.Errorf("%q: got %q, then %q", text, once, again)
		}
		gone := editLines(once, func(day, _ string) bool { return day == "2026-04-16" }, nil)
		for line := range strings.Lines(gone) {
			if day, _, ok := parseListLine(line); ok && day == "2026-04-16" {
				t.Errorf("%q: got line %q", text, line)
			}
		}
	})
}
