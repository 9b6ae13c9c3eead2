package lld

import (
	stdcmp "cmp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecide(t *testing.T) {
	const launcher = `lld.baked-default="launcher"`
	official := Toolchain{Baked: true, RustLLD: true, Wrappers: true}
	tests := []struct {
		name    string
		host    string
		release string // "" for 1.95.0
		sets    []string
		in      Toolchain
		want    Outcome
		wantErr string
	}{
		{name: "official toolchain", in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: RuleDefaultHost}},
		{name: "rust.lld = true", sets: []string{"rust.lld=true"}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: RuleLLDSet}},
		{name: "rust.lld = false", sets: []string{"rust.lld=false"}, in: official,
			want: Outcome{Wrapper: WrapperShim, Rule: RuleLLDSet}},
		{name: "rust.lld = false by launcher", sets: []string{"rust.lld=false", launcher}, in: Toolchain{Baked: true, RustLLD: true, Wrappers: true, Linux: true, OptOut: true},
			want: Outcome{Wrapper: WrapperShim, Launcher: LauncherSystem, Rule: RuleLLDSet}},
		{name: "launcher, but the compiler has no option", sets: []string{"rust.lld=false", launcher}, in: official,
			wantErr: `refuses -Clinker-features=-lld for x86_64-unknown-linux-gnu, which a launcher would give it; set lld.baked-default = "shim"`},
		{name: "launcher, nothing to override", sets: []string{launcher}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: RuleDefaultHost}},
		{name: "launcher, compiler built so", sets: []string{"rust.lld=false", launcher}, in: Toolchain{Linux: true},
			want: Outcome{Wrapper: WrapperNone, Rule: RuleLLDSet}},
		{name: "rust.lld = false, refused", sets: []string{"rust.lld=false", `lld.baked-default="error"`}, in: official,
			wantErr: `give a compiler that was built with rust.lld = false`},
		{name: "rust.lld = false, built so", sets: []string{"rust.lld=false"}, in: Toolchain{},
			want: Outcome{Wrapper: WrapperNone, Rule: RuleLLDSet}},
		{name: "rust.lld = false, compiler built so but LLD there", sets: []string{"rust.lld=false"}, in: Toolchain{RustLLD: true, Wrappers: true},
			want: Outcome{Wrapper: WrapperNone, Rule: RuleLLDSet}},
		{name: "wrappers to be built", sets: []string{`lld.wrapper="build"`}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: RuleDefaultHost}},
		{name: "wrappers missing", in: Toolchain{Baked: true, RustLLD: true},
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: RuleDefaultHost}},
		{name: "wrapper given", sets: []string{`lld.wrapper="/opt/wrapper"`}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperGiven, Rule: RuleDefaultHost}},
		{name: "a distribution's rustc", in: Toolchain{},
			want: Outcome{Wrapper: WrapperNone, Rule: RuleDefaultHost}},
		{name: "a distribution's rustc, rust.lld = true", sets: []string{"rust.lld=true"}, in: Toolchain{}, wantErr: "the input toolchain has no rust-lld"},
		{name: "a distribution's rustc with an LLD from elsewhere", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`}, in: Toolchain{},
			want: Outcome{Shipped: true, Wrapper: WrapperBuilt, Rule: RuleLLDSet}},
		{name: "the same by launcher", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher}, in: Toolchain{Linux: true},
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperBuilt, Launcher: LauncherLLD, Rule: RuleLLDSet}},
		{name: "the same by launcher before 1.90", release: "1.63.0", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher}, in: Toolchain{Linux: true},
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperBuilt, Launcher: LauncherLLD, Rule: RuleLLDSet}},
		{name: "launcher where no C compiler links", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher}, in: Toolchain{},
			want: Outcome{Shipped: true, Wrapper: WrapperBuilt, Rule: RuleLLDSet}},
		{name: "launcher without LLD", sets: []string{launcher}, in: Toolchain{Linux: true},
			want: Outcome{Wrapper: WrapperNone, Rule: RuleDefaultHost}},
		{name: "launcher, LLD switched off", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher, `target.x86_64-unknown-linux-gnu.default-linker-linux-override="off"`}, in: Toolchain{Linux: true},
			want: Outcome{Shipped: true, Wrapper: WrapperBuilt, Rule: RuleLLDSet}},
		{name: "site wrapper", sets: []string{`lld.site-wrapper="/opt/ld-wrapper"`}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: RuleDefaultHost}},
		{name: "jobserver of a given wrapper", sets: []string{"lld.jobserver=true", `lld.wrapper="/opt/wrapper"`}, in: official,
			wantErr: `set lld.wrapper = "build"`},
		{name: "threads of a given wrapper", sets: []string{"lld.threads=4", `lld.wrapper="/opt/wrapper"`}, in: official,
			wantErr: `set lld.wrapper = "build"`},
		{name: "threads", sets: []string{`lld.threads="leaf,memory"`}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: RuleDefaultHost}},
		{name: "threads off", sets: []string{`lld.threads="off"`}, in: official,
			want: Outcome{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: RuleDefaultHost}},
		{name: "relative site wrapper", sets: []string{`lld.site-wrapper="ld-wrapper"`}, in: official, wantErr: "want an absolute path"},
		{name: "broken toolchain", in: Toolchain{Baked: true, Wrappers: true}, wantErr: "the input toolchain has no rust-lld"},
		{name: "shipped but not the default", sets: []string{"rust.lld=true", `target.x86_64-unknown-linux-gnu.default-linker-linux-override="off"`}, in: official,
			want: Outcome{Shipped: true, Wrapper: WrapperShim, Rule: RuleLLDSet}},
		{name: "another host of rustup", host: "aarch64-unknown-linux-gnu", in: Toolchain{RustLLD: true, Wrappers: true},
			want: Outcome{Shipped: true, Wrapper: WrapperKept, Rule: RuleNoDefaultHost}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := load(t, source(nil, tt.sets...))
			tt.in.Host = triple(stdcmp.Or(tt.host, linux))
			d, err := Decide(cfg, Facts{Release: release(t, stdcmp.Or(tt.release, "1.95.0")), Channel: "stable", Toolchain: &tt.in})
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
					t.Fatalf("got %v, want an error with %q", err, tt.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Launcher = stdcmp.Or(tt.want.Launcher, LauncherNone)
			if diff := cmp.Diff(tt.want, d.Outcome); diff != "" {
				t.Errorf("LLD (-want +got):\n%s", diff)
			}
		})
	}
}

// A host whose wrapper knows no jobserver gets a warning, and no other key does.
func TestNoJobserver(t *testing.T) {
	for _, tt := range []struct {
		set  string
		none bool
		want int
	}{
		{"lld.jobserver=true", true, 1}, {"lld.jobserver=true", false, 0},
		{`lld.threads="jobserver,2"`, true, 1}, {`lld.threads="jobserver,2"`, false, 0}, {`lld.threads="leaf"`, true, 0},
		{"lld.jobserver=false", true, 0}, {`lld.wrapper="build"`, true, 0},
	} {
		in := Toolchain{Host: triple("riscv64gc-unknown-linux-gnu"), RustLLD: true, Wrappers: true, NoJobserver: tt.none}
		d, err := Decide(load(t, source(nil, tt.set)), Facts{Release: release(t, "1.95.0"), Channel: "stable", Toolchain: &in})
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, f := range d.Findings {
			if (f.Key == keyJobs || f.Key == keyThreads) && strings.Contains(f.Text(), "knows no jobserver") {
				got++
			}
		}
		if got != tt.want {
			t.Errorf("%s, none %t: got %d warnings, want %d: %v", tt.set, tt.none, got, tt.want, d.Findings)
		}
	}
}
