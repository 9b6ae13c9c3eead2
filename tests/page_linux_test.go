package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// measure is added to a copy of a page, for only a script knows how wide it is: it notes
// by how many pixels an element is wider than its place.
const measure = `<script>
for (const d of document.querySelectorAll("details")) d.open = true;
let over = 0;
for (const e of [document.documentElement, ...document.querySelectorAll(".scroll, pre")]) over = Math.max(over, e.scrollWidth - e.clientWidth);
document.documentElement.dataset.over = over + " of " + innerWidth + " " + getComputedStyle(document.body).backgroundColor;
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
	browser := testenv.Need(t, "chromium")
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
	for name, text := range pages {
		if dom := dump("site/" + name); strings.Count(dom, "<tr>") != strings.Count(text, "<tr>") || !strings.Contains(dom, "<h2>Install with rustup</h2>") {
			t.Errorf("%s: the browser reads another page:\n%s", name, dom)
		}
		copied := strings.Replace(policy.ReplaceAllString(text, ""), "</body>", measure, 1)
		testenv.Must(t, os.WriteFile(filepath.Join(dir, name), []byte(copied), 0o644))
		for _, width := range []int{360, 1280} {
			got := dump(name, fmt.Sprintf("--window-size=%d,800", width), "--blink-settings=preferredColorScheme=1")
			if !strings.Contains(got, fmt.Sprintf(`data-over="0 of %d rgb(251, 250, 248)"`, width)) {
				t.Errorf("%s at a width of %d: got %q, want nothing beside the screen", name, width, regexp.MustCompile(`data-over="[^"]*"`).FindString(got))
			}
		}
	}
	if got := dump("index.html", "--window-size=360,800", "--blink-settings=preferredColorScheme=0"); !strings.Contains(got, `data-over="0 of 360 rgb(27, 26, 24)"`) {
		t.Errorf("index.html in the dark: got %q", regexp.MustCompile(`data-over="[^"]*"`).FindString(got))
	}
}
