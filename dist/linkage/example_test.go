package linkage_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"x.go/dist/linkage"
)

// The newest floor of some programs is the oldest glibc that runs all of them.
func ExampleCompareGlibc() {
	floors := []string{"2.17", "2.4", "", "2.2.5"}
	fmt.Println(slices.MaxFunc(floors, linkage.CompareGlibc))
	// Output: 2.17
}

// LLD signs what it links. The order of the sections still tells when strip has
// removed that mark, but it proves less: Linker is then unknown.
func ExampleReadFile() {
	for _, name := range []string{"lld.so", "lld-nocomment.so"} {
		info, err := linkage.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: %s for %s, linker %s %q, layout of %s\n", name, info.Kind, info.Machine, info.Linker, info.LinkerVersion, info.Layout)
	}
	// Output:
	// lld.so: shared for EM_X86_64, linker LLD "22.1.2", layout of LLD
	// lld-nocomment.so: shared for EM_X86_64, linker unknown "", layout of LLD
}

// A program that reads archives has its files in memory. Most of them are no ELF.
func ExampleRead() {
	library, err := os.ReadFile(filepath.Join("testdata", "mold.so"))
	if err != nil {
		fmt.Println(err)
		return
	}
	info, err := linkage.Read(bytes.NewReader(library))
	fmt.Println(info.Linker, err)
	_, err = linkage.Read(strings.NewReader("#!/bin/sh\n"))
	fmt.Println(errors.Is(err, linkage.ErrNotELF))
	// Output:
	// mold <nil>
	// true
}
