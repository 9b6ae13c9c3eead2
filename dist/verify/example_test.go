package verify_test

import (
	"context"
	"fmt"
	"os"

	"x.go/dist/verify"
)

// A release job verifies the directory that it is about to publish.
func ExampleRun() {
	report, err := verify.Run(context.Background(), verify.Options{
		Inputs: []string{"testdata/none"},
		Expect: verify.ExpectLLD,
		Groups: []verify.Group{verify.Static, verify.Link, verify.Channel},
	})
	if err != nil {
		fmt.Println("trouble with this machine:", err)
		return
	}
	if err := report.WriteText(os.Stdout, false); err != nil {
		fmt.Println(err)
	}
	// Output:
	// FAIL input/readable: reading operand "testdata/none": no such file or directory
	// FAIL: 1 failed, 0 skipped, 1 passed
}

// One skip makes the whole a skip: what was not tested did not pass.
func ExampleReport_Status() {
	report := verify.Report{Checks: []verify.Check{
		{Name: "archive/readable", Status: verify.Pass},
		{Name: "link/default/links", Status: verify.Skip, Detail: "no C compiler"},
	}}
	fmt.Println(report.Status(), "-", report.Summary())
	// Output: SKIP - 0 failed, 1 skipped, 1 passed
}
