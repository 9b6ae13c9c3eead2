package targets_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/targets"
)

func TestBuiltinReleases(t *testing.T) {
	r := targets.Builtin()
	want := map[string]int{"1.95.0": 320, "1.97.0-nightly": 322}
	for _, rel := range r.Releases() {
		s, note, err := r.At(rel)
		if err != nil || note != "" {
			t.Fatalf("%s: %q, %v", rel, note, err)
		}
		n := 0
		for spec := range s.All() {
			n++
			if spec.LLVMTarget == "" || spec.Flavor.IsZero() || spec.PointerWidth == 0 {
				t.Errorf("%s of %s: got %+v", spec.Triple, rel, spec)
			}
		}
		if w, ok := want[rel.String()]; ok && n != w {
			t.Errorf("%s: got %d targets, want %d", rel, n, w)
		}
		delete(want, rel.String())
		if i := s.Info(); !i.LLDDefault || i.Host != linuxGNU || len(i.Commit) != 40 {
			t.Errorf("%s: got info %+v", rel, i)
		}
	}
	if len(want) > 0 {
		t.Errorf("not held: %v", want)
	}
}

func TestSpecFacts(t *testing.T) {
	lookup := func(name string) *targets.Spec {
		t.Helper()
		s, err := targets.Builtin().Lookup(triple(name))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := lookup("x86_64-unknown-linux-gnu")
	if s.OS != "linux" || s.Env != "gnu" || s.Arch != "x86_64" || s.Vendor != "unknown" || s.ExeSuffix != "" || !s.IsLinuxGNU() || !s.HasFamily("unix") || s.PointerWidth != 64 {
		t.Errorf("x86_64-unknown-linux-gnu: got %+v", s)
	}
	if diff := cmp.Diff(targets.Metadata{Tier: 1, HostTools: targets.Yes, Std: targets.Yes, Description: "64-bit Linux (kernel 3.2+, glibc 2.17+)"}, s.Metadata); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	s = lookup("i686-pc-windows-msvc")
	if s.ExeSuffix != ".exe" || s.DLLPrefix != "" || s.DLLSuffix != ".dll" || s.StaticlibSuffix != ".lib" || s.OS != "windows" || s.IsLinuxGNU() || s.Flavor.String() != "msvc" {
		t.Errorf("i686-pc-windows-msvc: got %+v", s)
	}
	if lookup("x86_64-unknown-linux-musl").IsLinuxGNU() {
		t.Error("musl counts as base linux_gnu")
	}
	if s := lookup("s390x-unknown-linux-gnu"); !s.BigEndian {
		t.Error("s390x is not big-endian")
	}
	// What nightly alone has is found too.
	if s := lookup("x86_64-unknown-linux-gnutsan"); !s.IsLinuxGNU() {
		t.Error("gnutsan does not count as base linux_gnu")
	}
}

// The default belongs to the compiler and its host, not to the target.
func TestLLDDefaultIsTheCompilers(t *testing.T) {
	s := newest(t)
	aarch64 := triple("aarch64-unknown-linux-gnu")
	for _, tt := range []struct {
		name     string
		compiler targets.Compiler
		target   string
		want     string
	}{
		{"official", stable195, "x86_64-unknown-linux-gnu", "gnu-lld-cc [linker]"},
		{"official, cross", stable195, "aarch64-unknown-linux-gnu", "gnu-lld-cc [linker]"},
		{"official, musl", stable195, "x86_64-unknown-linux-musl", "gnu-cc musl"},
		{"m68k resets one half", stable195, "m68k-unknown-linux-gnu", "gnu-lld-cc false"},
		{"rust.lld = false", targets.Compiler{Release: stable195.Release, Host: linuxGNU}, "x86_64-unknown-linux-gnu", "gnu-cc false"},
		{"other host", targets.Compiler{Release: stable195.Release, Host: aarch64, LLDDefault: targets.DefaultLLD(stable195.Release, aarch64)}, "x86_64-unknown-linux-gnu", "gnu-cc false"},
	} {
		spec, err := s.For(tt.compiler, triple(tt.target))
		if err != nil {
			t.Fatal(err)
		}
		if got := spec.Flavor.String() + " " + spec.SelfContained.String(); got != tt.want {
			t.Errorf("%s: %s: got %s, want %s", tt.name, tt.target, got, tt.want)
		}
	}
	for rel, want := range map[string]bool{"1.89.0": false, "1.90.0": true, "1.90.0-nightly": true, "1.97.0-nightly": true} {
		if got := targets.DefaultLLD(release(rel), linuxGNU); got != want {
			t.Errorf("%s: got LLD by default %v, want %v", rel, got, want)
		}
	}
}

func TestUnknownTarget(t *testing.T) {
	_, err := newest(t).Lookup(triple("x86_64-unknwon-linux-gnu"))
	var unknown *targets.UnknownTargetError
	if !errors.As(err, &unknown) {
		t.Fatalf("got %v", err)
	}
	if near := unknown.Nearest(); len(near) == 0 || near[0] != "x86_64-unknown-linux-gnu" || !unknown.IsTypo() {
		t.Errorf("nearest: got %q, a typo: %v", near, unknown.IsTypo())
	}
	if want := `looking up target "x86_64-unknwon-linux-gnu": rustc 1.95.0 has no such target; nearest names: x86_64-unknown-linux-gnu`; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %q, want %q…", err, want)
	}
	if _, err := newest(t).Lookup(triple("completely-different-thing-altogether")); err == nil || strings.Contains(err.Error(), "nearest") {
		t.Errorf("far name: got %v", err)
	}
	if _, err := newest(t).Lookup(targets.Triple{}); err == nil {
		t.Error("zero triple: got no error")
	}
	if _, err := newest(t).Lookup(triple("x86_64-unknown-linux-gnutsan")); err == nil {
		t.Error("stable knows a target that came later")
	}
}

