package lld

import (
	"fmt"

	"x.go/bootstrap/config"
)

// Difference is a fact about linking on which two configurations differ.
type Difference struct {
	// What names the fact: "LLD shipped", "default linker on <host>".
	What          string
	Before, After string
	// Remedy keeps the old state, where a key can.
	Remedy string
}

// Compare returns what two configurations decide differently, each by the rules of
// its own release. channel replaces rust.channel in both, if not empty.
func Compare(before, after config.Config, channel string) []Difference {
	old, oldErr := Decide(before, Facts{Channel: channel})
	now, nowErr := Decide(after, Facts{Channel: channel})
	was, is := old.Wanted, now.Wanted
	var out []Difference
	add := func(what, a, b, remedy string) {
		if a != b {
			out = append(out, Difference{what, a, b, remedy})
		}
	}
	add("configuration", accepted(oldErr), accepted(nowErr), "")
	if oldErr != nil || nowErr != nil {
		return out
	}
	add("LLD shipped", fmt.Sprint(was.Shipped), fmt.Sprint(is.Shipped), fmt.Sprintf("rust.lld = %t keeps it", was.Shipped))
	for _, h := range is.Hosts {
		remedy := ""
		if h.Default == DefaultSelfContainedLLD {
			remedy = fmt.Sprintf("target.%s.%s = \"off\" keeps it", h.Host, linkerOption)
		}
		add("default linker on "+h.Host.String(), string(was.Default[h.Host]), string(h.Default), remedy)
	}
	add("LLD while building", string(was.UsedWhileBuilding), string(is.UsedWhileBuilding), "")
	return out
}

func accepted(err error) string {
	if err == nil {
		return "accepted"
	}
	return "refused: " + err.Error()
}
