package verify_test

import (
	"os"
	"testing"

	"x.go/dist/verify"
)

// verifyAll runs every group but the real client's, with the tests' own tools
// unless opts say otherwise.
func verifyAll(t *testing.T, opts verify.Options) verify.Report {
	t.Helper()
	opts.TempDir = t.TempDir()
	if opts.SearchPath == "" {
		opts.SearchPath = os.Getenv("PATH")
	}
	report, err := verify.Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Checks {
		if c.Status != verify.Pass {
			t.Logf("%s %s %s: %s", c.Status, c.Name, c.Subject, c.Detail)
		}
	}
	return report
}
