package bootstrap

import (
	stdcmp "cmp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"x.go/bootstrap/config"
	"x.go/targets"
)

// loadConfig resolves a configuration from the texts of --set.
func loadConfig(t *testing.T, sets ...string) config.Config {
	t.Helper()
	cfg, err := config.Load(config.Source{Sets: sets, Host: triple(t, "x86_64-unknown-linux-gnu")})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestDecideLLD(t *testing.T) {
	const launcher = `lld.baked-default="launcher"`
	official := lldInput{baked: true, rustLLD: true, wrappers: true}
	tests := []struct {
		name    string
		host    string
		release string // "" for 1.95.0
		sets    []string
		in      lldInput
		want    LLD
		wantErr string
	}{
		{name: "official toolchain", in: official,
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: config.RuleDefaultHost}},
		{name: "rust.lld = true", sets: []string{"rust.lld=true"}, in: official,
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: config.RuleLLDSet}},
		{name: "rust.lld = false", sets: []string{"rust.lld=false"}, in: official,
			want: LLD{Wrapper: WrapperShim, Rule: config.RuleLLDSet}},
		{name: "rust.lld = false by launcher", sets: []string{"rust.lld=false", launcher}, in: lldInput{baked: true, rustLLD: true, wrappers: true, linux: true, optOut: true},
			want: LLD{Wrapper: WrapperShim, Launcher: LauncherSystem, Rule: config.RuleLLDSet}},
		{name: "launcher, but the compiler has no option", sets: []string{"rust.lld=false", launcher}, in: official,
			wantErr: `refuses -Clinker-features=-lld for x86_64-unknown-linux-gnu: set lld.baked-default = "shim"`},
		{name: "launcher, nothing to override", sets: []string{launcher}, in: official,
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperKept, Rule: config.RuleDefaultHost}},
		{name: "launcher, compiler built so", sets: []string{"rust.lld=false", launcher}, in: lldInput{linux: true},
			want: LLD{Wrapper: WrapperNone, Rule: config.RuleLLDSet}},
		{name: "rust.lld = false, refused", sets: []string{"rust.lld=false", `lld.baked-default="error"`}, in: official,
			wantErr: `lld.baked-default = "error" refuses that`},
		{name: "rust.lld = false, built so", sets: []string{"rust.lld=false"}, in: lldInput{},
			want: LLD{Wrapper: WrapperNone, Rule: config.RuleLLDSet}},
		{name: "rust.lld = false, compiler built so but LLD there", sets: []string{"rust.lld=false"}, in: lldInput{rustLLD: true, wrappers: true},
			want: LLD{Wrapper: WrapperNone, Rule: config.RuleLLDSet}},
		{name: "wrappers to be built", sets: []string{`lld.wrapper="build"`}, in: official,
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: config.RuleDefaultHost}},
		{name: "wrappers missing", in: lldInput{baked: true, rustLLD: true},
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: config.RuleDefaultHost}},
		{name: "wrapper given", sets: []string{`lld.wrapper="/opt/wrapper"`}, in: official,
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperGiven, Rule: config.RuleDefaultHost}},
		{name: "a distribution's rustc", in: lldInput{},
			want: LLD{Wrapper: WrapperNone, Rule: config.RuleDefaultHost}},
		{name: "a distribution's rustc, rust.lld = true", sets: []string{"rust.lld=true"}, in: lldInput{}, wantErr: "the input has no rust-lld"},
		{name: "a distribution's rustc with an LLD from elsewhere", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`}, in: lldInput{},
			want: LLD{Shipped: true, Wrapper: WrapperBuilt, Rule: config.RuleLLDSet}},
		{name: "the same by launcher", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher}, in: lldInput{linux: true},
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperBuilt, Launcher: LauncherLLD, Rule: config.RuleLLDSet}},
		{name: "the same by launcher before 1.90", release: "1.63.0", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher}, in: lldInput{linux: true},
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperBuilt, Launcher: LauncherLLD, Rule: config.RuleLLDSet}},
		{name: "launcher where no C compiler links", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher}, in: lldInput{},
			want: LLD{Shipped: true, Wrapper: WrapperBuilt, Rule: config.RuleLLDSet}},
		{name: "launcher without LLD", sets: []string{launcher}, in: lldInput{linux: true},
			want: LLD{Wrapper: WrapperNone, Rule: config.RuleDefaultHost}},
		{name: "launcher, LLD switched off", sets: []string{"rust.lld=true", `lld.binary="/usr/bin/lld"`, launcher, `target.x86_64-unknown-linux-gnu.default-linker-linux-override="off"`}, in: lldInput{linux: true},
			want: LLD{Shipped: true, Wrapper: WrapperBuilt, Rule: config.RuleLLDSet}},
		{name: "site wrapper", sets: []string{`lld.site-wrapper="/opt/ld-wrapper"`}, in: official,
			want: LLD{Shipped: true, Default: true, Wrapper: WrapperBuilt, Rule: config.RuleDefaultHost}},
		{name: "jobserver of a given wrapper", sets: []string{"lld.jobserver=true", `lld.wrapper="/opt/wrapper"`}, in: official,
			wantErr: `set lld.wrapper = "build"`},
		{name: "relative site wrapper", sets: []string{`lld.site-wrapper="ld-wrapper"`}, in: official, wantErr: "want an absolute path"},
		{name: "broken toolchain", in: lldInput{baked: true, wrappers: true}, wantErr: "the input has no rust-lld"},
		{name: "shipped but not the default", sets: []string{"rust.lld=true", `target.x86_64-unknown-linux-gnu.default-linker-linux-override="off"`}, in: official,
			want: LLD{Shipped: true, Wrapper: WrapperShim, Rule: config.RuleLLDSet}},
		{name: "another host of rustup", host: "aarch64-unknown-linux-gnu", in: lldInput{rustLLD: true, wrappers: true},
			want: LLD{Shipped: true, Wrapper: WrapperKept, Rule: config.RuleNoDefaultHost}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			host := triple(t, "x86_64-unknown-linux-gnu")
			if tt.host != "" {
				host = triple(t, tt.host)
			}
			cfg := loadConfig(t, tt.sets...)
			release, err := targets.ParseRelease(stdcmp.Or(tt.release, "1.95.0"))
			if err != nil {
				t.Fatal(err)
			}
			want, err := cfg.LLD(config.LLDInput{Release: release, Channel: "stable", Hosts: []targets.Triple{host}})
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := decideLLD(want, host, cfg, tt.in)
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
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("LLD (-want +got):\n%s", diff)
			}
		})
	}
}
