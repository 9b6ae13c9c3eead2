package link_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets/link"
)

func TestParseInvocation(t *testing.T) {
	o := func(s string) link.Option {
		key, value, ok := strings.Cut(s, "=")
		return link.Option{Key: key, Value: value, HasValue: ok}
	}
	for _, tt := range []struct {
		name string
		args []string
		want link.Invocation
	}{
		{"empty", nil, link.Invocation{}},
		{"joined", []string{"-Clinker=cc"}, link.Invocation{Codegen: []link.Option{o("linker=cc")}}},
		{"separate", []string{"-C", "linker=cc"}, link.Invocation{Codegen: []link.Option{o("linker=cc")}}},
		{"long", []string{"--codegen", "linker=cc", "--codegen=lto"}, link.Invocation{Codegen: []link.Option{o("linker=cc"), o("lto")}}},
		{"flags before C", []string{"-gOClto", "-vC", "rpath"}, link.Invocation{Codegen: []link.Option{o("opt-level=3"), o("lto"), o("rpath")}, Other: []string{"-g", "-v"}}},
		{"value with =", []string{"-Clink-arg=-fuse-ld=bfd"}, link.Invocation{Codegen: []link.Option{o("link-arg=-fuse-ld=bfd")}}},
		{"short name long", []string{"--O", "--C=lto"}, link.Invocation{Codegen: []link.Option{o("opt-level=3"), o("lto")}}},
		{"after --", []string{"-v", "--", "-Clto"}, link.Invocation{Other: []string{"-v"}, Inputs: []string{"-Clto"}}},
		{"unstable", []string{"-Zunstable-options", "-Z", "pre-link-args=a b"}, link.Invocation{Unstable: []link.Option{o("unstable-options"), o("pre-link-args=a b")}}},
		{"others", []string{"--target", "t", "--sysroot=s", "--crate-type=bin,rlib", "--emit", "obj", "--print=sysroot", "a.rs"},
			link.Invocation{Target: "t", Sysroot: "s", CrateTypes: []string{"bin,rlib"}, Emit: []string{"obj"}, Print: []string{"sysroot"}, Inputs: []string{"a.rs"}}},
		{"file", []string{"@list", "-g"}, link.Invocation{Codegen: []link.Option{o("linker=cc"), o("opt-level=3")}, Other: []string{"-g"}}},
		{"version", []string{"-V"}, link.Invocation{Other: []string{"-V"}, Exits: true}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := link.ParseInvocation(tt.args, argFiles)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func argFiles(name string) ([]byte, error) {
	switch name {
	case "list":
		return []byte("-C\nlinker=cc\n-O\r\n"), nil
	case "latin1":
		return []byte("-Clinker=\xe9\n"), nil
	}
	return nil, errors.New("No such file or directory (os error 2)")
}

// The wants are what rustc 1.95.0 prints.
func TestBadCommandLines(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-C"}, "error: Argument to option 'C' missing"},
		{[]string{"--codegen"}, "error: Argument to option 'codegen' missing"},
		{[]string{"--frobnicate"}, "error: Unrecognized option: 'frobnicate'"},
		{[]string{"-OqC"}, "error: Unrecognized option: 'q'"},
		{[]string{"-O=3"}, "error: Unrecognized option: '='"},
		{[]string{"--test=1"}, "error: Option 'test' does not take an argument"},
		{[]string{"--target", "a", "--target=b"}, "error: Option 'target' given more than once"},
		{[]string{"-C=linker=foo"}, "error: unknown codegen option: ``"},
		{[]string{"-Cfoo_bar=1"}, "error: unknown codegen option: `foo_bar`"},
		{[]string{"-Clinker"}, "error: codegen option `linker` requires a path (`-C linker=<value>`)"},
		{[]string{"-Clinker_features=foo"}, "error: incorrect value `foo` for codegen option `linker_features` - a list of enabled (`+` prefix) and disabled (`-` prefix) features: `lld` was expected"},
		{[]string{"-Copt-level=9"}, "error: optimization level needs to be between 0-3, s or z (instead was `9`)"},
		{[]string{"-Copt-level=9", "-O"}, ""},
		{[]string{"-O", "-Copt-level=9"}, "error: optimization level needs to be between 0-3, s or z (instead was `9`)"},
		{[]string{"-Copt-level=9", "-Ccodegen-units=x"}, "error: incorrect value `x` for codegen option `codegen-units` - a number was expected"},
		{[]string{"-Zunstable-options", "-Cfoo"}, "error: the option `Z` is only accepted on the nightly compiler"},
		{[]string{"--crate-type=foo"}, "error: unknown crate type: `foo`, expected one of: `lib`, `rlib`, `staticlib`, `dylib`, `cdylib`, `bin`, `proc-macro`"},
		{[]string{"--emit=foo", "-Cfoo"}, "error: unknown emission type: `foo` - expected one of: `asm`, `llvm-bc`, `dep-info`, `link`, `llvm-ir`, `metadata`, `mir`, `obj`, `thin-link-bitcode`"},
		{[]string{"@nothing"}, "error: failed to load argument file: IO error: nothing: No such file or directory (os error 2)"},
		{[]string{"--crate-type=foo", "--error-format=x", "--edition=1", "--color=blue"}, "error: argument for `--color` must be auto, always or never (instead was `blue`)"},
		{[]string{"--crate-type=foo", "--error-format=x", "--edition", "1"}, "error: argument for `--edition` must be one of: <2015|2018|2021|2024|future>. (instead was `1`)"},
		{[]string{"--crate-type=foo", "--error-format=x"}, "error: argument for `--error-format` must be `human`, `human-unicode`, `json`, `pretty-json` or `short` (instead was `x`)"},
		{[]string{"--emit=foo", "--cap-lints=expect", "--cap-lints=allow"}, "error: unknown lint level: `expect`"},
		{[]string{"--emit=foo", "--cap-lints=allow", "--cap-lints=x"}, "error: unknown emission type: `foo` - expected one of: `asm`, `llvm-bc`, `dep-info`, `link`, `llvm-ir`, `metadata`, `mir`, `obj`, `thin-link-bitcode`"},
		{[]string{"-Copt-level=9", "-Clto", "-Cembed-bitcode=off", "-Ccodegen-units=0"}, "error: value for codegen units must be a positive non-zero integer"},
		{[]string{"-Copt-level=9", "-Clto=thin", "-Cembed-bitcode=off"}, "error: options `-C embed-bitcode=no` and `-C lto` are incompatible"},
		{[]string{"--explain", "E0001", "-Clinker-features=+lld"}, "error: `-C linker-features=+lld` is unstable, and also requires the `-Z unstable-options` flag to be used"},
		{[]string{"-Whelp", "-Clinker-flavor=em"}, "error: linker flavor `em` is incompatible with the current target"},
		{[]string{"@latin1", "@nothing"}, "error: failed to load argument file: UTF-8 error in latin1"},
	} {
		q, err := link.NewQuery(stableTargets(t), stable, x64, tt.args)
		if err != nil {
			t.Fatal(err)
		}
		q.World.ReadFile = argFiles
		d := link.Decide(q)
		if d.Error != tt.want || (d.Exit == 1) == d.Linked || d.Linked != (tt.want == "") {
			t.Errorf("%q: got %q, exit %d, want %q", tt.args, d.Error, d.Exit, tt.want)
		}
	}
}

// A test is a program, whatever the crate is.
func TestTestsLink(t *testing.T) {
	for target, want := range map[string]bool{"x86_64-unknown-linux-gnu": true, "amdgcn-amd-amdhsa": false} {
		q, err := link.NewQuery(stableTargets(t), stable, named(target), []string{"--test", "--crate-type=rlib,lib", "-Ctarget-cpu=any"})
		if err != nil {
			t.Fatal(err)
		}
		if d := link.Decide(q); d.Linked != want {
			t.Errorf("%s: got linked %v, error %q, want linked %v", target, d.Linked, d.Error, want)
		}
	}
}

// Options with which rustc prints a text once it has read all of them.
func TestOnlyPrints(t *testing.T) {
	for _, args := range [][]string{
		{"--explain", "E0001", "-Clinker-flavor=em"}, {"-Whelp", "-Clto", "--crate-type=dylib"}, {"--force-warn", "help"}, {"-V", "-Cfoo"}, {"--print=sysroot"},
	} {
		q, err := link.NewQuery(stableTargets(t), stable, x64, args)
		if err != nil {
			t.Fatal(err)
		}
		if d := link.Decide(q); d.Exit != 0 || d.Linked {
			t.Errorf("%q: got exit %d, error %q, linked %v, want nothing", args, d.Exit, d.Error, d.Linked)
		}
	}
}

func TestParseInvocationError(t *testing.T) {
	_, err := link.ParseInvocation([]string{"-C"}, nil)
	if want := "error: Argument to option 'C' missing"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// What an invocation prints reads back as the same invocation.
func FuzzInvocation(f *testing.F) {
	f.Add("-C\nlinker=cc\n-gOClto=\n--target\nx-y\n-Zfoo\n--crate-type=bin")
	f.Add("--codegen=link-arg=-fuse-ld=bfd\n--\n-C")
	f.Add("-o\nx\n--explain\nE0001\n-h\na.rs\n@list")
	f.Fuzz(func(t *testing.T, args string) {
		inv, err := link.ParseInvocation(strings.Split(args, "\n"), argFiles)
		if err != nil {
			return
		}
		again, err := link.ParseInvocation(arguments(inv), nil)
		if err != nil {
			t.Fatalf("%q prints as %q: %v", args, arguments(inv), err)
		}
		if diff := cmp.Diff(inv, again); diff != "" {
			t.Errorf("%q prints as %q\n%s", args, arguments(inv), diff)
		}
	})
}

// arguments writes an invocation as arguments that read back to an equal one:
// options in their joined long form, the rest at the end.
func arguments(inv link.Invocation) []string {
	var args []string
	add := func(name string, values ...string) {
		for _, v := range values {
			args = append(args, name+"="+v)
		}
	}
	for _, o := range inv.Codegen {
		add("--codegen", o.String())
	}
	for _, o := range inv.Unstable {
		add("--Z", o.String())
	}
	if inv.Target != "" {
		add("--target", inv.Target)
	}
	if inv.Sysroot != "" {
		add("--sysroot", inv.Sysroot)
	}
	add("--crate-type", inv.CrateTypes...)
	add("--emit", inv.Emit...)
	add("--print", inv.Print...)
	args = append(args, inv.Other...)
	return append(append(args, "--"), inv.Inputs...)
}
