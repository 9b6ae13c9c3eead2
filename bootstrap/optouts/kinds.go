package optouts

import "strings"

// Kind says what a file is for, which decides how it is read and whether an option
// in it has an effect. The zero Kind is a file that is not looked at.
type Kind string

// The kinds.
const (
	KindCargoConfig   Kind = "cargo-config"  // .cargo/config.toml
	KindManifest      Kind = "manifest"      // Cargo.toml
	KindBuildScript   Kind = "build-script"  // build.rs
	KindBootstrap     Kind = "bootstrap"     // bootstrap.toml of Rust itself
	KindCI            Kind = "ci"            // workflows of a CI
	KindNix           Kind = "nix"           // *.nix
	KindPackaging     Kind = "packaging"     // PKGBUILD, ebuild, spec, debian/rules
	KindContainer     Kind = "container"     // Dockerfile
	KindBuildSystem   Kind = "build-system"  // Bazel, make, CMake, meson, just
	KindEnvironment   Kind = "environment"   // .env, .envrc
	KindScript        Kind = "script"        // shell, Python, PowerShell
	KindSettings      Kind = "settings"      // other TOML, YAML and JSON
	KindSource        Kind = "source"        // source code: effective where the program uses it
	KindDocumentation Kind = "documentation" // no effect of its own
)

// syntax says how comments are written.
type syntax uint8

const (
	plain    syntax = 0         // there are none
	hash     syntax = 1 << iota // # to the end of the line
	slashes                     // // and /* */
	percents                    // REM and :: of batch files
	isTOML                      // read by its structure
)

// kindRow says what files of a name are.
type kindRow struct {
	kind   Kind
	syntax syntax
	names  string // patterns with one star on the lower-case name, those with a slash on the end of the path
}

// kindRows are tried in order: the first that matches counts.
var kindRows = []kindRow{
	{KindCargoConfig, isTOML, "*/.cargo/config.toml */.cargo/config */.cargo/*.toml */cargo-config.toml */cargo_config.toml */cargo/config.toml"},
	{KindManifest, isTOML, "cargo.toml cargo.toml.orig"},
	{KindBuildScript, slashes, "build.rs"},
	{KindBootstrap, isTOML, "bootstrap.toml bootstrap.*.toml config.toml bootstrap.example.toml config.example.toml"},
	{KindCI, hash, "*/.github/* */.github/*/* */.github/*/*/* */.github/*/*/*/* */.gitlab/* */.gitlab/*/* */.circleci/* */.forgejo/*/* */.gitea/*/* */.woodpecker/* */.buildkite/* */.semaphore/* */.azure/* */.azure-pipelines/* */.builds/*"},
	{KindCI, hash, ".gitlab-ci.yml .gitlab-ci.yaml *.gitlab-ci.yml azure-pipelines*.yml azure-pipelines*.yaml .travis.yml appveyor.yml .appveyor.yml .cirrus.yml .drone.yml .woodpecker.yml bitbucket-pipelines.yml cloudbuild.yaml buildspec.yml .build.yml"},
	{KindCI, slashes, "jenkinsfile jenkinsfile.* *.jenkinsfile"},
	{KindNix, hash | slashes, "*.nix"},
	{KindPackaging, hash, "pkgbuild pkgbuild.* apkbuild *.ebuild *.eclass *.spec *.spec.in */debian/rules */debian/rules.* template *.install snapcraft.yaml *.rb portfile.cmake"},
	{KindContainer, hash, "dockerfile dockerfile.* *.dockerfile containerfile containerfile.* *.containerfile docker-compose*.yml docker-compose*.yaml compose.yml compose.yaml devcontainer.json docker-bake.hcl"},
	{KindBuildSystem, hash, ".bazelrc *.bazelrc bazel.rc build.bazel workspace.bazel module.bazel build workspace *.bzl *.bazel buck *.buckconfig .buckconfig"},
	{KindBuildSystem, hash, "makefile makefile.* gnumakefile *.mk *.mak cmakelists.txt *.cmake meson.build meson.options meson_options.txt justfile .justfile *.just earthfile taskfile.yml taskfile.yaml kbuild configure configure.ac *.am *.m4 sconstruct wscript tup*"},
	{KindEnvironment, hash, ".env .env.* *.env .envrc *.envrc .tool-versions"},
	{KindDocumentation, plain, "*.md *.mdx *.markdown *.rst *.adoc *.asciidoc *.org *.txt *.html *.htm *.xhtml *.tex *.typ *.pod *.man *.1 *.5 *.7 *.ipynb readme readme.* changelog changelog.* changes news news.* install hacking contributing todo license* copying*"},
	{KindSettings, isTOML, "*.toml"},
	{KindScript, hash, "*.sh *.bash *.zsh *.fish *.ksh *.csh *.py *.pyw *.ps1 *.psm1 *.pl *.rake *.nu *.xsh"},
	{KindScript, percents, "*.bat *.cmd"},
	{KindSettings, hash, "*.yml *.yaml *.json *.json5 *.jsonc *.cfg *.ini *.conf *.hcl *.tf *.properties *.nims *.cue *.dhall"},
	{KindSource, slashes, "*.rs *.go *.js *.mjs *.cjs *.ts *.mts *.cts *.jsx *.tsx *.kt *.kts *.java *.gradle *.groovy *.scala *.swift *.cs *.zig *.c *.cc *.cpp *.h *.hpp *.d *.dart"},
	{KindSource, hash, "*.rb *.ex *.exs *.jl *.r *.tcl *.gn *.gni *.star"},
}

