package targets_test

import (
	"testing"

	"x.go/targets"
)

func release(s string) targets.Release {
	r, err := targets.ParseRelease(s)
	if err != nil {
		panic(err)
	}
	return r
}

func triple(s string) targets.Triple {
	t, err := targets.ParseTriple(s)
	if err != nil {
		panic(err)
	}
	return t
}

var (
	linuxGNU  = triple("x86_64-unknown-linux-gnu")
	stable195 = targets.Compiler{Release: release("1.95.0"), Host: linuxGNU, LLDDefault: true}
)

func newest(t testing.TB) targets.Snapshot {
	t.Helper()
	s, ok := targets.Builtin().Newest("stable")
	if !ok {
		t.Fatal("no stable release is held")
	}
	return s
}
