package linkbench

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/dist/linkage"
)

// TestJudge refuses every result that does not say that the row's own linker made it.
func TestJudge(t *testing.T) {
	t.Parallel()
	by := func(l linkage.Linker, version string) link { return link{Linker: l, Version: version} }
	tests := []struct {
		name, row string
		links     []link
		want      string // "" for no error
	}{
		{"LLD", "lld", []link{by(linkage.LLD, "22.1.2"), by(linkage.LLD, "22.1.2")}, ""},
		{"GNU ld", "bfd", []link{by(linkage.BFD, "")}, ""},
		{"nothing", "lld", nil, ""},
		{"the driver fell back", "lld", []link{by(linkage.BFD, "")}, `linking "c0": its result was made by BFD, want LLD`},
		{"one of many", "lld", []link{by(linkage.LLD, "22.1.2"), by(linkage.Mold, "1.10.1")}, `linking "c1": its result was made by mold 1.10.1, want LLD`},
		{"a program called mold", "mold", []link{by(linkage.LLD, "14.0.6")}, `linking "c0": its result was made by LLD 14.0.6, want mold`},
		{"nobody knows", "lld", []link{{Doubt: "not an ELF file"}}, `linking "c0": its result does not say which linker made it: not an ELF file`},
		{"it failed", "lld", []link{{Status: 1}}, `linking "c0": exit status 1: rust-lld: error: undefined symbol: f`},
	}
	for _, tt := range tests {
		var f found
		for _, l := range linkers {
			if l.name == tt.row {
				f.linker = l
			}
		}
		records := []record{{Crate: "made", Links: true}}
		for i, l := range tt.links {
			records = append(records, record{Crate: "c" + string(rune('0'+i)), Link: &l})
		}
		links, err := f.judge(records, "rust-lld: error: undefined symbol: f\n")
		got := ""
		if err != nil {
			got = err.Error()
			if _, ok := errors.AsType[*linkError](err); !ok {
				t.Errorf("%s: got %T, want an error of this linker alone", tt.name, err)
			}
		}
		if got != tt.want {
			t.Errorf("%s: got error %q, want %q", tt.name, got, tt.want)
		}
		if err == nil && len(links) != len(tt.links) {
			t.Errorf("%s: got %d links, want %d", tt.name, len(links), len(tt.links))
		}
	}
}

func TestCrateOf(t *testing.T) { // not parallel: cargo's variables
	tests := []struct {
		args, pkg, primary, bin string
		want                    crate
	}{
		{args: "-vV"},
		{args: "- --crate-name ___ --print=file-names --crate-type bin --crate-type proc-macro", want: crate{links: true, helper: true}},
		{"--crate-name hello --edition=2021 src/main.rs --crate-type bin --out-dir /t/debug/deps", "hello", "1", "hello", crate{name: "hello", outDir: "/t/debug/deps", links: true}},
		{"--crate-name build_script_build build.rs --crate-type bin --out-dir=/t/build", "hello", "1", "", crate{name: "build_script_build", outDir: "/t/build", links: true, helper: true}},
		{"--crate-name build_script_main b.rs --crate-type bin", "hello", "1", "", crate{name: "build_script_main", links: true, helper: true}},
		{"--crate-name build_script_like src/bin/b.rs --crate-type bin", "hello", "1", "build-script-like", crate{name: "build_script_like", links: true}},
		{"--crate-name derive src/lib.rs --crate-type proc-macro", "derive", "1", "", crate{name: "derive", links: true, helper: true}},
		{"--crate-name both src/lib.rs --crate-type=lib,cdylib", "both", "1", "", crate{name: "both", links: true}},
		{"--crate-name both src/lib.rs --crate-type cdylib --crate-type rlib", "both", "", "", crate{name: "both", links: true, helper: true}},
		{"--crate-name lib src/lib.rs --crate-type lib", "lib", "1", "", crate{name: "lib"}},
		{"--crate-name lib src/lib.rs --test", "lib", "1", "", crate{name: "lib", links: true}},
		{args: "--crate-name", want: crate{}},
	}
	for _, tt := range tests {
		t.Setenv("CARGO_PKG_NAME", tt.pkg)
		t.Setenv("CARGO_PRIMARY_PACKAGE", tt.primary)
		t.Setenv("CARGO_BIN_NAME", tt.bin)
		got := crateOf(strings.Fields(tt.args))
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(crate{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.args, diff)
		}
		if back := parseCrate(got.text()); back.name != got.name || back.helper != got.helper {
			t.Errorf("%s: got %v through the environment, want %v", tt.args, back, got)
		}
	}
}

func TestResponseWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                            nil,
		"  \n\t":                      nil,
		"-o out\nmain.o":              {"-o", "out", "main.o"},
		`"a b" 'c d' e\ f`:            {"a b", "c d", "e f"},
		`"quote \" in" 'single \' x'`: {`quote " in`, "single ' x"},
		`-o "" x`:                     {"-o", "", "x"},
		`a"b"c`:                       {"abc"},
		`back\\slash`:                 {`back\slash`},
	} {
		if diff := cmp.Diff(want, responseWords(text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
