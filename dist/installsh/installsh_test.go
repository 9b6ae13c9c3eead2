package installsh

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/tests/testenv"
)

func TestScriptRejects(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"line break", Options{Product: "a\nb"}, `creating install.sh: Product "a\nb": got control character '\n'`},
		{"NUL", Options{SuccessMessage: "a\x00"}, `creating install.sh: SuccessMessage "a\x00": got control character '\x00'`},
		{"not UTF-8", Options{Product: "\xff"}, `creating install.sh: Product "\xff": got invalid UTF-8`},
		{"slash", Options{RelManifestDir: "a/b"}, `creating install.sh: RelManifestDir "a/b": want one path component`},
		{"parent", Options{RelManifestDir: ".."}, `creating install.sh: RelManifestDir "..": want one path component`},
		{"empty legacy", Options{LegacyManifestDirs: []string{"a", ""}}, `creating install.sh: LegacyManifestDirs "": want one path component`},
		{"legacy line break", Options{LegacyManifestDirs: []string{"a\nb"}}, `creating install.sh: LegacyManifestDirs "a\nb": got control character '\n'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Script(tt.o)
			if err == nil {
				t.Fatal("got no error")
			}
			if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScriptDefaults(t *testing.T) {
	got, err := Script(Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := Script(Options{Product: "Product", SuccessMessage: "Installed.", RelManifestDir: "manifestlib"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("zero Options (-want +got):\n%s", diff)
	}
}

// FuzzQuote has dash read each word back.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{"", "a b", "it's", "''", "$HOME `id` \\ \"x\" *", "-n", "a\nb\n", "ü\xff"} {
		f.Add(s)
	}
	dash := testenv.Need(f, "dash")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "\x00") {
			return // no shell word can hold it
		}
		out, err := exec.Command(dash, "-c", "printf %s "+quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("quote(%q) reads back as %q, %v", s, out, err)
		}
	})
}

// Values that a shell would act upon must reach the messages unchanged.
func TestHostileOptions(t *testing.T) {
	const evil = "$(touch pwned) `touch pwned` \"it's\" \\n {{.}} %s"
	const dir = "$(touch pwned)'; touch pwned; '"
	for _, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			m := newMachine(t, sh.argv)
			m.unpack("1", cargo)
			script, err := Script(Options{Product: evil, SuccessMessage: evil, RelManifestDir: dir, LegacyManifestDirs: []string{dir}})
			if err != nil {
				t.Fatal(err)
			}
			m.write("src/install.sh", string(script), 0o755)
			r := m.mustInstall("--disable-ldconfig")
			if want := "install: creating uninstall script at ~/p/lib/" + dir + "/uninstall.sh\ninstall: installing component 'cargo'\n\n    " + evil + "\n\n"; r.out != want {
				t.Errorf("got %q, want %q", r.out, want)
			}
			if diff := cmp.Diff([]string{"bin/cargo*", "share/doc/cargo/LICENSE"}, m.tree("p")); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if r = m.run(filepath.Join(m.root, "p/lib", dir, "uninstall.sh")); r.code != 0 {
				t.Errorf("uninstall.sh: exit %d: %s", r.code, r.stderr)
			}
			if _, err := os.Stat(filepath.Join(m.root, "pwned")); err == nil {
				t.Error("a value was run as a command")
			}
		})
	}
}

func TestShellcheck(t *testing.T) {
	shellcheck := testenv.Need(t, "shellcheck")
	script, err := Script(Options{LegacyManifestDirs: []string{"it's"}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(shellcheck, "--shell=sh", "-")
	cmd.Stdin = strings.NewReader(string(script))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}

// FuzzScript: whatever the words, the script stays one that a shell can parse.
func FuzzScript(f *testing.F) {
	f.Add("Rust", "done", "rustlib", "cargo")
	f.Add("'", "$(", "a'b", "`")
	dash := testenv.Need(f, "dash")
	f.Fuzz(func(t *testing.T, product, message, dir, legacy string) {
		script, err := Script(Options{product, message, dir, []string{legacy}})
		if err != nil {
			return
		}
		cmd := exec.Command(dash, "-n")
		cmd.Stdin = strings.NewReader(string(script))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("dash -n: %v\n%s", err, out)
		}
	})
}

func TestWords(t *testing.T) {
	for _, o := range []Options{{Product: "Rust", SuccessMessage: "rustc installed."}, {Product: "Rust's 'own'", SuccessMessage: "a=b"}} {
		script, err := Script(o)
		if err != nil {
			t.Fatal(err)
		}
		if product, message := Words(script); product != o.Product || message != o.SuccessMessage {
			t.Errorf("got %q, %q, want %q, %q", product, message, o.Product, o.SuccessMessage)
		}
	}
	// As rust-installer writes them.
	official := "#!/bin/bash\nTEMPLATE_PRODUCT_NAME='Rust'\nTEMPLATE_SUCCESS_MESSAGE='rustc installed.'\n"
	if product, message := Words([]byte(official)); product != "Rust" || message != "rustc installed." {
		t.Errorf("got %q, %q", product, message)
	}
	for _, script := range []string{"", "product=\n", "product='a\n", "product='a'b'\n", "product=a\n", " product='a'\n", "product='\n"} {
		if product, message := Words([]byte(script)); product != "" || message != "" {
			t.Errorf("%q: got %q, %q", script, product, message)
		}
	}
}

func TestSame(t *testing.T) {
	script := func(product string) []byte {
		t.Helper()
		s, err := Script(Options{Product: product, SuccessMessage: product + " is there."})
		testenv.Must(t, err)
		return s
	}
	ours := script("Rust")
	for _, tt := range []struct {
		name string
		b    []byte
		want bool
	}{
		{"itself", ours, true},
		{"of another product", script("it's $(here)"), true},
		{"cut", ours[:len(ours)-1], false},
		{"changed", append(script("Rust"), "rm -r /\n"...), false},
		{"more than a word", []byte(strings.Replace(string(ours), "product='Rust'", "product='Rust' rm -r /", 1)), false},
		{"nothing", nil, false},
	} {
		if got := Same(ours, tt.b); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
