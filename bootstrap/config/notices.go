package config

import (
	"slices"
	"strings"
)

// Notices returns the warnings and notes of [Load] about a configuration that it
// accepts, and the keys that should not be written any more. If the release does not
// know the new name yet, the old one is right.
func (c Config) Notices() []Finding {
	out := slices.Clone(c.notices)
	for _, id := range sortedKeys(c.settings) {
		key, ok := LookupKey(id)
		if !ok || !key.Legacy || !c.IsSet(id) {
			continue
		}
		remedy := "remove it"
		if key.ReplacedBy != "" {
			if by, ok := LookupKey(key.ReplacedBy); ok && by.Since > MinorOf(c.release) {
				continue
			}
			remedy = "write " + strings.Replace(key.ReplacedBy, "*", NamedPart(id), 1)
		}
		out = append(out, Finding{Severity: Note, Place: c.Origin(id).String(), Key: id, Reason: key.Note, Remedy: remedy})
	}
	return out
}

// WithoutEffect lists the keys that are set and have no effect on archives,
// installation or the LLD decision, in the order of the schema.
func (c Config) WithoutEffect() []Finding {
	var out []Finding
	for _, t := range tables {
		for _, name := range c.sectionNames(t.section) {
			for _, key := range t.keys {
				id := realID(t.section, name, key.Name)
				if o := c.Origin(id); key.Effect == "" && o.IsSet() && o.Kind != OriginProfile && id != "change-id" {
					out = append(out, Finding{Severity: Note, Place: o.String(), Key: id, Reason: "it is accepted and has no effect on packaging"})
				}
			}
		}
	}
	return out
}
