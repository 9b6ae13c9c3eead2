package config

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goldenLines returns the lines of a file in testdata.
func goldenLines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}

// TestKeysOfUpstream compares the keys of each release with x.py's own lists: its
// error about an unknown field names all fields of the section. They were recorded by
//
//	printf '[SECTION]\nbogus = 1\n' > bootstrap.toml; python3 x.py build --dry-run
//
// in the source archives of the three releases.
func TestKeysOfUpstream(t *testing.T) {
	for _, line := range goldenLines(t, "keys.txt") {
		head, list, _ := strings.Cut(line, ": ")
		release, section, _ := strings.Cut(head, " ")
		n, err := strconv.Atoi(strings.TrimPrefix(release, "1."))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(list)
		if section == "build" {
			want = slices.DeleteFunc(want, func(k string) bool { return k == "tool" }) // a section
		}
		var got []string
		for _, k := range slices.Concat(Schema(), RemovedKeys()) {
			if m := Minor(n); k.File == Bootstrap && k.Section == section && k.Since <= m && (k.Removed == 0 || m < k.Removed) {
				got = append(got, k.Name)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-x.py +x):\n%s", head, diff)
		}
	}
}

// stricter are the examples of README.md, by the [Key.ID] of their keys.
func stricter(t *testing.T) map[string][]string {
	t.Helper()
	data, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for line := range strings.Lines(string(data)) {
		if text, ok := strings.CutPrefix(line, "| `"); ok {
			text, _, _ = strings.Cut(text, "` |")
			key, _, _ := strings.Cut(text, " = ")
			key = pattern(strings.ReplaceAll(key, `"`, ""))
			out[key] = append(out[key], text)
		}
	}
	return out
}

// TestStricter holds each line of the table in README.md against Load.
func TestStricter(t *testing.T) {
	rows := stricter(t)
	if len(rows) < 10 {
		t.Fatalf("got %d keys of README.md, want more", len(rows))
	}
	for key, texts := range rows {
		for _, text := range texts {
			src := source(bootstrapToml(text))
			src.Release = release(t, "1.95.0")
			if _, err := Load(src); err == nil {
				t.Errorf("%s: README.md says that %s is refused, but it is taken", key, text)
			}
		}
	}
}

// TestTypesOfUpstream compares which values of all types each key takes with x.py
// of 1.95. Each line of the golden has a key and the values that x.py takes, of those
// in values; it was recorded by running x.py on a file for each pair.
func TestTypesOfUpstream(t *testing.T) {
	values := []string{"true", "false", "1", "-1", `"a"`, `""`, `["a"]`, "[]", "1.5", `{ a = "b" }`, "5000000000"}
	own := stricter(t)
	for _, line := range goldenLines(t, "types-1.95.txt") {
		fields := strings.Split(line, "\t")
		key := fields[0]
		for _, v := range values {
			name := strings.Replace(key, "target.*", "target."+linux, 1)
			i := strings.LastIndexByte(name, '.')
			text := name[i+1:] + " = " + v + "\n"
			if i >= 0 {
				text = "[" + name[:i] + "]\n" + text
			}
			src := source(map[string]string{"bootstrap.toml": text, "git-commit-info": "x", "src/ci/channel": "stable\n"})
			src.Release = release(t, "1.95.0")
			_, err := Load(src)
			taken := slices.Contains(fields[1:], v)
			switch {
			case taken == (err == nil):
			case taken && own[key] != nil:
			case !taken && (key == "build.rustc" || strings.HasSuffix(key, ".llvm-has-rust-patches")): // package check refuses it
			default:
				t.Errorf("%s = %s: x.py takes it: %v, x: %v", key, v, taken, err)
			}
		}
	}
}
