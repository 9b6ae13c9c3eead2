package lld_test

import (
	"fmt"

	"x.go/bootstrap/config"
	"x.go/bootstrap/lld"
	"x.go/targets"
)

// Without a configuration file, LLD is shipped for x86_64-unknown-linux-gnu and is
// its default linker. rust.lld = false overrides a compiler built to link with it.
func ExampleDecide() {
	host, err := targets.ParseTriple("x86_64-unknown-linux-gnu")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, sets := range [][]string{nil, {"rust.lld=false"}} {
		c, err := config.Load(config.Source{Host: host, Sets: sets})
		if err != nil {
			fmt.Println(err)
			return
		}
		// A compiler of rust-lang.org, which was built to link with LLD.
		official := lld.Toolchain{Host: host, Linux: true, Baked: true, RustLLD: true, Wrappers: true}
		d, err := lld.Decide(c, lld.Facts{Toolchain: &official})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("shipped: %t, default: %t, gcc-ld: %s\n", d.Outcome.Shipped, d.Outcome.Default, d.Outcome.Wrapper)
		fmt.Println("  because", d.Wanted.Reason)
		for _, f := range d.Findings {
			fmt.Println(" ", f)
		}
	}
	// Output:
	// shipped: true, default: true, gcc-ld: kept
	//   because x86_64-unknown-linux-gnu is in build.host and its default linker is LLD
	// shipped: false, default: false, gcc-ld: shim
	//   because rust.lld = false by --set rust.lld=false
	//   lld.baked-default: note: the compiler was built to link with LLD by default, but rust.lld = false by --set rust.lld=false: gcc-ld will run the system linker
}
