package catalog_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/catalog"
	"x.go/manifests"
	"x.go/tests/testenv"
)

// manifestOf writes a manifest of packages, as NAME@TARGET or -NAME@TARGET for one that
// is not available. Its archives are dated.
func manifestOf(date, version string, parts ...string) string {
	const host = "x86_64-unknown-linux-gnu"
	var b strings.Builder
	fmt.Fprintf(&b, "manifest-version = \"2\"\ndate = %q\n", date)
	for _, p := range parts {
		name, target, _ := strings.Cut(strings.TrimPrefix(p, "-"), "@")
		fmt.Fprintf(&b, "[pkg.%q]\nversion = %q\n[pkg.%q.target.%q]\navailable = %t\n", name, version, name, target, p[0] != '-')
		if p[0] != '-' {
			url := fmt.Sprintf("%s/dist/%s/%s-%s.tar.xz", manifests.OfficialServer, date, name, target)
			fmt.Fprintf(&b, "xz_url = %q\nxz_hash = %q\n", url, manifests.HashOf(nil))
		}
	}
	fmt.Fprintf(&b, "[pkg.rust]\nversion = %q\n[pkg.rust.target.%s]\navailable = true\ncomponents = [{pkg = \"rustc\", target = %q}, {pkg = \"rust-src\", target = \"*\"}]\n", version, host, host)
	b.WriteString("[renames]\nrustfmt = { to = \"rustfmt-preview\" }\n[profiles]\nminimal = [\"rustc\"]\ndefault = [\"rustc\", \"rust-src\"]\n")
	return b.String()
}

const host = "x86_64-unknown-linux-gnu"

// history is a store whose stable channel loses rustfmt and gets rust-src, and which has
// no archives of its last release.
func history() fstest.MapFS {
	files := fstest.MapFS{}
	put := func(name, text string) { files[name] = &fstest.MapFile{Data: []byte(text)} }
	releases := []string{
		manifestOf("2026-04-14", "1.94.0", "rustc@"+host, "rustfmt-preview@"+host),
		manifestOf("2026-04-15", "1.95.0", "rustc@"+host, "rustfmt-preview@"+host, "rust-src@*"),
		manifestOf("2026-04-16", "1.95.1", "rustc@"+host, "-rustfmt-preview@"+host, "rust-src@*"),
	}
	for i, text := range releases {
		dir := fmt.Sprintf("dist/2026-04-%d/", 14+i)
		put(dir+"channel-rust-stable.toml", text)
		if i < 2 {
			put(dir+"rustc-"+host+".tar.xz", strings.Repeat("x", 1<<(10+i)))
			put(dir+"rustfmt-preview-"+host+".tar.xz", "x")
		}
	}
	put("dist/2026-04-15/rust-src-*.tar.xz", "xx")
	put("dist/channel-rust-stable.toml", releases[2])
	put("dist/channel-rust-1.95.1.toml", releases[2])
	put("dist/channel-rust-1.95.toml", releases[2])
	put("dist/channel-rust-1.9.0.toml", manifestOf("2020-01-01", "1.9.0", "rustc@"+host))
	return files
}

// texts returns the pages by name.
func texts(t *testing.T, files fstest.MapFS, newest int) map[string]string {
	t.Helper()
	c, err := catalog.Read(t.Context(), files, newest)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := c.Pages("")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, p := range pages {
		out[p.Name] = string(p.Data)
		wellFormed(t, p.Name, string(p.Data))
	}
	return out
}

