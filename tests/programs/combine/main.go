// Command combine adds a component of one's own to an archive:
//
//	combine -name board-1.95.0-x86_64-unknown-linux-gnu ARCHIVE OUT
//
// OUT gets an archive that holds what ARCHIVE does, and the component "board" with
// a file that this program embeds.
package main

import (
	"context"
	"embed"
	"flag"
	"fmt"
	"os"

	"x.go/dist"
	"x.go/dist/archive"
)

// files are what the component installs.
//
//go:embed share
var files embed.FS

func main() {
	name := flag.String("name", "", "the `name` of the new archive")
	flag.Parse()
	if err := run(context.Background(), *name, flag.Arg(0), flag.Arg(1)); err != nil {
		fmt.Fprintln(os.Stderr, "combine:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name, from, out string) error {
	p, err := archive.ReadPackage(ctx, from, archive.ReadOptions{})
	if err != nil {
		return err
	}
	defer p.Close()
	own := dist.Component{Name: "board", BulkDirs: []string{"share/board"}}
	if err := own.Image.AddFS("", files, nil); err != nil {
		return err
	}
	p.Name = name
	p.Components = append(p.Components, own)
	artifacts, err := archive.Writer{Formats: []archive.Format{archive.XZ}}.Write(ctx, out, p.Package)
	if err != nil {
		return err
	}
	fmt.Println(artifacts[0].Name)
	return nil
}