func TestNearestRelease(t *testing.T) {
	r := targets.Builtin()
	for _, tt := range []struct{ ask, got, note string }{
		{"1.95.0", "1.95.0", ""},
		{"1.96.0", "1.95.0", "release 1.96.0 is not held, the answer is that of 1.95.0, the nearest older one"},
		{"1.97.0", "1.97.0-nightly", "release 1.97.0 is not held, the answer is that of 1.97.0-nightly, the nearest older one"},
		{"1.90.0", "1.95.0", "release 1.90.0 is not held and nothing older is, the answer is that of 1.95.0, the oldest one"},
	} {
		s, note, err := r.At(release(tt.ask))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info().Release.String(); got != tt.got || note != tt.note {
			t.Errorf("%s: got %s, note %q, want %s, note %q", tt.ask, got, note, tt.got, tt.note)
		}
	}
	if _, _, err := r.At(targets.Release{}); err == nil {
		t.Error("zero release: got no error")
	}
	if _, _, err := (targets.Registry{}).At(release("1.95.0")); err == nil {
		t.Error("empty registry: got no error")
	}
}

// small has three targets: one gains, one loses, one is dropped.
const small = `{
 "a-b-linux-gnu": {"arch":"a","os":"linux","env":"gnu","linker-flavor":"gnu-lld-cc","link-self-contained":{"components":["linker"]},"llvm-target":"x","data-layout":"e"},
 "c-b-linux-gnu": {"arch":"c","os":"linux","env":"gnu","linker-flavor":"gnu-lld-cc","link-self-contained":{"components":["linker"]},"llvm-target":"y","data-layout":"e","cpu":"z"},
 "d-none": {"arch":"d","linker-flavor":"gnu-lld","linker":"rust-lld","crt-objects-fallback":"false","llvm-target":"d"}}`

const smallLater = `{
 "a-b-linux-gnu": {"arch":"a","os":"linux","env":"gnu","linker-flavor":"gnu-lld-cc","link-self-contained":{"components":["linker"]},"llvm-target":"x","data-layout":"e","features":"+q"},
 "c-b-linux-gnu": {"arch":"c","os":"linux","env":"gnu","linker-flavor":"gnu-lld-cc","link-self-contained":{"components":["linker"]},"llvm-target":"y","data-layout":"e"},
 "e-b-linux-gnu": {"arch":"e","os":"linux","env":"gnu","linker-flavor":"gnu-lld-cc","crt-objects-fallback":"false","llvm-target":"e"}}`

