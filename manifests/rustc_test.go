package manifests_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/manifests"
)

func TestParseRustc(t *testing.T) {
	tests := []struct {
		name, text                         string
		version, channel, hash, desc, want string // want is an error
	}{
		{
			name:    "stable",
			text:    "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\ncommit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860\ncommit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\nLLVM version: 22.1.2\n",
			version: "1.95.0 (59807616e 2026-04-14)", channel: "stable", hash: "59807616e1fa2540724bfbac14d7976d7e4a3860",
		},
		{
			name:    "description",
			text:    "rustc 1.85.0 (4d91de4e4 2025-02-17) (built from a source tarball)\ncommit-hash: 4d91de4e48198da2e33413efdcd9cd2cc0c46688\ncommit-date: 2025-02-17\nhost: x86_64-unknown-linux-gnu\nrelease: 1.85.0\n",
			version: "1.85.0 (4d91de4e4 2025-02-17) (built from a source tarball)", channel: "stable",
			hash: "4d91de4e48198da2e33413efdcd9cd2cc0c46688", desc: "built from a source tarball",
		},
		{
			name: "no git", text: "rustc 1.97.0-dev\ncommit-hash: unknown\ncommit-date: unknown\nhost: aarch64-apple-darwin\nrelease: 1.97.0-dev\n",
			version: "1.97.0-dev", channel: "dev",
		},
		{name: "too long", text: strings.Repeat("x", 1<<17), want: "want at most 65536"},
		{name: "nothing", text: "hello\n", want: `no "host" line`},
		{name: "bad release", text: "x\nhost: x86_64-unknown-linux-gnu\nrelease: soon\n", want: "parsing release"},
		{name: "bad host", text: "x\nhost: ../..\nrelease: 1.95.0\n", want: "parsing target triple"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := manifests.ParseRustc(tt.text)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("got error %v, want %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := []string{r.Version.String(), r.Version.Channel(), r.Version.CommitHash, r.Version.Description}
			if diff := cmp.Diff([]string{tt.version, tt.channel, tt.hash, tt.desc}, got); diff != "" {
				t.Errorf("version, channel, hash, description (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzParseRustc: what a compiler says of itself names a host and a release, and
// its version text is what its first line holds where it holds anything of it.
func FuzzParseRustc(f *testing.F) {
	f.Add("rustc 1.95.0 (59807616e 2026-04-14)\ncommit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860\ncommit-date: 2026-04-14\nhost: x86_64-unknown-linux-gnu\nrelease: 1.95.0\n")
	f.Add("rustc 1.85.0 (Debian)\r\nhost: a-b-c\r\nrelease: 1.85.0")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := manifests.ParseRustc(text)
		if err != nil {
			return
		}
		if r.Host.IsZero() || r.Version.Release.IsZero() || strings.ContainsRune(r.Line, '\n') {
			t.Errorf("got %+v", r)
		}
		if d := r.Version.Description; d != "" && !strings.HasPrefix(r.Line, "rustc "+r.Version.Release.String()) {
			t.Errorf("got description %q of %q", d, r.Line)
		}
	})
}
