package optouts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"x.go/bootstrap/optouts"
	"x.go/targets"
	"x.go/tests/testenv"
)

// options are about a compiler of a release on x86_64-unknown-linux-gnu.
func options(t testing.TB, release, target string) optouts.Options {
	t.Helper()
	r, err := targets.ParseRelease(release)
	testenv.Must(t, err)
	s, _, err := targets.Builtin().At(r)
	testenv.Must(t, err)
	host, err := targets.ParseTriple("x86_64-unknown-linux-gnu")
	testenv.Must(t, err)
	o := optouts.Options{Compiler: targets.Compiler{Release: r, Host: host, LLDDefault: targets.DefaultLLD(r, host)}, Snapshot: s}
	if target != "" {
		o.Target, err = targets.ParseTriple(target)
		testenv.Must(t, err)
	}
	return o
}

// write puts the files of a txtar archive below a new directory.
func write(t testing.TB, archive string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(archive)).Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		testenv.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		testenv.Must(t, os.WriteFile(path, f.Data, 0o644))
	}
	return dir
}

func run(t testing.TB, dir string, o optouts.Options) *optouts.Report {
	t.Helper()
	o.Dir = dir
	r, err := optouts.Run(t.Context(), []string{"."}, o)
	testenv.Must(t, err)
	testenv.Must(t, r.Err())
	return r
}

