package config

import (
	"fmt"
	"strconv"
	"strings"

	"x.go/bootstrap/toml"
	"x.go/targets"
)

// toTOML writes a decoded value as TOML on one line.
func toTOML(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case string:
		return tomlString(v)
	case OptLevel:
		return v.toml()
	case DebuginfoLevel:
		return tomlString(string(v))
	case LLDMode:
		if v == LLDModeNone {
			return "false"
		}
		return tomlString(string(v))
	case targets.Triple:
		return tomlString(v.String())
	case StringOrBool:
		if v.Text != "" {
			return tomlString(v.Text)
		}
		return strconv.FormatBool(v.Bool)
	case ChangeID:
		if v.Ignore {
			return `"ignore"`
		}
		return strconv.Itoa(v.ID)
	case []string:
		return tomlArray(v, tomlString)
	case []targets.Triple:
		return tomlArray(v, func(t targets.Triple) string { return tomlString(t.String()) })
	case map[string]string:
		return tomlTable(v)
	}
	panic(fmt.Sprintf("writing a %T as TOML: no such type of value", v))
}

func tomlArray[T any](list []T, one func(T) string) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = one(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func tomlTable(m map[string]string) string {
	var parts []string
	for _, k := range sortedKeys(m) {
		parts = append(parts, tomlKey(k)+" = "+tomlString(m[k]))
	}
	if parts == nil {
		return "{}"
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

// tomlKey quotes a key unless it can stand bare.
func tomlKey(k string) string { return string(toml.AppendKey(nil, k)) }

func tomlString(s string) string { return string(toml.AppendString(nil, s)) }
