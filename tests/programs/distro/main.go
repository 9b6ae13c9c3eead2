// Command distro is a distribution's own packaging tool, written on package
// bootstrap:
//
//	distro -sysroot /usr/lib/rust-1.95 -destdir debian/tmp COMPONENT...
//
// It writes the archives and the channel of the components to build/dist, and
// installs them into the staging directory, by the bootstrap.toml of the current
// directory.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"x.go/bootstrap"
)

func main() {
	sysroot := flag.String("sysroot", "", "the input `toolchain`")
	destdir := flag.String("destdir", "", "the staging `directory`")
	flag.Parse()
	if err := run(context.Background(), *sysroot, *destdir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "distro:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, sysroot, destdir string, components []string) error {
	b, err := bootstrap.Open(ctx, bootstrap.Options{Sysroots: []string{sysroot}})
	if err != nil {
		return err
	}
	defer b.Close()
	selection, err := b.Select(components...)
	if err != nil {
		return err
	}
	done, err := b.Dist(ctx, selection)
	if err != nil {
		return err
	}
	for _, a := range done.Archives {
		fmt.Println(a.SHA256, a.Name)
	}
	dirs := b.InstallDirs()
	if dirs.DestDir, err = filepath.Abs(destdir); err != nil {
		return err
	}
	_, err = b.Install(ctx, selection, dirs)
	return err
}
