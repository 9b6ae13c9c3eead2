package archive_test

import (
	"context"
	"fmt"
	"os"

	"x.go/dist"
	"x.go/dist/archive"
)

// An archive becomes a package again, whose files can be read, changed and
// written anew.
func ExampleReadPackage() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	var tool dist.Image
	if err := tool.AddBytes("bin/tool", []byte("#!/bin/sh\n"), dist.ModeExec); err != nil {
		fmt.Println(err)
		return
	}
	written := dist.Package{Name: "tool-1.0", Components: []dist.Component{{Name: "tool", Image: tool}}}
	ctx := context.Background()
	artifacts, err := archive.Writer{}.Write(ctx, dir, written)
	if err != nil {
		fmt.Println(err)
		return
	}

	p, err := archive.ReadPackage(ctx, artifacts[0].Path, archive.ReadOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer p.Close()
	for _, c := range p.Components {
		for e := range c.Image.Entries() {
			fmt.Println(p.Name, c.Name, e.Mode, e.Name, e.Size)
		}
	}
	// Output: tool-1.0 tool -rwxr-xr-x bin/tool 10
}
