package verify_test

import (
	"context"
	"fmt"
	"os"
	"slices"

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
	// FAIL: 1 failed, 0 skipped, 0 passed
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

// A report counts its checks by status, as the last line of its text does.
func ExampleReport_Count() {
	report := verify.Report{Checks: []verify.Check{
		{Name: "archive/readable", Subject: "rustc.tar.xz", Status: verify.Pass},
		{Name: "archive/readable", Subject: "cargo.tar.xz", Status: verify.Fail, Detail: "unexpected EOF"},
	}}
	fmt.Println(report.Count(verify.Fail), "of", len(report.Checks), "failed")
	// Output: 1 of 2 failed
}

// The catalogue documents the checks that a report may hold.
func ExampleCatalogue() {
	for _, c := range verify.Catalogue() {
		if c.Group == verify.Client {
			fmt.Printf("%s: %s\n", c.Name, c.What)
		}
	}
	// Output:
	// client/install: rustup installs each profile into an empty home, and the result links
	// client/component-add: rustup adds every component that is offered
	// client/component-remove: rustup removes it again and leaves none of its files
	// client/target-add: rustup adds and removes a target
	// client/update: rustup updates from a manifest of an earlier date
}

// A machine without a cross compiler can still run all other link legs.
func ExampleLegNames() {
	legs := slices.DeleteFunc(verify.LegNames(), func(name string) bool { return name == "cross" })
	opts := verify.Options{Groups: []verify.Group{verify.Link}, Legs: legs}
	fmt.Println(opts.Legs)
	// Output: [default opt-out system-lld no-system-lld cdylib staticlib encapsulation-symbols lto cargo old-driver]
}