// summary is a finding in one line: where, option, status, needed, cause.
func summary(f optouts.Finding) string {
	needed := "?"
	if f.Needed != nil {
		needed = map[bool]string{true: "yes", false: "no"}[*f.Needed]
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s | %s %s %s", f.Where(), f.Option, f.Status, needed, f.Cause))
}

func summaries(r *optouts.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(summary(f) + "\n")
	}
	return b.String()
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, files, want string }{
		{"array in one line", "-- .cargo/config.toml --\n[build]\nrustflags = [\"-C\", \"target-cpu=native\", \"-C\", \"linker-features=-lld\"]\n",
			".cargo/config.toml:2:42 -C linker-features=-lld | lld-off ?\n"},
		{"array over lines, comments in it", "-- .cargo/config.toml --\n[target.x86_64-unknown-linux-gnu]\nrustflags = [\n  # \"-Clinker-features=-lld\",\n  \"-C\",\n  \"linker_features=-lld\", # why not\n]\n",
			".cargo/config.toml:5:4 -C linker_features=-lld | lld-off ?\n"},
		{"string", "-- .cargo/config --\n[target.'cfg(unix)']\nrustflags = '-Copt-level=3 --codegen=linker-features=-lld'\n",
			".cargo/config:2:28 --codegen=linker-features=-lld | lld-off ?\n"},
		{"condition that does not hold", "-- .cargo/config.toml --\n[target.'cfg(windows)']\nrustflags = ['-Clinker-features=-lld']\n",
			".cargo/config.toml:2:15 -Clinker-features=-lld | none no\n"},
		{"dotted keys and inline tables", "-- .cargo/config.toml --\ntarget.x86_64-unknown-linux-gnu = { linker = \"clang\", rustflags = [\"-Clink-arg=-fuse-ld=/usr/bin/mold\"] }\n",
			".cargo/config.toml:1:37 linker = \"clang\" | changes ? chosen-linker\n.cargo/config.toml:1:69 -Clink-arg=-fuse-ld=/usr/bin/mold | changes ? chosen-linker\n"},
		{"-z in two options", "-- .cargo/config.toml --\n[build]\nrustflags = [\"-C\", \"link-arg=-z\", \"-C\", \"link-arg=nostart-stop-gc\"]\n",
			".cargo/config.toml:2:15 -C link-arg=-z -C link-arg=nostart-stop-gc | changes ? start-stop-gc\n"},
		{"several in one option", "-- .cargo/config.toml --\n[build]\nrustflags = [\"-Clink-args=-fuse-ld=lld -Wl,--threads=1 -z nostart-stop-gc\"]\n",
			".cargo/config.toml:2:15 -Clink-args=-fuse-ld=lld | none no faster-links\n.cargo/config.toml:2:15 -Clink-args=-Wl,--threads=1 | changes ?\n.cargo/config.toml:2:15 -Clink-args=-z nostart-stop-gc | changes ? start-stop-gc\n"},
		{"broken TOML is read as text", "-- .cargo/config.toml --\n[build\nrustflags = [\"-Clinker-features=-lld\"]\n# rustflags = [\"-Clinker-features=-lld\"]\n",
			".cargo/config.toml:2:15 -Clinker-features=-lld | lld-off ?\n"},
		{"profile of a manifest", "-- Cargo.toml --\ncargo-features = [\"profile-rustflags\"]\n[profile.release]\nrustflags = [\"-Clinker-features=-lld\"]\n[package.metadata.x]\nflags = \"-Clink-arg=-fuse-ld=gold\"\n",
			"Cargo.toml:3:15 -Clinker-features=-lld | lld-off ?\nCargo.toml:5:10 -Clink-arg=-fuse-ld=gold | lld-off ? chosen-linker\n"},
		{"build script", "-- build.rs --\nfn main() {\n    // println!(\"cargo:rustc-link-arg=-fuse-ld=gold\");\n    /* println!(\"cargo:rustc-link-arg=-fuse-ld=gold\"); */\n    println!(\"cargo::rustc-link-arg=-fuse-ld=lld\");\n    println!(\"cargo:rustc-link-arg-bin=tool=-Wl,--allow-shlib-undefined\");\n}\n",
			"build.rs:4:37 cargo::rustc-link-arg=-fuse-ld=lld | none no faster-links\nbuild.rs:5:45 cargo:rustc-link-arg-bin=-Wl,--allow-shlib-undefined | changes ?\n"},
		{"workflow", "-- .github/workflows/ci.yml --\nenv:\n  RUSTFLAGS: -D warnings -C linker-features=-lld\n  # RUSTFLAGS: -Clink-self-contained=-linker\nsteps:\n  - run: |\n      # it doesn't need -Clinker-features=-lld\n      cargo rustc -- -C \\\n        link-self-contained=n\n  - env: {CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER: aarch64-linux-gnu-gcc}\n",
			".github/workflows/ci.yml:2:26 -C linker-features=-lld | lld-off ?\n.github/workflows/ci.yml:8:9 -C link-self-contained=n | changes ?\n.github/workflows/ci.yml:9:58 CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc | lld-off yes cross\n"},
		{"GitLab and Azure", "-- .gitlab-ci.yml --\nvariables:\n  CARGO_ENCODED_RUSTFLAGS: \"-Clinker-features=-lld\\x1f-Ctarget-cpu=v3\"\n-- azure-pipelines.yml --\nvariables:\n- name: RUSTFLAGS\n  value: '-Clinker-features=-lld'\n",
			".gitlab-ci.yml:2:29 -Clinker-features=-lld | lld-off ?\nazure-pipelines.yml:3:11 -Clinker-features=-lld | lld-off ?\n"},
		{"YAML list", "-- .github/workflows/a.yaml --\nflags:\n  - \"-C\"\n  - \"linker-features=-lld\"\n", ".github/workflows/a.yaml:3:6 -C linker-features=-lld | lld-off ?\n"},
		{"Nix", "-- flake.nix --\n{\n  RUSTFLAGS = \"-Clinker-features=-lld \" + \"-Copt-level=2\";\n  x = [ \"-C\" \"linker-features=-lld\" ];\n  # y = \"-Clinker-features=-lld\";\n  shellHook = ''\n    export RUSTFLAGS=\"$RUSTFLAGS -Clink-self-contained=-linker\"\n  '';\n}\n",
			"flake.nix:2:16 -Clinker-features=-lld | lld-off ? nix-wrapper\nflake.nix:3:10 -C linker-features=-lld | lld-off ? nix-wrapper\nflake.nix:6:34 -Clink-self-contained=-linker | changes ? nix-wrapper\n"},
		{"packaging", "-- PKGBUILD --\nbuild() {\n  export RUSTFLAGS+=' -C linker-features=-lld'\n}\n-- x.ebuild --\nRUSTFLAGS=\"${RUSTFLAGS} -Clinker-features=-lld\" cargo_src_compile\n-- x.spec --\n%global build_rustflags %{build_rustflags} -Clinker-features=-lld\n-- debian/rules --\nexport RUSTFLAGS = -Clinker-features=-lld\n-- APKBUILD --\nexport RUSTFLAGS=\"-Clinker-features=-lld\"\n",
			"APKBUILD:1:19 -Clinker-features=-lld | lld-off ?\nPKGBUILD:2:23 -C linker-features=-lld | lld-off ?\ndebian/rules:1:20 -Clinker-features=-lld | lld-off ?\nx.ebuild:1:25 -Clinker-features=-lld | lld-off ?\nx.spec:1:44 -Clinker-features=-lld | lld-off ?\n"},
		{"containers", "-- Dockerfile --\nENV RUSTFLAGS=\"-C link-arg=-fuse-ld=mold\" A=b\nENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER clang\nRUN [\"cargo\", \"rustc\", \"--\", \"-C\", \"linker-features=-lld\"]\n-- sub/Containerfile.ci --\nRUN RUSTFLAGS=-Clinker-features=-lld \\\n    cargo build\n",
			"Dockerfile:1:16 -C link-arg=-fuse-ld=mold | lld-off ? chosen-linker\nDockerfile:2:50 CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=clang | lld-off ? chosen-linker\nDockerfile:3:31 -C linker-features=-lld | lld-off ?\nsub/Containerfile.ci:1:15 -Clinker-features=-lld | lld-off ?\n"},
		{"Bazel", "-- .bazelrc --\nbuild --@rules_rust//:extra_rustc_flags=-Clinker-features=-lld\nbuild --action_env=RUSTFLAGS=-Clink-arg=-fuse-ld=gold # text\n-- a/BUILD.bazel --\nrust_binary(rustc_flags = [\"-Clinker-features=-lld\", \"--codegen\", \"link-self-contained=-linker\"])\n-- defs.bzl --\nFLAGS = [\"-C\" + \"linker-features=-lld\"]\n",
			".bazelrc:1:41 -Clinker-features=-lld | lld-off ?\n.bazelrc:2:30 -Clink-arg=-fuse-ld=gold | lld-off ? chosen-linker\na/BUILD.bazel:1:29 -Clinker-features=-lld | lld-off ?\na/BUILD.bazel:1:55 --codegen link-self-contained=-linker | same ?\ndefs.bzl:1:11 -Clinker-features=-lld | lld-off ?\n"},
		{"build systems", "-- Makefile --\nRUSTFLAGS += -C linker-features=-lld\nx:\n\tRUSTFLAGS=\"-C link-args='-fuse-ld=bfd -Wl,--as-needed'\" cargo build\n-- CMakeLists.txt --\nset(ENV{RUSTFLAGS} \"-C linker-features=-lld\")\n-- meson.build --\nadd_project_arguments('-C', 'linker-features=-lld', language : 'rust')\n-- justfile --\nexport RUSTFLAGS := \"-C linker-features=-lld\"\n-- Earthfile --\nENV RUSTFLAGS=\"-C linker-features=-lld\"\n",
			"CMakeLists.txt:1:21 -C linker-features=-lld | lld-off ?\nEarthfile:1:16 -C linker-features=-lld | lld-off ?\nMakefile:1:14 -C linker-features=-lld | lld-off ?\nMakefile:3:13 -C link-args=-fuse-ld=bfd | lld-off ? chosen-linker\njustfile:1:22 -C linker-features=-lld | lld-off ?\nmeson.build:1:24 -C linker-features=-lld | lld-off ?\n"},
		{"environment and scripts", "-- .env --\nRUSTFLAGS=-Clinker-features=-lld\n-- .envrc --\nexport RUSTFLAGS=\"-Clinker-features=-lld\"\n-- a.ps1 --\n$env:RUSTFLAGS = \"-C linker-features=-lld\"\n$env:CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_LINKER = \"rust-lld\"\n-- b.py --\nenv[\"RUSTFLAGS\"] = \"-C linker-features=-lld\"  # for GCC LTO\nos.environ['CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER'] = 'rust-lld'\n-- bin/tool --\n#!/bin/sh\nset -- -C \"linker-features=-lld\"\n-- c.bat --\nREM set RUSTFLAGS=-Clinker-features=-lld\nset RUSTFLAGS=-Clinker-features=-lld\n",
			".env:1:11 -Clinker-features=-lld | lld-off ?\n.envrc:1:19 -Clinker-features=-lld | lld-off ?\na.ps1:1:19 -C linker-features=-lld | lld-off ?\na.ps1:2:52 $env:CARGO_TARGET_X86_64_PC_WINDOWS_MSVC_LINKER=rust-lld | lld-on yes faster-links\nb.py:1:21 -C linker-features=-lld | lld-off yes gcc-lto\nb.py:2:64 CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld | lld-on yes faster-links\nbin/tool:2:8 -C linker-features=-lld | lld-off ?\nc.bat:2:15 -Clinker-features=-lld | lld-off ?\n"},
		{"program", "-- src/main.rs --\nfn main() {\n    cmd.arg(\"-C\").arg(\"linker-features=-lld\");\n    std::env::set_var(\"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER\", \"clang\");\n}\n",
			"src/main.rs:2:14 -C linker-features=-lld | lld-off ?\nsrc/main.rs:3:72 CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER=clang | lld-off ? chosen-linker\n"},
		{"documentation", "-- README.md --\nUse `RUSTFLAGS=\"-C linker-features=-lld\" cargo build`, or -Clinker-features=-lld.\n```toml\n[target.x86_64-unknown-linux-gnu]\nlinker = \"clang\"\n```\n",
			"README.md:1:17 -C linker-features=-lld | lld-off ?\nREADME.md:1:59 -Clinker-features=-lld | lld-off ?\nREADME.md:4:11 linker = clang | lld-off ? chosen-linker\n"},
		{"toolchain", "-- bootstrap.toml --\n[rust]\nlld = false\nbootstrap-override-lld = true\n[target.x86_64-unknown-linux-gnu]\ndefault-linker-linux-override = \"off\"\n-- config.toml --\n[rust]\nuse-lld = \"self-contained\"\n-- other/config.toml --\nlld = false\n[rust-server]\nlld = true\n",
			"bootstrap.toml:2:1 rust.lld = false | changes ?\nbootstrap.toml:3:1 rust.bootstrap-override-lld = true | changes ?\nbootstrap.toml:5:1 target.x86_64-unknown-linux-gnu.default-linker-linux-override = \"off\" | changes ?\nconfig.toml:2:1 rust.use-lld = \"self-contained\" | changes ?\n"},
		{"[env] of cargo", "-- .cargo/config.toml --\n[env]\nRUSTFLAGS = \"-Clinker-features=-lld\"\n", ".cargo/config.toml:2:14 -Clinker-features=-lld | unknown ?\n"},
		{"LDFLAGS only beside Rust", "-- a/Makefile --\nLDFLAGS += -fuse-ld=lld\n-- b/Makefile --\nLDFLAGS += -fuse-ld=lld\nall:\n\tcargo build\n", "b/Makefile:1:12 LDFLAGS=-fuse-ld=lld | none ?\n"},
		{"nothing of the kind", "-- a.c --\n/* linker lld */ int x;\n-- Makefile --\n\tmake -C linker-features\n\ttar -C link-arg=x -Zlld\n-- b.md --\nThe linker LLD has linker features. See -C and lld-link.\n-- c.sh --\ncmake -Clinker.cmake -G Ninja\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, summaries(run(t, write(t, tt.files), options(t, "1.95.0", "")))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
