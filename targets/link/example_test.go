package link_test

import (
	"fmt"

	"x.go/targets"
	"x.go/targets/link"
)

// The official compiler of x86_64-unknown-linux-gnu links with LLD. The stable
// flag that turns this off is taken for that one target only.
func ExampleDecide() {
	s, _ := targets.Builtin().Newest("stable")
	info := s.Info()
	c := targets.Compiler{Release: info.Release, Host: info.Host, LLDDefault: targets.DefaultLLD(info.Release, info.Host)}
	for _, name := range []string{"x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"} {
		target, err := targets.ParseTriple(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, args := range [][]string{nil, {"-Clinker-features=-lld"}} {
			q, err := link.NewQuery(s, c, target, args)
			if err != nil {
				fmt.Println(err)
				return
			}
			d := link.Decide(q)
			fmt.Printf("%s %q: exit %d, linker %q, LLD %v, rule %s\n", target, args, d.Exit, d.Linker, d.UsesLLD(), d.Rule)
		}
	}
	// Output:
	// x86_64-unknown-linux-gnu []: exit 0, linker "cc", LLD true, rule target-flavor
	// x86_64-unknown-linux-gnu ["-Clinker-features=-lld"]: exit 0, linker "cc", LLD false, rule target-flavor
	// aarch64-unknown-linux-gnu []: exit 0, linker "cc", LLD true, rule target-flavor
	// aarch64-unknown-linux-gnu ["-Clinker-features=-lld"]: exit 1, linker "", LLD false, rule unstable-on-target
}
