package targets_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"x.go/targets"
)

// plainFile is a target's file with what it must have, and the change that a test
// wants.
func plainFile(field, value string) []byte {
	fields := map[string]json.RawMessage{
		"llvm-target": json.RawMessage(`"x86_64-unknown-none"`), "data-layout": json.RawMessage(`"e-m:e"`), "arch": json.RawMessage(`"x86_64"`),
		"target-pointer-width": json.RawMessage(`64`), "linker-flavor": json.RawMessage(`"gnu-lld-cc"`),
	}
	switch {
	case value == "-":
		delete(fields, field)
	case field != "":
		fields[field] = json.RawMessage(value)
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return data
}

func TestParseSpecFile(t *testing.T) {
	for _, tt := range []struct{ field, value, release, want string }{
		{"", "", "1.95.0", ""},
		{"target-pointer-width", `"64"`, "1.95.0", "target-pointer-width: invalid type: string \"64\", expected u16"},
		{"target-pointer-width", `"64"`, "1.90.0", ""},
		{"target-pointer-width", `-1`, "1.95.0", "target-pointer-width: invalid value: integer `-1`, expected u16"},
		{"target-pointer-width", `64.0`, "1.95.0", "invalid type: floating point `64.0`, expected u16"},
		{"target-pointer-width", `63`, "1.95.0", "target specification was invalid: unrecognized target-pointer-width 63"},
		{"arch", "-", "1.95.0", "missing field `arch`"},
		{"arch", "null", "1.95.0", "arch: invalid type: null, expected a string"},
		{"os", "null", "1.95.0", ""},
		{"is-builtin", "true", "1.95.0", "is-builtin: unknown field `is-builtin`"},
		{"is-builtin", "true", "1.85.0", ""},
		{"unsupported-cpus", `["a"]`, "1.95.0", "unknown field"},
		{"unsupported-cpus", `["a"]`, "1.97.0-nightly", ""},
		{"executables", `"true"`, "1.95.0", "executables: invalid type: string \"true\", expected a boolean"},
		{"panic-strategy", `"abortt"`, "1.95.0", "panic-strategy: invalid value \"abortt\""},
		{"features", `["+x"]`, "1.95.0", "features: invalid type: sequence, expected a string"},
		{"target-family", `"unix"`, "1.95.0", ""},
		{"target-family", `["unix"]`, "1.95.0", ""},
		{"target-family", `3`, "1.95.0", "target-family"},
		{"pre-link-args", `{"gcc": ["-m64"]}`, "1.95.0", ""},
		{"pre-link-args", `{"ggc": []}`, "1.95.0", "pre-link-args: invalid value \"ggc\""},
		{"link-env", `["A=B", 3]`, "1.95.0", "link-env: [1]: invalid type: integer `3`"},
		{"link-self-contained", `{"components": ["linker"]}`, "1.95.0", ""},
		{"link-self-contained", `{}`, "1.95.0", "missing field `components`"},
		{"stack-probes", `{"kind": "inline-or-call"}`, "1.95.0", "min-llvm-version-for-inline"},
		{"stack-probes", `true`, "1.95.0", "invalid type: boolean `true`"},
		{"metadata", `{"tier": "1"}`, "1.95.0", "metadata: tier: invalid type"},
		{"metadata", `{"other": "1"}`, "1.95.0", ""},
	} {
		r, err := targets.ParseRelease(tt.release)
		if err != nil {
			t.Fatal(err)
		}
		s, err := targets.ParseSpecFile("mine", plainFile(tt.field, tt.value), r)
		switch _, refused := errors.AsType[*targets.RefusedFile](err); {
		case tt.want == "" && err != nil:
			t.Errorf("%s = %s for %s: got %v", tt.field, tt.value, r, err)
		case tt.want == "" && s.Triple.String() != "mine":
			t.Errorf("%s = %s: got the name %q", tt.field, tt.value, s.Triple)
		case tt.want != "" && (!refused || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s = %s for %s: got %v, want …%s…", tt.field, tt.value, r, err, tt.want)
		}
	}
}

// TestSpecFileText has what is no object of different fields.
func TestSpecFileText(t *testing.T) {
	r, err := targets.ParseRelease("1.95.0")
	if err != nil {
		t.Fatal(err)
	}
	good := string(plainFile("", ""))
	for text, taken := range map[string]bool{
		good: true, good + "x": true, good + good: true,
		"": false, "[]": false, "null": false, good[:len(good)-1]: false, `{"arch": }`: false,
		good[:len(good)-1] + `, "arch": "x86_64"}`: false,
	} {
		if _, err := targets.ParseSpecFile("mine", []byte(text), r); (err == nil) != taken {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

// TestBuiltinSpecFiles writes rustc's own targets as files: rustc takes them.
func TestBuiltinSpecFiles(t *testing.T) {
	for _, r := range targets.Builtin().Releases() {
		s, _, err := targets.Builtin().At(r)
		if err != nil {
			t.Fatal(err)
		}
		for spec := range s.All() {
			if _, err := targets.ParseSpecFile(spec.Triple.String(), spec.JSON(), r); err != nil {
				t.Errorf("%s of %s: %v", spec.Triple, r, err)
			}
		}
	}
}
