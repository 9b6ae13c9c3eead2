package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files anew")

// TestExampleFiles compares the annotated examples with the schema. Golden
// files are written by: go test ./bootstrap/config -run TestExampleFiles -update
func TestExampleFiles(t *testing.T) {
	for f, name := range map[File]string{Bootstrap: "bootstrap.example.toml", X: "x.example.toml"} {
		want := exampleText(f)
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(want, Example(f)); diff != "" {
			t.Errorf("%s is not up to date (-want +got):\n%s", name, diff)
		}
	}
}

// TestExamplesLoad uncomments every key of the examples: the files have to
// load, and to set every key.
func TestExamplesLoad(t *testing.T) {
	text := map[File]string{}
	for _, f := range []File{Bootstrap, X} {
		var b strings.Builder
		for line := range strings.Lines(Example(f)) {
			if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") && line != "#\n" {
				line = line[1:]
			}
			b.WriteString(line)
		}
		text[f] = b.String()
	}
	c := load(t, source(map[string]string{"bootstrap.toml": text[Bootstrap], "x.toml": text[X]}))
	for _, k := range Schema() {
		id := strings.NewReplacer("target.*", "target.x86_64-unknown-linux-gnu", "tool.*", "tool.miri", "component.*", "component.acme-sdk").Replace(k.ID())
		if !c.IsSet(id) {
			t.Errorf("%s: not set by the example", id)
		}
	}
}

func exampleText(f File) string {
	var b strings.Builder
	switch f {
	case Bootstrap:
		comment(&b, "Annotated example of bootstrap.toml. Every key is shown with its default, or with an example if the default is computed. Keys marked with * affect packaging; x accepts all others and ignores them. The schema is that of rust-lang/rust; dist.compression-formats also takes zst.")
	default:
		comment(&b, "Annotated example of x.toml, which lies beside bootstrap.toml and holds settings that upstream has no key for. Every key is shown with its default, or with an example if the default is computed.")
	}
	for _, t := range tables {
		if t.file != f {
			continue
		}
		if t.section != "" {
			header := strings.NewReplacer("target.*", "target.x86_64-unknown-linux-gnu", "tool.*", "tool.miri", "component.*", "component.acme-sdk").Replace(t.section)
			comment := ""
			if t.section == "component.*" {
				comment = "#" // one without keys is refused
			}
			fmt.Fprintf(&b, "\n%s[%s]\n", comment, header)
		}
		for _, k := range t.keys {
			exampleKey(&b, k)
		}
	}
	return b.String()
}

func exampleKey(b *strings.Builder, k Key) {
	b.WriteByte('\n')
	doc := k.Doc
	if k.Effect != "" {
		doc = "* " + doc + " Effect: " + k.Effect + "."
	}
	if k.Since != 0 {
		doc += fmt.Sprintf(" Since %s.", k.Since)
	}
	if k.Legacy {
		doc += " Legacy: " + k.Note + "."
	}
	if k.Computed != "" {
		doc += " Default: " + k.Computed + "."
	}
	comment(b, doc)
	value := k.Default
	if value == "" {
		value = exampleValue(k)
	}
	fmt.Fprintf(b, "#%s = %s\n", k.Name, value)
}

// exampleValue is a value for keys without constant default.
func exampleValue(k Key) string {
	switch k.Type {
	case Bool, StringOrBoolean:
		return "true"
	case Int, Debuginfo:
		return "1"
	case Strings:
		if k.Name == "codegen-backends" {
			return `["llvm"]` // none at all is refused
		}
		return "[]"
	case Triple:
		return `"x86_64-unknown-linux-gnu"`
	case Triples:
		return `["x86_64-unknown-linux-gnu"]`
	case Enum:
		return tomlString(k.Values[0])
	case EnumList:
		return tomlArray(k.Values, tomlString)
	case OfferedFor:
		return `["*"]`
	case LLDOverride:
		return "false"
	case Size:
		return `"1GiB"`
	case ChangeNumber:
		return fmt.Sprint(changes[len(changes)-1].ID)
	case Path:
		return tomlString("/path/to/" + k.Name)
	}
	if k.Name == "profile" {
		return `"dist"`
	}
	return `""`
}

// comment writes text as comment lines of at most 80 columns.
func comment(b *strings.Builder, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > 80 {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	b.WriteString(line + "\n")
}

func BenchmarkLoad(b *testing.B) {
	full := strings.ReplaceAll(strings.ReplaceAll(Example(Bootstrap), "\n#", "\n"), "\n ", "\n# ")
	src := source(map[string]string{"bootstrap.toml": full, "x.toml": Example(X)}, "rust.lld=false", "rust.channel=stable")
	load(b, src)
	b.SetBytes(int64(len(full)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(src); err != nil {
			b.Fatal(err)
		}
	}
}
