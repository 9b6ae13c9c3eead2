package link_test

import (
	"testing"

	"x.go/targets"
)

func version(s string) targets.Release {
	r, err := targets.ParseRelease(s)
	if err != nil {
		panic(err)
	}
	return r
}

func named(s string) targets.Triple {
	t, err := targets.ParseTriple(s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	x64    = named("x86_64-unknown-linux-gnu")
	stable = targets.Compiler{Release: version("1.95.0"), Host: x64, LLDDefault: true}
)

func stableTargets(t testing.TB) targets.Snapshot {
	t.Helper()
	s, ok := targets.Builtin().Newest("stable")
	if !ok {
		t.Fatal("no stable release is held")
	}
	return s
}