// unread are endings of files that no text of a person is in, or that are written by
// programs and repeat what other files say.
var unread = set("png jpg jpeg gif webp ico icns svg bmp tif tiff avif psd pdf ps eps ttf otf woff woff2 eot mp3 mp4 mkv webm wav ogg flac mov avi " +
	"gz tgz xz zst bz2 lz4 lzma br zip 7z rar tar jar war whl crate deb rpm apk iso img dmg pkg msi cab snap flatpak " +
	"o a so dll dylib lib exe obj pdb rlib rmeta wasm bc ll class pyc pyo elf bin dat db sqlite sqlite3 parquet arrow npy npz onnx pt safetensors pb " +
	"lock sum map snap patch diff log csv tsv po mo pot asc sig pem crt key der p12 rmeta dwo stderr stdout css scss less sass")

func set(words string) map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		out[w] = true
	}
	return out
}

// skippedDirs hold no sources: what version control, cargo and package managers
// keep. A directory target counts only with the mark that cargo puts into it.
var skippedDirs = set(".git .hg .svn .jj .pijul .bzr _darcs node_modules __pycache__ .direnv .venv .mypy_cache .pytest_cache .tox")

// table is kindRows made ready: by whole name, by ending, and the rest in order.
var table = newKindTable()

type kindTable struct {
	byName, byEnding map[string]int // index of the row
	byPattern        []kindPattern
	byDir            []kindPattern // of names in a directory
}

// kindPattern is a pattern with one star: what is before it and after it.
type kindPattern struct {
	row           int
	dir           string // "/.github/", "" for any
	depth         int    // of the name below dir: its slashes
	before, after string
	star          bool
}

func newKindTable() kindTable {
	t := kindTable{byName: map[string]int{}, byEnding: map[string]int{}}
	for i, row := range kindRows {
		for word := range strings.FieldsSeq(row.names) {
			if tail, ok := strings.CutPrefix(word, "*/"); ok {
				dir, name, _ := strings.Cut(tail, "/")
				depth := strings.Count(name, "/")
				p := newKindPattern(i, name[strings.LastIndex(name, "/")+1:])
				p.dir, p.depth = "/"+dir+"/", depth
				t.byDir = append(t.byDir, p)
				continue
			}
			p := newKindPattern(i, word)
			switch {
			case !p.star:
				first(t.byName, word, i)
			case p.before == "" && strings.LastIndex(p.after, ".") == 0:
				first(t.byEnding, p.after[1:], i)
			default:
				t.byPattern = append(t.byPattern, p)
			}
		}
	}
	return t
}

func newKindPattern(row int, word string) kindPattern {
	before, after, star := strings.Cut(word, "*")
	return kindPattern{row: row, before: before, after: after, star: star}
}

func first(m map[string]int, key string, row int) {
	if _, ok := m[key]; !ok {
		m[key] = row
	}
}

func (p kindPattern) matches(name string) bool {
	if !p.star {
		return name == p.before
	}
	return len(name) >= len(p.before)+len(p.after) && strings.HasPrefix(name, p.before) && strings.HasSuffix(name, p.after)
}

// dirKinds are the patterns that names in a directory may match.
type dirKinds []kindPattern

// kindsIn prepares [dirKinds.classify] for the directory of a slash path, "." for the
// one that was named; above is what its own name is, "" where it has none.
func kindsIn(dir string) dirKinds {
	full := strings.ToLower("/" + dir + "/")
	var out dirKinds
	for _, p := range table.byDir {
		if at := strings.LastIndex(full, p.dir); at >= 0 && strings.Count(full[at+len(p.dir):], "/") == p.depth {
			out = append(out, p)
		}
	}
	return out
}

// classify says what the file of a name is.
func (d dirKinds) classify(name string) (Kind, syntax) {
	base := strings.ToLower(name)
	ending := ""
	if dot := strings.LastIndexByte(base, '.'); dot >= 0 {
		ending = base[dot+1:]
	}
	if unread[ending] {
		return "", plain
	}
	best := len(kindRows)
	for _, m := range []struct {
		rows map[string]int
		key  string
	}{{table.byName, base}, {table.byEnding, ending}} {
		if i, ok := m.rows[m.key]; ok && i < best {
			best = i
		}
	}
	for _, patterns := range [][]kindPattern{table.byPattern, d} {
		for _, p := range patterns {
			if p.row < best && p.matches(base) {
				best = p.row
			}
		}
	}
	switch {
	case best == len(kindRows):
		return "", plain
	case kindRows[best].kind == KindCI && (ending == "md" || ending == "txt"):
		return KindDocumentation, plain
	}
	return kindRows[best].kind, kindRows[best].syntax
}
