package diff_test

import (
	"fmt"

	"x.go/dist/diff"
)

// Differences that are intended are written down with their reasons.
func ExampleParseAllow() {
	allow, err := diff.ParseAllow([]byte("only-in-b share/doc/rust/licenses/* # two new licences\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s %s: %s\n", allow[0].Kind, allow[0].Pattern, allow[0].Reason)
	// Output: only-in-b share/doc/rust/licenses/*: two new licences
}
