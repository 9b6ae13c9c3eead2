package explain_test

import (
	"context"
	"fmt"

	"x.go/bootstrap/explain"
)

// The official compiler of x86_64-unknown-linux-gnu links with its own LLD,
// unless a linker's name drops it.
func ExampleLink() {
	compiler := explain.Options{Release: "1.95.0", Host: "x86_64-unknown-linux-gnu"}
	for _, args := range [][]string{nil, {"-Clinker=gcc"}} {
		a, err := explain.Link(context.Background(), compiler, explain.Question{Args: args})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q runs %s, LLD of the toolchain: %v\n", args, a.Decision.Linker, a.LLD == "toolchain")
		for _, w := range a.Ways {
			fmt.Println("  turns LLD", w.Turns, w.Flags, "stable:", w.Stable)
		}
	}
	// Output:
	// [] runs cc, LLD of the toolchain: true
	//   turns LLD off [-Clinker-features=-lld] stable: true
	//   turns LLD off [-Clink-arg=-fuse-ld=bfd] stable: true
	//   turns LLD off [-Clinker=gcc] stable: true
	//   turns LLD off [-Clinker-flavor=gnu-cc] stable: false
	// ["-Clinker=gcc"] runs gcc, LLD of the toolchain: false
	//   turns LLD on [-Clinker-features=+lld -Clink-self-contained=+linker] stable: false
	//   turns LLD on [-Clinker-features=+lld] stable: false
	//   turns LLD on [-Clink-arg=-fuse-ld=lld] stable: true
	//   turns LLD on [-Clinker=cc] stable: true
}
