package targets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// RefusedFile is the error for a target's file that rustc does not take. It is
// worded like the first line of rustc's message, without the place in the file and
// the lists of what could stand there.
type RefusedFile struct{ Message string }

// Error implements [error].
func (e *RefusedFile) Error() string { return e.Message }

func refuse(format string, args ...any) error {
	return &RefusedFile{"error loading target specification: " + fmt.Sprintf(format, args...)}
}

// schemaSince is the first release that checks every field of a target's file
// (rust-lang/rust#144443). Older ones took numbers as text, and passed over unknown
// fields and most wrong types.
var schemaSince = Release{major: 1, minor: 91, pre: "dev"}

// fieldCheck says what is wrong with the value of a field; "" for nothing.
type fieldCheck func(v any) string

// checkFile holds a target's file against the fields that a release knows:
// TargetSpecJson of rustc_target/src/spec/json.rs.
func checkFile(data []byte, r Release) error {
	fields, err := decodeFile(data)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		check, ok := fileFields[name]
		if since, dated := fieldsSince[name]; !ok || dated && r.Compare(since) < 0 {
			return refuse("%s: unknown field `%s`", name, name)
		}
		if fields[name] == nil && !slices.Contains(requiredFields, name) {
			continue // null is no value
		}
		if wrong := check(fields[name]); wrong != "" {
			return refuse("%s: %s", name, wrong)
		}
	}
	for _, name := range requiredFields {
		if _, ok := fields[name]; !ok {
			return refuse("missing field `%s`", name)
		}
	}
	if width := fmt.Sprint(fields["target-pointer-width"]); width != "16" && width != "32" && width != "64" {
		return &RefusedFile{"target specification was invalid: unrecognized target-pointer-width " + width}
	}
	return nil
}

// decodeFile reads one object, as serde does: a field can stand there once, and what
// follows the object is not read.
func decodeFile(data []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, refuse("want a JSON object")
	}
	fields := map[string]any{}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, refuse("%v", err)
		}
		var v any
		if err := dec.Decode(&v); err != nil {
			return nil, refuse("%v", err)
		}
		if _, twice := fields[name.(string)]; twice {
			return nil, refuse("duplicate field `%s`", name)
		}
		fields[name.(string)] = v
	}
	if _, err := dec.Token(); err != nil {
		return nil, refuse("%v", err)
	}
	return fields, nil
}

// serdeName describes a value as serde does.
func serdeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("boolean `%t`", v)
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return fmt.Sprintf("floating point `%s`", v)
		}
		return fmt.Sprintf("integer `%s`", v)
	case string:
		return fmt.Sprintf("string %.60q", v)
	case []any:
		return "sequence"
	}
	return "map"
}

func wrongType(v any, want string) string {
	return "invalid type: " + serdeName(v) + ", expected " + want
}

func isText(v any) string {
	if _, ok := v.(string); !ok {
		return wrongType(v, "a string")
	}
	return ""
}

func isBoolean(v any) string {
	if _, ok := v.(bool); !ok {
		return wrongType(v, "a boolean")
	}
	return ""
}

// unsigned checks a number of some bits.
func unsigned(bits int) fieldCheck {
	return func(v any) string {
		want := "u" + strconv.Itoa(bits)
		n, ok := v.(json.Number)
		if !ok || strings.ContainsAny(string(n), ".eE") {
			return wrongType(v, want)
		}
		if _, err := strconv.ParseUint(string(n), 10, bits); err != nil {
			return "invalid value: " + serdeName(v) + ", expected " + want
		}
		return ""
	}
}

// oneOf checks a word among some, which are separated by blanks.
func oneOf(words string) fieldCheck {
	allowed := strings.Fields(words)
	return func(v any) string {
		text, ok := v.(string)
		switch {
		case !ok:
			return isText(v)
		case !slices.Contains(allowed, text):
			return fmt.Sprintf("invalid value %.60q. allowed values: '%s'", text, strings.Join(allowed, "', '"))
		}
		return ""
	}
}

func listOf(item fieldCheck) fieldCheck {
	return func(v any) string {
		list, ok := v.([]any)
		if !ok {
			return wrongType(v, "a sequence")
		}
		for i, v := range list {
			if wrong := item(v); wrong != "" {
				return fmt.Sprintf("[%d]: %s", i, wrong)
			}
		}
		return ""
	}
}

// mapOf checks an object's keys and values.
func mapOf(key, item fieldCheck) fieldCheck {
	return func(v any) string {
		m, ok := v.(map[string]any)
		if !ok {
			return wrongType(v, "a map")
		}
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if wrong := key(name); wrong != "" {
				return wrong
			}
			if wrong := item(m[name]); wrong != "" {
				return name + ": " + wrong
			}
		}
		return ""
	}
}

// recordOf checks some keys of an object, and passes over others.
func recordOf(fields map[string]fieldCheck, required ...string) fieldCheck {
	return func(v any) string {
		m, ok := v.(map[string]any)
		if !ok {
			return wrongType(v, "a map")
		}
		for _, name := range required {
			if m[name] == nil {
				return "missing field `" + name + "`"
			}
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if m[name] == nil {
				continue
			}
			if wrong := fields[name](m[name]); wrong != "" {
				return name + ": " + wrong
			}
		}
		return ""
	}
}

func isFamilies(v any) string {
	if _, ok := v.(string); ok {
		return ""
	}
	return listOf(isText)(v)
}

func isThreshold(v any) string {
	text, ok := v.(string)
	if !ok {
		return isText(v)
	}
	if text != "none" && text != "default-for-arch" && !strings.HasPrefix(text, "llvm-module-flag=") && !strings.HasPrefix(text, "llvm-arg=") {
		return fmt.Sprintf("'%s' is not a valid value for small-data-threshold-support.", text)
	}
	return ""
}

func isStackProbes(v any) string {
	probe := recordOf(map[string]fieldCheck{
		"kind":                        oneOf("none inline call inline-or-call"),
		"min-llvm-version-for-inline": listOf(unsigned(32)),
	}, "kind")
	if wrong := probe(v); wrong != "" {
		return wrong
	}
	if m := v.(map[string]any); m["kind"] == "inline-or-call" && m["min-llvm-version-for-inline"] == nil {
		return "missing field `min-llvm-version-for-inline`"
	}
	return ""
}
