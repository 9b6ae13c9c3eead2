package targets_test

import (
	"errors"
	"fmt"

	"x.go/targets"
)

// A target depends on the compiler: the same one links with LLD by default if
// the compiler was built to.
func ExampleSnapshot_Find() {
	s, _ := targets.Builtin().Newest("stable")
	info := s.Info()
	for _, lld := range []bool{true, false} {
		c := targets.Compiler{Release: info.Release, Host: info.Host, LLDDefault: lld}
		spec, err := s.Find(c, "aarch64-unknown-linux-gnu")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(spec.Triple, spec.Flavor, spec.SelfContained, "LLD:", spec.Flavor.UsesLLD())
	}

	_, err := s.Find(targets.Compiler{}, "x86_64-unknwon-linux-gnu")
	if unknown, ok := errors.AsType[*targets.UnknownTargetError](err); ok {
		fmt.Println("no", unknown.Name, "but", unknown.Nearest()[0])
	}
	// Output:
	// aarch64-unknown-linux-gnu gnu-lld-cc [linker] LLD: true
	// aarch64-unknown-linux-gnu gnu-cc false LLD: false
	// no x86_64-unknwon-linux-gnu but x86_64-unknown-linux-gnu
}