// Readers get the address that manifests.txt has, unless it is that of Rust's own server.
func TestPublicURL(t *testing.T) {
	t.Parallel()
	const asked = "RUSTUP_DIST_SERVER</code> must be this server's own URL"
	for list, want := range map[string]string{
		"": "", "static.rust-lang.org/dist/2026-04-14/channel-rust-stable.toml\n": "", "?\n": "", "user:word@h/dist/2026-04-14/channel-rust-stable.toml": "",
		"rust.example.org/dist/2026-04-14/channel-rust-stable.toml\n":           "https://rust.example.org",
		"mirror.example/dist/rust/dist/2026-04-14/channel-rust-stable.toml\n\n": "https://mirror.example/dist/rust",
	} {
		files := history()
		if list != "" {
			files["manifests.txt"] = &fstest.MapFile{Data: []byte(list)}
		}
		address := want
		if address == "" {
			address = "URL"
		}
		for name, text := range texts(t, files, 60) {
			line := "RUSTUP_DIST_SERVER=" + address + "\n"
			if !strings.Contains(text, line) || strings.Contains(text, asked) != (want == "") {
				t.Errorf("manifests.txt %q: %s lacks %q, or asks readers for it %t", list, name, line, strings.Contains(text, asked))
			}
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	pages := texts(t, history(), 60)
	if diff := cmp.Diff([]string{"channel-1.9.0.html", "channel-stable.html", "index.html"}, slices.Sorted(maps.Keys(pages))); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for page, wants := range map[string][]string{
		"index.html": {
			`<a href="channel-stable.html">stable</a>`, ">1.95.1, 1.95</td>", `<th scope="row">` + host + "</th>", "unknown", "rustup toolchain install stable",
			`aria-label="3 releases from 2026-04-14 to 2026-04-16; from 1 KiB to 2.0 KiB"`,
		},
		"channel-stable.html": {
			"\u2717 missing since 2026-04-16, last in 2026-04-15", "\u2197 present, its archive on another server", "<code>stable-2026-04-15</code>",
			"rustup toolchain install stable-2026-04-16", `aria-label="3 releases from 2026-04-14 to 2026-04-16, missing in 1; 1 bytes"`, `<th scope="row">rustfmt</th>`,
			"Every machine", "default-src 'none'",
		},
	} {
		for _, want := range wants {
			if !strings.Contains(pages[page], want) {
				t.Errorf("%s lacks %q:\n%s", page, want, pages[page])
			}
		}
	}
	if diff := cmp.Diff(pages, texts(t, history(), 60)); diff != "" {
		t.Errorf("the same channels once more (-first +second):\n%s", diff)
	}
	if got := texts(t, history(), 2)["channel-stable.html"]; !strings.Contains(got, "2 releases from 2026-04-15") {
		t.Errorf("two releases alone: got %s", got)
	}
}

// TestPresentSince gives a component back.
func TestPresentSince(t *testing.T) {
	t.Parallel()
	files := history()
	text := manifestOf("2026-04-17", "1.95.2", "rustc@"+host, "rustfmt-preview@"+host)
	files["dist/2026-04-17/channel-rust-stable.toml"] = &fstest.MapFile{Data: []byte(text)}
	files["dist/channel-rust-stable.toml"] = files["dist/2026-04-17/channel-rust-stable.toml"]
	files["dist/2026-04-17/rustfmt-preview-"+host+".tar.xz"] = &fstest.MapFile{Data: []byte("x")}
	page := texts(t, files, 60)["channel-stable.html"]
	for _, want := range []string{"present since 2026-04-17", "missing since 2026-04-17, last in 2026-04-16"} {
		if !strings.Contains(page, want) {
			t.Errorf("page lacks %q:\n%s", want, page)
		}
	}
}

// TestHostilePages has names and versions that would be markup, paths or escapes.
func TestHostilePages(t *testing.T) {
	t.Parallel()
	const bad = `<script>alert(1)</script>"'&amp;` + "\u202e"
	text := manifestOf(bad, bad, "rustc@"+host, "x</summary><script>@"+bad, "rust-src@*")
	files := fstest.MapFS{"dist/channel-rust-stable.toml": {Data: []byte(text)}, `dist/channel-rust-"><script>.toml`: {Data: []byte(text)}, "dist/channel-rust-..toml": {Data: []byte(text + "\n#")}}
	for name, page := range texts(t, files, 60) {
		if strings.Contains(page, "<script") || strings.Contains(page, "\u202e") || strings.ContainsAny(name, `<>"/`) {
			t.Errorf("%q has text of strangers as it is:\n%s", name, page)
		}
	}
}

func TestReadErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"empty":  {fstest.MapFS{}, "reading directory dist: "},
		"none":   {fstest.MapFS{"dist/a": {}}, "no manifest channel-rust-NAME.toml"},
		"broken": {fstest.MapFS{"dist/channel-rust-stable.toml": {Data: []byte("x")}}, `reading manifest "dist/channel-rust-stable.toml": `},
	} {
		if _, err := catalog.Read(t.Context(), tt.files, 60); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
}

// TestLinkers takes the linker of a release from the provenance beside its manifest, if
// that is about these very bytes.
func TestLinkers(t *testing.T) {
	t.Parallel()
	files := history()
	const name = "channel-rust-stable.toml"
	for i, of := range []string{"dist/2026-04-14/", "dist/2026-04-15/", "dist/2026-04-14/"} {
		var record manifests.BuildRecord
		record.Toolchain.Host = host
		record.LLD.Default, record.LLD.Shipped = i == 0, true
		c, err := manifests.ParseChannel(files[of+name].Data)
		testenv.Must(t, err)
		p, err := manifests.NewProvenance(name, manifests.HashOf(files[of+name].Data), c, []manifests.BuiltArchive{{Name: "rustc-" + host + ".tar.xz", Record: &record}}, "")
		testenv.Must(t, err)
		data, err := p.Encode()
		testenv.Must(t, err)
		files[fmt.Sprintf("dist/2026-04-%d/channel-rust-stable"+manifests.ProvenanceExt, 14+i)] = &fstest.MapFile{Data: data}
	}
	page := texts(t, files, 60)["channel-stable.html"]
	for version, want := range map[string]string{"1.94.0": "LLD, its own", "1.95.0": "system linker", "1.95.1": `<span class="soft">unknown</span>`} {
		if row := `data-label="Release">` + version + `</td><td class="wide" data-label="Links with">` + want + "</td>"; !strings.Contains(page, row) {
			t.Errorf("%s: page lacks %q:\n%s", version, row, page)
		}
	}
}
