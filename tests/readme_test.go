package tests

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"x.go/tests/runx"
	"x.go/tests/testenv"
)

// pages are the documents whose commands are held to what x has.
var pages = []string{"../README.md", "../CONTRIBUTING.md", "../dist/xz/README.md"}

// span is a piece of code in a document.
type span struct {
	section string // the heading above it
	text    string
	block   string // the word behind ``` if it is a block, "" for code within a line
	fenced  bool
}

var codeInLine = regexp.MustCompile("`([^`]+)`")

// spans returns the pieces of code in a document, in order.
func spans(document string) []span {
	var out []span
	section, inside := "", false
	var block span
	for line := range strings.Lines(document) {
		switch fence, ok := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case ok && inside:
			out, inside = append(out, block), false
		case ok:
			block, inside = span{section: section, block: fence, fenced: true}, true
		case inside:
			block.text += line
		case strings.HasPrefix(line, "#"):
			section = strings.TrimSpace(strings.TrimLeft(line, "#"))
		default:
			for _, m := range codeInLine.FindAllStringSubmatch(line, -1) {
				out = append(out, span{section: section, text: m[1]})
			}
		}
	}
	return out
}

// shellLines returns the commands of a block, without remarks.
func (s span) shellLines() []string {
	var out []string
	for line := range strings.Lines(s.text) {
		line, _, _ = strings.Cut(line, " # ")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

var (
	callOfX = regexp.MustCompile(`(?:^|[;&|] |do |go run x\.go )(?:\./)?x (.*)$`)
	goRun   = regexp.MustCompile(`^go run x\.go`)
	// redirection is what a shell does with a call of x.
	redirection = regexp.MustCompile(` [<>|&].*$`)
	brackets    = strings.NewReplacer("[", "", "]", "")
)

// calls returns the arguments of x in the lines of a span.
func (s span) calls() []string {
	lines := []string{brackets.Replace(s.text)} // "[--flag]" in a line means that it may be left out
	if s.fenced {
		if s.block != "sh" {
			return nil // output
		}
		lines = s.shellLines()
	}
	var out []string
	for _, line := range lines {
		if m := callOfX.FindStringSubmatch(goRun.ReplaceAllString(line, "x")); m != nil {
			call, _, _ := strings.Cut(m[1], ";")
			out = append(out, call)
		}
	}
	return out
}

// checkCall asks x for help on a call: its commands and flags must exist.
func checkCall(t *testing.T, call string) error {
	t.Helper()
	script := `for w in ` + redirection.ReplaceAllString(call, "") + `; do printf '%s\n' "$w"; done`
	out, err := exec.Command("sh", "-fc", script).Output()
	if err != nil {
		return fmt.Errorf("splitting %q: %w", call, err)
	}
	args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	ask := slices.Clone(args)
	if args[0] == "help" && !strings.Contains(call, "--") {
		args = args[1:] // help answers for the command that it is about
	} else if at := slices.Index(args, "--"); at >= 0 {
		ask = slices.Insert(ask, at, "--help")
	} else {
		ask = append(ask, "--help")
	}
	r := runx.X(t, t.TempDir(), nil, ask...)
	if r.Code != 0 {
		return fmt.Errorf("%s", strings.TrimSpace(r.Stderr))
	}
	_, usage, _ := strings.Cut(r.Stdout, "\nUsage:\n  x ")
	usage, _, _ = strings.Cut(usage, "\n")
	for i, word := range args {
		if strings.HasPrefix(word, "-") || i > 0 && len(listedCommands(r.Stdout)) == 0 {
			break
		}
		words := strings.Fields(usage)
		if i > 0 && i < len(words) && strings.HasSuffix(words[i], "...") {
			break // an argument of a command that has others below it
		}
		if i >= len(words) || words[i] != word {
			return fmt.Errorf("no command %q: got help on %q", word, usage)
		}
	}
	return nil
}

var commandRow = regexp.MustCompile(`^  ([a-z-]+) +[A-Z]`)

// listedCommands returns the commands that a help text lists.
func listedCommands(help string) []string {
	_, help, _ = strings.Cut(help, "\nUsage:\n") // texts have tables that look like it
	var out []string
	for line := range strings.Lines(help) {
		if m := commandRow.FindStringSubmatch(line); m != nil && m[1] != "x" { // the usage of x itself
			out = append(out, m[1])
		}
	}
	return out
}

var flagRow = regexp.MustCompile(`^ +(?:-[a-z], )?(--[a-z-]+)`)

// helpOfAll returns the help of every visible command by its path below x, and
// all flags in it.
func helpOfAll(t *testing.T) (texts map[string]string, flags map[string]bool) {
	t.Helper()
	texts, flags = map[string]string{}, map[string]bool{}
	todo := []string{""}
	for len(todo) > 0 {
		path := todo[0]
		todo = todo[1:]
		text := runx.Must(t, t.TempDir(), nil, append([]string{"help"}, strings.Fields(path)...)...).Stdout
		texts[path] = text
		for line := range strings.Lines(text) {
			if m := flagRow.FindStringSubmatch(line); m != nil {
				flags[m[1]] = true
			}
		}
		for _, name := range listedCommands(text) {
			if path != "completion" { // those are shells
				todo = append(todo, strings.TrimSpace(path+" "+name))
			}
		}
	}
	return texts, flags
}

// foreignFlags are flags of other programs that the documents name.
var foreignFlags = []string{"--print", "--exclude", "--threads"}

// TestDocumentedCommands holds that each command and flag that a document or an
// example names exists, and that the README's table has each command.
func TestDocumentedCommands(t *testing.T) {
	t.Parallel()
	texts, flags := helpOfAll(t)
	if len(texts) < 15 || len(flags) < 40 {
		t.Fatalf("got %d commands and %d flags in the help texts, want more: were they read?", len(texts), len(flags))
	}
	seen := map[string]bool{}
	check := func(place, call string) {
		if !seen[call] {
			seen[call] = true
			if err := checkCall(t, call); err != nil {
				t.Errorf("%s: x %s: %v", place, call, err)
			}
		}
	}
	foreign := map[string]bool{}
	for _, page := range pages {
		document, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range spans(string(document)) {
			for _, call := range s.calls() {
				check(page+", "+s.section, call)
			}
			if name := regexp.MustCompile(`^--[a-z-]+`).FindString(s.text); name != "" && !s.fenced {
				if slices.Contains(foreignFlags, name) {
					foreign[name] = true
				} else if !flags[name] {
					t.Errorf("%s, %s: no command has the flag %s", page, s.section, name)
				}
			}
		}
	}
	if len(foreign) != len(foreignFlags) {
		t.Errorf("got foreign flags %v in the documents, want %v", slices.Sorted(maps.Keys(foreign)), foreignFlags)
	}
	for path, text := range texts {
		_, examples, _ := strings.Cut(text, "\nExamples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		for line := range strings.Lines(examples) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "   ")
			check("help "+path, strings.TrimPrefix(command, "x "))
		}
	}
	if len(seen) < 80 {
		t.Errorf("got %d different calls of x, want at least 80: were they found?", len(seen))
	}
	readme, err := os.ReadFile(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	statuses := regexp.MustCompile(`(?m)^\| (\d) \| (.*) \|$`).FindAllSubmatch(readme, -1)
	if len(statuses) != 4 {
		t.Errorf("got %d exit statuses in the README, want 4", len(statuses))
	}
	for _, row := range statuses {
		if want := fmt.Sprintf(" %s %s", row[1], row[2]); !strings.Contains(strings.Join(strings.Fields(texts[""]), " "), want) {
			t.Errorf("x help does not say %q of exit statuses, as the README does", want)
		}
	}
	for path := range texts {
		if path != "" && !regexp.MustCompile("(?m)^\\|.*`x "+path+"[ `].*\\|$").Match(readme) {
			t.Errorf("the README's table of commands lacks x %s", path)
		}
	}
	for _, wrong := range []string{"frobnicate", "dist --frmats xz", "targets shwo X", "help instal", "bench compres f", "explain --rustflag -- -g"} {
		if checkCall(t, wrong) == nil {
			t.Errorf("x %s: got no error", wrong)
		}
	}
}

// notRun names lines of the README that are not run on the stub, and why. A row
// that no line starts with is an error.
var notRun = map[string]string{
	"go run x.go dist":          "compiles x once more",
	"go test ./...":             "is this",
	"CGO_ENABLED=0 go build":    "writes into the checkout",
	"x bench link":              "links, which needs a real compiler: script bench_link",
	"dh_install":                "needs a source package: tests/packages",
	"x dist --sysroot":          "needs toolchains of several hosts: TestManyHosts",
	"x dist --host":             "needs toolchains of several hosts: TestManyHosts",
	"x mirror":                  "asks a server: script mirror, TestMirror",
	"x channel overlay":         "asks a server: script channel_overlay, TestOverlayForRustup",
	"x channel page":            "reads what x publish has written: TestChannelPage",
	"x publish":                 "needs rustup, and a store that it may change: its own tests",
	"x serve":                   "serves until it is stopped: TestServeRustup",
	"x channel prune":           "prunes what the line above has mirrored: script mirror",
	"x installer":               "needs an image: TestInstaller",
	"x verify":                  "links, which needs a real compiler: TestVerify",
	"RUSTUP_DIST_SERVER=":       "needs rustup and a real compiler: TestRustup",
	"tar -xf build/dist/rust-":  "names a release: TestInstallScript",
	"sh rust-1.95.0-":           "as above",
	"/opt/rust/lib/rustlib/uni": "as above",
}

// prepare makes what the lines of a section need to be there.
var prepare = map[string]string{
	"As the distribution has it": `x dist rustc rust-std cargo --set 'dist.compression-formats=["gz"]'`,
	"Run a channel of your own": `x dist rustc rust-std cargo --set 'dist.compression-formats=["gz"]' && mv build/dist from-x86_64 &&
		x dist rustfmt --set 'dist.compression-formats=["gz"]' && mv build/dist from-aarch64 &&
		sed -n '/^-- key.asc --$/,/^-----END/p' "$SCRIPTS/channel_sign.txtar" | sed 1d >release-key.asc`,
	"Set up":              "ln -s \"$(command -v x)\" x",
	"Test archives in CI": `x dist rustc rust-std cargo --set 'dist.compression-formats=["zst"]' --build-dir last && mv last/dist last-release`,
	"Find out why a link failed, or went wrong in silence": `mkdir -p target/debug crater/pr-140525/app && cp "$(command -v cat)" target/debug/server &&
		echo 'error[E0308]: mismatched types' | tee build.log >crater/pr-140525/app/log.txt`,
	"Recompression":    "x dist && cp -r build/dist ci",
	"On many machines": `x dist rustc rust-std cargo --set 'dist.compression-formats=["gz"]' && mv build/dist ci`,
}

// TestReadmeCommands runs the commands of the README on a stub of a toolchain, as
// they are written. Each section has a directory of its own, with the README's
// bootstrap.toml if it shows one.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Abs("testdata/script")
	if err != nil {
		t.Fatal(err)
	}
	env := append(stubToolchain(t), "SCRIPTS="+scripts)
	document, err := os.ReadFile(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	writeSource(t, filepath.Join(filepath.Dir(t.TempDir()), "rust")) // ../rust of each section
	left := maps.Clone(notRun)
	dirs := map[string]string{} // by section
	ran := 0
	for _, s := range spans(string(document)) {
		if !s.fenced || s.block == "" {
			continue
		}
		dir, ok := dirs[s.section]
		if !ok {
			dir = t.TempDir()
			dirs[s.section] = dir
			if script := prepare[s.section]; script != "" {
				runLine(t, dir, env, script)
			}
		}
		switch s.block {
		case "toml":
			if err := os.WriteFile(filepath.Join(dir, "bootstrap.toml"), []byte(s.text), 0o644); err != nil {
				t.Fatal(err)
			}
		case "sh":
			for _, line := range s.shellLines() {
				if skipped(line, left) {
					continue
				}
				runLine(t, dir, env, line)
				ran++
			}
		default:
			t.Errorf("section %q has a block of %q, want sh, toml or no word", s.section, s.block)
		}
	}
	for line, why := range left {
		t.Errorf("no line of the README starts with %q, which is not run as it %s", line, why)
	}
	if ran < 15 {
		t.Errorf("got %d lines that were run, want at least 15: were they found?", ran)
	}
}

// skipped reports whether notRun has a line, and takes its row out of left.
func skipped(line string, left map[string]string) bool {
	for start := range notRun {
		if strings.HasPrefix(line, start) {
			delete(left, start)
			return true
		}
	}
	return false
}

// runLine runs a line of shell, which must succeed.
func runLine(t *testing.T, dir string, env []string, line string) {
	t.Helper()
	cmd := exec.Command("sh", "-ec", line)
	cmd.Dir, cmd.Env = dir, env
	if strings.Contains(line, "$DESTDIR") {
		cmd.Env = append(slices.Clone(env), "DESTDIR="+filepath.Join(dir, "dest"))
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
}

// stubToolchain returns an environment with its own PATH and HOME, whose rustc
// has the words of the real one but next to no bytes.
func stubToolchain(t *testing.T) []string {
	t.Helper()
	stable := testenv.Sysroot(t, "stable")
	goCommand := testenv.Need(t, "go")
	program, err := exec.LookPath("x")
	if err != nil {
		t.Fatal(err)
	}
	cache, err := exec.Command(goCommand, "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(t.TempDir(), "toolchain")
	const library = "lib/rustlib/x86_64-unknown-linux-gnu/"
	real := func(name string) string { return "exec " + stable + "/bin/" + name + " \"$@\"\n" }
	testenv.StandIn(t, root, "rustc", "case \"$*\" in '--print sysroot') echo "+root+"; exit;; esac\n"+real("rustc"))
	testenv.StandIn(t, root, "cargo", real("cargo"))
	testenv.StandIn(t, root, "rustfmt", real("rustfmt"))
	for name, text := range map[string]string{
		"bin/cargo-fmt": "cargo-fmt", "bin/rustdoc": "rustdoc",
		"lib/librustc_driver-1.so": "driver", library + "lib/libstd-1.rlib": "std",
		library + "bin/rust-lld": "lld", library + "bin/gcc-ld/ld.lld": "wrapper", library + "bin/gcc-ld/ld64.lld": "wrapper",
		library + "bin/gcc-ld/lld-link": "wrapper", library + "bin/gcc-ld/wasm-ld": "wrapper",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	home := t.TempDir()
	return []string{
		"PATH=" + strings.Join([]string{filepath.Join(root, "bin"), filepath.Dir(program), filepath.Dir(goCommand), "/usr/bin", "/bin"}, ":"),
		"HOME=" + home, "GOCACHE=" + strings.TrimSpace(string(cache)), "LC_ALL=C",
	}
}
