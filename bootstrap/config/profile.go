package config

import (
	"embed"
	"fmt"

	"x.go/bootstrap/toml"
)

// profileFiles are this program's own versions of upstream's profiles
// (`src/bootstrap/defaults`), with the same keys and values.
//
//go:embed profiles/*.toml
var profileFiles embed.FS

// profiles lists the profiles and their files. All files of a profile that fit the
// release count together.
var profiles = []struct {
	name  string
	since Minor // first release, and first one without it; 0 means none
	until Minor
	file  string
}{
	{"codegen", 0, 78, "bootstrap.compiler.toml"}, // #121278
	{"compiler", 86, 0, "bootstrap.compiler-1.86.toml"},
	{"compiler", 83, 0, "bootstrap.ci-llvm.toml"}, // #129473
	{"compiler", 0, 0, "bootstrap.compiler.toml"},
	{"dist", 95, 0, "bootstrap.dist-1.95.toml"},
	{"dist", 90, 0, "bootstrap.dist.toml"},
	{"dist", 87, 90, "bootstrap.dist-1.87.toml"},
	{"dist", 81, 87, "bootstrap.dist-1.81.toml"},
	{"dist", 0, 81, "bootstrap.dist-1.78.toml"},
	{"library", 84, 90, "bootstrap.library-1.84.toml"}, // #132494, #143577
	{"library", 89, 0, "bootstrap.library.toml"},       // #119899
	{"library", 0, 89, "bootstrap.library-1.88.toml"},
	{"library", 83, 0, "bootstrap.ci-llvm.toml"},  // #130202
	{"llvm", 0, 78, "bootstrap.compiler.toml"},    // #121278
	{"tools", 87, 0, "bootstrap.tools-1.87.toml"}, // #137215
	{"tools", 83, 0, "bootstrap.ci-llvm.toml"},    // #130202
	{"tools", 0, 0, "bootstrap.tools.toml"},
}

// profileAliases are other names of profiles.
var profileAliases = map[string]string{"user": "dist"}

// profilesOf returns the files of a profile as of a release.
func profilesOf(name string, m Minor) (files []string) {
	for _, p := range profiles {
		if p.name == name && m >= p.since && (p.until == 0 || m < p.until) {
			files = append(files, p.file)
		}
	}
	return files
}

// profile reads the profile that the main file names. In an unpacked source archive
// a file without one has the profile dist since 1.86 (#136467), and what an include
// says comes too late. Elsewhere an include can name it. A profile of --set comes too
// late in upstream, so it does here.
func (l *loader) profile() {
	name, o := "", Origin{}
	if s := l.settings["profile"]; len(s) > 0 {
		name, _ = s[0].Value.(string)
		o = s[0].Origin
	}
	if o.Kind != OriginFile && l.tree() == sourceArchive && l.minor >= 86 {
		if name != "" {
			l.note(Finding{Severity: Warning, Place: o.String(), Key: "profile", Remedy: "write it into the main file",
				Reason: "it has no effect: in a source archive, a main file without a profile has the profile dist before includes are read"})
		}
		name = "dist"
	}
	if name == "" && o == (Origin{}) {
		return
	}
	if alias, ok := profileAliases[name]; ok {
		name = alias
	}
	files := profilesOf(name, l.minor)
	if len(files) == 0 {
		hint := "write compiler, dist, library, tools or user"
		if name == "codegen" || name == "llvm" {
			hint = "write compiler instead, which replaced it (rust-lang/rust#121278)"
		}
		l.fail(&Error{Where: o, Key: "profile", Message: fmt.Sprintf("unknown profile %q", name), Hint: hint})
		return
	}
	l.profileName = name
	for _, file := range files {
		data, err := profileFiles.ReadFile("profiles/" + file)
		if err != nil {
			panic("embedded profile " + file + ": " + err.Error())
		}
		l.document(toml.Parse(file, data), Bootstrap, Origin{Kind: OriginProfile, Detail: name})
	}
}
