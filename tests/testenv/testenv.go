// Package testenv says what a test needs of the machine. A test whose need is
// missing is skipped visibly; X_TEST_STRICT=1 turns each such skip into a
// failure, so that CI cannot pass by testing nothing. Without real toolchains, as
// with -short, tests take seconds.
package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
)

// strict reports whether X_TEST_STRICT asks that a missing tool fail the test.
func strict() bool {
	v := os.Getenv("X_TEST_STRICT")
	return v != "" && v != "0"
}

// toolchain are the programs that a run with -short leaves out, since what they
// do takes seconds.
var toolchain = []string{"cargo", "cc", "gcc", "rustc", "rustup"}

// Need returns the path of the program name, or ends the test if PATH has none.
func Need(t testing.TB, name string) string {
	t.Helper()
	if !isolated {
		t.Fatalf("looking for program %q: TestMain of this package must call testenv.Main", name)
	}
	if slices.Contains(toolchain, name) {
		Long(t, "it runs "+name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "program %q: %v", name, err)
	}
	return path
}

// OnDemand is [Need] for a program that takes minutes to install: without it the test is
// skipped, visibly, unless the environment has the variable.
func OnDemand(t testing.TB, name, variable string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil && os.Getenv(variable) == "" {
		t.Skipf("missing program %q, and no %s asks for it", name, variable)
	}
	return Need(t, name)
}

// Lacks reports whether a script has to do without the program name. That is an error
// when strict.
func Lacks(name string) (bool, error) {
	if testing.Short() && slices.Contains(toolchain, name) {
		return true, nil
	}
	_, err := exec.LookPath(name)
	if err != nil && strict() {
		return false, fmt.Errorf("X_TEST_STRICT: missing program %q: %w", name, err)
	}
	return err != nil, nil
}

// Long ends the test with a visible skip if -short asks for quick tests only; why
// says what takes long. Without -short the test runs, strict or not: the
// machine lacks nothing.
func Long(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skipf("left out by -short: %s", why)
	}
}

// Missing ends the test because the machine lacks something: a skip, or a
// failure when strict.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if strict() {
		t.Fatalf("X_TEST_STRICT: missing "+format, args...)
	}
	t.Skipf("missing "+format, args...)
}
