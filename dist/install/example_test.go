package install_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"x.go/dist"
	"x.go/dist/install"
)

// Install a component into a prefix. A second run upgrades it and removes what is
// no longer there.
func ExampleRun() {
	prefix, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(prefix)
	run := func(programs ...string) {
		var image dist.Image
		for _, name := range programs {
			if err := image.AddBytes("bin/"+name, []byte("#!/bin/sh\n"), dist.ModeExec); err != nil {
				log.Fatal(err)
			}
		}
		components := []dist.Component{{Name: "tools", Image: image}}
		done, err := install.Run(context.Background(), install.Options{Prefix: prefix, Bindir: "sbin"}, components)
		if err != nil {
			log.Fatal(err)
		}
		for _, path := range done.Files {
			fmt.Println("wrote", relative(prefix, path))
		}
		for _, path := range done.Removed {
			fmt.Println("removed", relative(prefix, path))
		}
	}
	run("cut", "drill")
	run("cut", "saw")
	record, err := os.ReadFile(filepath.Join(prefix, "lib/rustlib/components"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("installed components: %s", record)
	// Output:
	// wrote sbin/cut
	// wrote sbin/drill
	// wrote sbin/cut
	// wrote sbin/saw
	// removed sbin/drill
	// installed components: tools
}

// Uninstall what is installed. A file that somebody has put there since stays.
func ExampleUninstall() {
	prefix, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(prefix)
	var image dist.Image
	if err := image.AddBytes("share/doc/tools/index.html", []byte("<p>"), dist.ModeFile); err != nil {
		log.Fatal(err)
	}
	components := []dist.Component{{Name: "docs", Image: image, BulkDirs: []string{"share/doc/tools"}}}
	opts := install.Options{Prefix: prefix}
	if _, err := install.Run(context.Background(), opts, components); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(prefix, "share/doc/tools/notes"), nil, 0o644); err != nil {
		log.Fatal(err)
	}
	done, err := install.Uninstall(context.Background(), opts)
	if err != nil {
		log.Fatal(err)
	}
	left, err := os.ReadDir(filepath.Join(prefix, "share/doc/tools"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Components, len(done.Removed), "removed,", left[0].Name(), "left")
	// Output: [docs] 1 removed, notes left
}

func relative(base, path string) string {
	rel, err := filepath.Rel(base, path)
	if err != nil {
		log.Fatal(err)
	}
	return filepath.ToSlash(rel)
}
