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

// profiles lists the profiles and the files they have had. The newest file
// that is not newer than the release counts.
var profiles = []struct {
	name  string
	since Minor // first release, and first one without it; 0 means none
	until Minor
	file  string
}{
	{"codegen", 0, 78, "bootstrap.compiler.toml"}, // #121278
	{"compiler", 0, 0, "bootstrap.compiler.toml"},
	{"dist", 90, 0, "bootstrap.dist.toml"},
	{"dist", 87, 0, "bootstrap.dist-1.87.toml"},
	{"dist", 81, 0, "bootstrap.dist-1.81.toml"},
	{"dist", 0, 0, "bootstrap.dist-1.78.toml"},
	{"library", 0, 0, "bootstrap.library.toml"},
	{"llvm", 0, 78, "bootstrap.compiler.toml"}, // #121278
	{"tools", 0, 0, "bootstrap.tools.toml"},
}

// profileAliases are other names of profiles.
var profileAliases = map[string]string{"user": "dist"}

// profileFile returns the file of a profile as of a release, or "".
func profileFile(name string, m Minor) string {
	for _, p := range profiles {
		if p.name == name && m >= p.since && (p.until == 0 || m < p.until) {
			return p.file
		}
	}
	return ""
}

// profile reads the profile that the main file or an include names. Without
// one, an unpacked source archive has the profile dist. A profile of --set
// comes too late in upstream, so it does here.
func (l *loader) profile() {
	name, o := "", Origin{}
	if s := l.settings["profile"]; len(s) > 0 {
		name, _ = s[0].Value.(string)
		o = s[0].Origin
	} else if l.fromTarball() {
		name = "dist"
	} else {
		return
	}
	if alias, ok := profileAliases[name]; ok {
		name = alias
	}
	file := profileFile(name, l.minor)
	if file == "" {
		hint := "write compiler, dist, library, tools or user"
		if name == "codegen" || name == "llvm" {
			hint = "write compiler instead, which replaced it (rust-lang/rust#121278)"
		}
		l.fail(&Error{Where: o, Key: "profile", Message: fmt.Sprintf("unknown profile %q", name), Hint: hint})
		return
	}
	data, err := profileFiles.ReadFile("profiles/" + file)
	if err != nil {
		panic("embedded profile " + file + ": " + err.Error())
	}
	l.profileName = name
	l.document(toml.Parse(file, data), Bootstrap, Origin{Kind: OriginProfile, Detail: name})
}
