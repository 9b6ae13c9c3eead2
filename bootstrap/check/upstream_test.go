package check

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/targets"
)

// stricter are the keys of which bootstrap/config/README.md says that x refuses
// values which x.py takes.
var stricter = []string{
	"rust.channel", "dist.compression-formats", "dist.compression-profile", "rust.stack-protector", "build.build", "build.host", "build.target", "target.", "change-id",
}

// emptySection is an option of which it says that only x.py takes it.
var emptySection = []string{"[rust]"}

// TestLikeUpstream compares what becomes of a configuration with what the programs of
// x.py of 1.85, 1.90 and 1.95 said of it. A line of testdata/xpy.txt has: a group;
// releases; the source tree ("tar" is an unpacked archive, "plain" has neither
// git-commit-info nor .git, each with src/ci/channel = stable or nightly); "refused"
// or what was resolved; the file and options of --set, both as JSON. The lines were
// recorded by running `bootstrap` of the three releases with each file on
// x86_64-unknown-linux-gnu, and printing its Config and the steps of dist.
func TestLikeUpstream(t *testing.T) {
	data, err := os.ReadFile("testdata/xpy.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		texts := make([]string, len(fields)-4)
		for i, field := range fields[4:] {
			if err := json.Unmarshal([]byte(field), &texts[i]); err != nil {
				t.Fatal(err)
			}
		}
		for r := range strings.SplitSeq(fields[1], ",") {
			compareUpstream(t, r, fields[2], fields[3], texts)
		}
	}
}

func compareUpstream(t *testing.T, release, tree, want string, texts []string) {
	t.Helper()
	host := triple("x86_64-unknown-linux-gnu")
	of, err := targets.ParseRelease(release)
	if err != nil {
		t.Fatal(err)
	}
	src := config.Source{Host: host, Sets: texts[1:], Release: of, ReadFile: upstreamTree(tree, texts[0])}
	c, loadErr := config.Load(src)
	d, lldErr := lld.Decide(c, lld.Facts{})
	errs := slices.DeleteFunc(Run(c, loadErr, Facts{}), func(f config.Finding) bool { return f.Severity != config.Failure })
	got := fmt.Sprintf("lld=%t default=%t channel=%s extended=%t ci-llvm=%t no-hash=%t remap=%t", d.Wanted.Shipped, d.Wanted.Default[host] == lld.DefaultSelfContainedLLD,
		c.Rust.Channel, c.Build.Extended, c.LLVM.DownloadCILLVM.Bool, c.Rust.OmitGitHash == targets.Yes, c.Rust.RemapDebuginfo)
	switch {
	case want == "refused" && len(errs) > 0:
		return
	case want != "refused" && (loadErr != nil || lldErr != nil):
		if slices.ContainsFunc(errs, func(f config.Finding) bool {
			return slices.ContainsFunc(stricter, func(key string) bool { return strings.HasPrefix(f.Key, key) })
		}) || slices.Equal(texts[1:], emptySection) {
			return
		}
		got = fmt.Sprint(errs)
	}
	if got != want {
		t.Errorf("%s %s %q:\nx.py %s\nx    %s", release, tree, texts, want, got)
	}
}

// upstreamTree is the file system of a recorded case.
func upstreamTree(tree, text string) func(string) ([]byte, error) {
	channel := "stable\n"
	if strings.HasSuffix(tree, "nightly") {
		channel = "nightly\n"
	}
	files := map[string]string{"bootstrap.toml": text, filepath.FromSlash("src/ci/channel"): channel}
	if strings.HasPrefix(tree, "tar") {
		files["git-commit-info"] = "x"
	}
	return func(path string) ([]byte, error) {
		if text, ok := files[path]; ok {
			return []byte(text), nil
		}
		return nil, fs.ErrNotExist
	}
}
