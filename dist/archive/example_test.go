package archive_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"x.go/dist"
	"x.go/dist/archive"
)

// writeTool writes the gz and xz archives of a small package to dir.
func writeTool(ctx context.Context, dir string) []archive.Artifact {
	var image, overlay dist.Image
	err := errors.Join(
		image.AddBytes("bin/tool", []byte("#!/bin/sh\n"), dist.ModeExec),
		image.AddBytes("share/doc/tool/README", []byte("A tool.\n"), dist.ModeFile),
		overlay.AddBytes("version", []byte("1.0\n"), dist.ModeFile),
	)
	if err != nil {
		log.Fatal(err)
	}
	pkg := dist.Package{
		Name:       "tool-1.0",
		Components: []dist.Component{{Name: "tool", Image: image}},
		Overlay:    overlay,
		Product:    "Tool",
	}
	artifacts, err := archive.Writer{}.Write(ctx, dir, pkg)
	if err != nil {
		log.Fatal(err)
	}
	return artifacts
}

func tempDir() string {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

// A package becomes archives. A scan judges one of them, and ReadPackage reads it
// back: its files can be read, changed and written again.
func Example() {
	dir, ctx := tempDir(), context.Background()
	defer os.RemoveAll(dir)
	artifacts := writeTool(ctx, dir)
	for _, a := range artifacts {
		fmt.Println("wrote", a.Name)
	}

	path := artifacts[0].Path
	facts, err := archive.Scan(ctx, path, archive.ScanOptions{})
	if err != nil {
		log.Fatal(err)
	}
	layout := facts.Layout()
	fmt.Println(facts.Format, len(facts.Members), "members, components", layout.Components)
	fmt.Println("problems:", len(facts.List)+len(layout.List))

	pkg, err := archive.ReadPackage(ctx, path, archive.ReadOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer pkg.Close()
	fmt.Println(pkg.Name, pkg.Product, pkg.Version)
	for _, c := range pkg.Components {
		for e := range c.Image.Entries() {
			fmt.Println(c.Name, e.Mode, e.Size, e.Name)
		}
	}
	// Output:
	// wrote tool-1.0.tar.gz
	// wrote tool-1.0.tar.xz
	// gz 13 members, components [tool]
	// problems: 0
	// tool-1.0 Tool 1.0
	// tool -rwxr-xr-x 10 bin/tool
	// tool -rw-r--r-- 8 share/doc/tool/README
}

// A Reader is a stream of members, as those of archive/tar are, and refuses what a
// stranger's archive should not hold.
func ExampleOpen() {
	dir, ctx := tempDir(), context.Background()
	defer os.RemoveAll(dir)
	r, err := archive.Open(writeTool(ctx, dir)[0].Path, archive.Limits{Unpacked: 1 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer r.Close()
	for {
		m, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		if m.Name == "tool-1.0/components" {
			text, err := io.ReadAll(r)
			fmt.Printf("%s: %q, %v\n", m.Name, text, err)
		}
	}
	// Output:
	// tool-1.0/components: "tool\n", <nil>
}

// Unpack without the top directory, as rustup does.
func ExampleUnpack() {
	dir, ctx := tempDir(), context.Background()
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "out")
	err := archive.Unpack(ctx, writeTool(ctx, dir)[1].Path, out, archive.UnpackOptions{StripTop: true})
	if err != nil {
		log.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(out, "tool", "*"))
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range names {
		fmt.Println(filepath.Base(name))
	}
	// Output:
	// bin
	// manifest.in
	// share
}