func TestImport(t *testing.T) {
	info := targets.Info{Release: release("1.95.0"), Commit: "c0ffee", Host: linuxGNU}
	first, err := targets.Import([]byte(small), info, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `release 1.95.0
commit c0ffee
host x86_64-unknown-linux-gnu
lld-default yes

base linux-gnu -
 +lld-default ["gnu-lld-cc","linker"]
 crt-objects-fallback "false"
 data-layout "e"
 env "gnu"
 linker-flavor "gnu-cc"
 os "linux"

target a-b-linux-gnu linux-gnu
 arch "a"
 llvm-target "x"

target c-b-linux-gnu linux-gnu
 arch "c"
 cpu "z"
 llvm-target "y"

target d-none -
 arch "d"
 crt-objects-fallback "false"
 linker "rust-lld"
 linker-flavor "gnu-lld"
 llvm-target "d"

`
	if diff := cmp.Diff(want, withoutComments(first)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	r, err := targets.NewRegistry(string(first))
	if err != nil {
		t.Fatal(err)
	}
	parent, _ := r.Newest("")
	info.Release = release("1.96.0")
	second, err := targets.Import([]byte(smallLater), info, &parent)
	if err != nil {
		t.Fatal(err)
	}
	want = `release 1.96.0
commit c0ffee
host x86_64-unknown-linux-gnu
lld-default yes
from 1.95.0

dropped d-none -

target a-b-linux-gnu ~
 features "+q"

target c-b-linux-gnu ~
 -cpu

target e-b-linux-gnu linux-gnu
 +lld-default ["gnu-lld-cc"]
 arch "e"
 llvm-target "e"
 -data-layout

`
	if diff := cmp.Diff(want, withoutComments(second)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if r, err = targets.NewRegistry(string(second), string(first)); err != nil {
		t.Fatal(err)
	}
	for text, rel := range map[string]string{small: "1.95.0", smallLater: "1.96.0"} {
		s, _, err := r.At(release(rel))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		for spec := range s.All() {
			got[spec.Triple.String()], _ = spec.WithLLDDefault().MarshalJSON()
		}
		if diff := cmp.Diff(decode(t, []byte(text)), decode(t, must(json.Marshal(got)))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", rel, diff)
		}
	}
}

// A compiler without the default has the same base specs.
func TestImportWithoutLLDDefault(t *testing.T) {
	var specs []string
	for spec := range newest(t).All() {
		specs = append(specs, `"`+spec.Triple.String()+`":`+string(spec.JSON()))
	}
	text, err := targets.Import([]byte("{"+strings.Join(specs, ",")+"}"), newest(t).Info(), nil)
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.ReadFile("data/1.95.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(string(held), "lld-default yes\n", "lld-default no\n", 1)
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(text), "\n")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func decode(t *testing.T, b []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func withoutComments(b []byte) string {
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestImportErrors(t *testing.T) {
	good := targets.Info{Release: release("1.95.0"), Host: linuxGNU}
	for _, tt := range []struct {
		specs string
		info  targets.Info
		want  string
	}{
		{`{`, good, "unexpected end"},
		{`{}`, good, "got no targets"},
		{`null`, good, "got no targets"},
		{small, targets.Info{}, "release and host must be known"},
		{`{"x":{}}`, good, `want at least two words`},
		{`{"x-y":[]}`, good, `target "x-y"`},
		{`{"x-y":{"arch":"z"}}`, good, `no field "linker-flavor"`},
		{`{"x-y":{"linker-flavor":"zzz"}}`, good, `unknown flavor`},
		{`{"x-y":{"linker-flavor":"gnu","a b":1}}`, good, `bad field name "a b"`},
		{`{"x-y":{"linker-flavor":"gnu","+lld-default":[]}}`, good, `bad field name`},
		{`{"x-y":{"linker-flavor":"gnu","crt-objects-fallback":"maybe"}}`, good, `got "maybe"`},
	} {
		_, err := targets.Import([]byte(tt.specs), tt.info, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "importing targets of rustc") {
			t.Errorf("%s: got %v, want …%s…", tt.specs, err, tt.want)
		}
	}
}

func TestDamagedRegistry(t *testing.T) {
	head := "release 1.95.0\nhost a-b\n"
	for _, tt := range []struct{ text, want string }{
		{"", "lacks release or host"},
		{"release x\n", "parsing release"},
		{head + "colour red\n", `unknown key "colour"`},
		{head + "from 1.94.0\n", "builds on 1.94.0"},
	} {
		if _, err := targets.NewRegistry(tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want …%s…", tt.text, err, tt.want)
		}
	}
	if _, err := targets.NewRegistry(head, head); err == nil || !strings.Contains(err.Error(), "held twice") {
		t.Errorf("twice: got %v", err)
	}
	for _, tt := range []struct{ block, want string }{
		{"target x-y lost\n", `base "lost" is missing`},
		{"target x-y ~\n", "builds on an older release"},
		{"target x-y -\n nonsense\n", `bad line "nonsense"`},
		{"target x-y -\n arch \"z\"\n", `no field "linker-flavor"`},
		{"target x-y -\n linker-flavor gnu\n", `field "linker-flavor"`},
	} {
		r, err := targets.NewRegistry(head + "\n" + tt.block)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Lookup(triple("x-y")); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want …%s…", tt.block, err, tt.want)
		}
	}
}

// TestParseSpecOld reads a spec as rustc 1.63 prints it: without what has its
// default, and with the width as a string.
func TestParseSpecOld(t *testing.T) {
	s, err := targets.ParseSpec([]byte(`{"arch":"x86_64","env":"gnu","llvm-target":"x86_64-unknown-linux-gnu","os":"linux","target-family":["unix"],"target-pointer-width":"64"}`))
	if err != nil {
		t.Fatal(err)
	}
	if s.PointerWidth != 64 || s.Flavor.String() != "gnu-cc" || s.Flavor.UsesLLD() {
		t.Errorf("got width %d and flavor %s, want 64 and gnu-cc", s.PointerWidth, s.Flavor)
	}
}

func FuzzSpec(f *testing.F) {
	for spec := range newest(f).All() {
		if len(spec.PreLinkArgs) > 0 {
			f.Add(spec.JSON())
		}
	}
	f.Add([]byte(`{"linker-flavor":"gcc","x":[1,{"y":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := targets.ParseSpec(data)
		if err != nil {
			return
		}
		again, err := targets.ParseSpec(s.JSON())
		if err != nil {
			t.Fatalf("%s does not read back: %v", s.JSON(), err)
		}
		if string(again.JSON()) != string(s.JSON()) {
			t.Errorf("got %s, want %s", again.JSON(), s.JSON())
		}
	})
}

func FuzzRegistry(f *testing.F) {
	f.Add("release 1.95.0\nhost a-b\n\nbase b -\n linker-flavor \"gnu\"\n\ntarget x-y b\n arch \"a\"\n -cpu\n")
	f.Add("release 1.95.0\nhost a-b\nfrom 1.94.0\n\ndropped x-y -\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := targets.NewRegistry(text)
		if err != nil {
			return
		}
		s, _ := r.Newest("")
		for _, name := range s.Names() {
			if name, err := targets.ParseTriple(name); err == nil {
				if spec, err := s.Lookup(name); err == nil {
					if _, err := spec.MarshalJSON(); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	t := triple("x86_64-unknown-linux-gnu")
	for b.Loop() {
		if _, err := targets.Builtin().Lookup(t); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAll(b *testing.B) {
	s := newest(b)
	for b.Loop() {
		for range s.All() {
		}
	}
}

// Every target, and names that are none, must read the same with an index.
func TestIndexed(t *testing.T) {
	for _, r := range targets.Builtin().Releases() {
		s, _, err := targets.Builtin().At(r)
		if err != nil {
			t.Fatal(err)
		}
		indexed := s.Indexed()
		for _, name := range append(s.Names(), "no-such-target", "base-linux") {
			want, wantErr := s.Lookup(triple(name))
			got, gotErr := indexed.Lookup(triple(name))
			if (wantErr == nil) != (gotErr == nil) {
				t.Fatalf("%s: got error %v, want %v", name, gotErr, wantErr)
			}
			if wantErr == nil && !bytes.Equal(want.JSON(), got.JSON()) {
				t.Errorf("%s of %s: got\n%s\nwant\n%s", name, r, got.JSON(), want.JSON())
			}
		}
	}
}
