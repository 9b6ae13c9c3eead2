package config

import (
	"fmt"

	"x.go/bootstrap/toml"
)

// OriginKind says which layer a value comes from. A greater kind wins over a
// smaller one.
type OriginKind uint8

// The layers, weakest first.
const (
	// OriginDefault is a built-in default, constant or computed.
	OriginDefault OriginKind = iota
	// OriginProfile is a profile file, chosen by the key profile.
	OriginProfile
	// OriginInclude is a file that the main file includes.
	OriginInclude
	// OriginFile is the main file, or x.toml.
	OriginFile
	// OriginSet is a --set option.
	OriginSet
	// OriginFlag is a flag of its own, such as --jobs.
	OriginFlag
)

// String returns the name of the layer.
func (k OriginKind) String() string {
	return [...]string{"default", "profile", "include", "file", "--set", "flag"}[k]
}

// Origin says where a value comes from.
type Origin struct {
	Kind OriginKind
	// Pos is the place in a file; zero for defaults, options and flags.
	Pos toml.Position
	// Detail is the key that a default was computed from, the profile's
	// name, the text of --set, or the flag's name.
	Detail string
}

// IsSet reports whether somebody chose the value, so that it is not a default.
func (o Origin) IsSet() bool { return o.Kind != OriginDefault }

// String returns the origin for people, such as "bootstrap.toml:3:1",
// "--set rust.lld=false" or "default (rust.channel)".
func (o Origin) String() string {
	switch o.Kind {
	case OriginDefault:
		if o.Detail != "" {
			return "default (" + o.Detail + ")"
		}
		return "default"
	case OriginProfile:
		return fmt.Sprintf("profile %s (%s)", o.Detail, o.Pos)
	case OriginInclude:
		return fmt.Sprintf("include %s", o.Pos)
	case OriginFile:
		return o.Pos.String()
	case OriginSet:
		return "--set " + o.Detail
	default:
		return o.Detail
	}
}
