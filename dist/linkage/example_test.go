package linkage_test

import (
	"fmt"
	"slices"

	"x.go/dist/linkage"
)

// The newest floor of some programs is the oldest glibc that runs all of them.
func ExampleCompareGlibc() {
	floors := []string{"2.17", "2.4", "", "2.2.5"}
	fmt.Println(slices.MaxFunc(floors, linkage.CompareGlibc))
	// Output: 2.17
}
