package config

import (
	"testing"

	"x.go/targets"
)

func BenchmarkBuiltinRegistry(b *testing.B) {
	for b.Loop() {
		targets.Builtin()
	}
}
