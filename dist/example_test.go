package dist_test

import (
	"fmt"
	"log"
	"testing/fstest"

	"x.go/dist"
)

// An image takes files from memory, from disk or from any file system. Rules say
// what must be in it before it is written to an archive.
func Example() {
	var img dist.Image
	if err := img.AddBytes("bin/tool", []byte("#!/bin/sh\n"), dist.ModeFile); err != nil {
		log.Fatal(err)
	}
	docs := fstest.MapFS{
		"tool.html":    {Data: []byte("<h1>tool</h1>\n")},
		"img/logo.svg": {Data: []byte("<svg/>\n")},
	}
	if err := img.AddFS("share/doc/tool", docs, nil); err != nil {
		log.Fatal(err)
	}
	for e := range img.Entries() {
		fmt.Println(e.Mode, e.Size, e.Name)
	}
	rules := []dist.Rule{
		{Glob: "bin/*", Demand: dist.Executable, Why: "it is a program"},
		{Glob: "share/man/**", Demand: dist.Present},
		{Glob: "**/*.svg", Demand: dist.Absent, Why: "ship PNG files"},
	}
	for _, finding := range dist.Check(img, rules) {
		fmt.Println(finding)
	}
	// Output:
	// -rw-r--r-- 10 bin/tool
	// -rw-r--r-- 7 share/doc/tool/img/logo.svg
	// -rw-r--r-- 14 share/doc/tool/tool.html
	// "bin/tool" is not executable: got mode -rw-r--r--, want -rwxr-xr-x: it is a program
	// "share/man/**" is missing
	// "share/doc/tool/img/logo.svg" must not be there: ship PNG files
}
