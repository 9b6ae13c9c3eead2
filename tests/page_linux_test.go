package tests

import (
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// measure is added to a copy of a page in a frame, for only a script knows how wide it
// is: it tells the page around it by how many pixels an element is wider than its place.
const measure = `<script>
for (const d of document.querySelectorAll("details")) d.open = true;
let over = 0;
for (const e of [document.documentElement, ...document.querySelectorAll(".scroll, pre")]) over = Math.max(over, e.scrollWidth - e.clientWidth);
const p = parent.document.createElement("p");
p.textContent = "%s: " + over + " of " + innerWidth + " on " + getComputedStyle(document.body).backgroundColor;
parent.document.body.append(p);
</script></body>`

var policy = regexp.MustCompile(`<meta http-equiv="Content-Security-Policy"[^>]*>`)

// TestChannelPage has a browser read the pages of a channel that x dist wrote, from the
// disk: on a phone and on a desktop, light and dark, nothing lies beside the screen.
func TestChannelPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fullSysroot(t, filepath.Join(dir, "usr"))
	runx.Must(t, dir, []string{"SOURCE_DATE_EPOCH=1776297600"}, "dist", "--quiet", "--sysroot", "usr", "--set", `dist.compression-formats=["gz"]`)
	page := func(out string) map[string]string {
		runx.Must(t, dir, nil, "channel", "page", "--out", out, "build/dist")
		return testenv.Contents(t, filepath.Join(dir, out))
	}
	pages := page("site")
	for name, want := range map[string]string{"index.html": "LLD, its own", "channel-stable.html": "rust-std"} {
		if !strings.Contains(pages[name], want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
	if again := page("again"); again["index.html"] != pages["index.html"] || again["channel-stable.html"] != pages["channel-stable.html"] {
		t.Error("the pages of one channel differ in another directory")
	}
	// Two releases of names that do not fit on a line.
	for _, date := range []string{"2026-04-16", "2026-04-17"} {
		text, err := os.ReadFile(filepath.Join(dir, "build/dist/channel-rust-stable.toml"))
		testenv.Must(t, err)
		long := strings.NewReplacer("1.95.0 (", strings.Repeat("long", 60)+" (", "rustfmt", strings.Repeat("rustfmt", 15), `date = "2026-04-16"`, `date = "`+date+`"`).Replace(string(text))
		testenv.Must(t, os.MkdirAll(filepath.Join(dir, "store/dist", date), 0o755))
		testenv.Must(t, os.WriteFile(filepath.Join(dir, "store/dist", date, "channel-rust-stable.toml"), []byte(long), 0o644))
	}
	runx.Must(t, dir, nil, "channel", "page", "--out", "long", "store")
	for name, text := range testenv.Contents(t, filepath.Join(dir, "long")) {
		pages["long "+name] = text
	}
	browser := testenv.Need(t, "chromium-headless-shell")
	dump := func(name string, args ...string) string {
		t.Helper()
		args = append(args, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--dump-dom", "file://"+filepath.Join(dir, name))
		cmd := exec.CommandContext(t.Context(), browser, args...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, &stderr)
		}
		return string(out)
	}
	var frames strings.Builder
	var want []string
	for name, text := range pages {
		for _, width := range []int{360, 1280} {
			copied := strings.Replace(policy.ReplaceAllString(text, ""), "</body>", fmt.Sprintf(measure, name), 1)
			fmt.Fprintf(&frames, "<iframe width=\"%d\" height=\"800\" style=\"border: 0\" srcdoc=\"%s\"></iframe>\n", width, html.EscapeString(copied))
			want = append(want, fmt.Sprintf("<p>%s: 0 of %d on ", name, width))
		}
	}
	testenv.Must(t, os.WriteFile(filepath.Join(dir, "frames.html"), []byte("<!DOCTYPE html><body>"+frames.String()+"</body>"), 0o644))
	for scheme, ground := range map[string]string{"--blink-settings=preferredColorScheme=1": "rgb(251, 250, 248)", "--blink-settings=preferredColorScheme=0": "rgb(27, 26, 24)"} {
		got := dump("frames.html", scheme)
		for _, line := range want {
			if !strings.Contains(got, line+ground) {
				t.Errorf("%s: got %q, want %q: nothing beside the screen", scheme, regexp.MustCompile(`<p>[^<]*</p>`).FindAllString(got, -1), line+ground)
			}
		}
	}
	text := pages["channel-stable.html"]
	if dom := dump("site/channel-stable.html"); strings.Count(dom, "<tr>") != strings.Count(text, "<tr>") || !strings.Contains(dom, "<h2>Install with rustup</h2>") {
		t.Errorf("the browser reads another page:\n%s", dom)
	}
}
