package bootstrap_test

import (
	"context"
	"fmt"

	"x.go/bootstrap"
	"x.go/bootstrap/config"
)

// A distribution's own tool writes archives without LLD and fills a staging
// directory, as `x dist` and `x install` do.
func ExampleOpen() {
	build := func(ctx context.Context, sysroot, destdir string) error {
		b, err := bootstrap.Open(ctx, bootstrap.Options{
			Sysroots: []string{sysroot},
			Config:   config.Source{Sets: []string{"rust.lld=false", "install.prefix=/usr"}},
		})
		if err != nil {
			return err
		}
		defer b.Close()
		everything, err := b.Select()
		if err != nil {
			return err
		}
		if _, err := b.Dist(ctx, everything); err != nil {
			return err
		}
		dirs := b.InstallDirs()
		dirs.DestDir = destdir
		_, err = b.Install(ctx, everything, dirs)
		return err
	}
	fmt.Println(build(context.Background(), "/usr/lib/no-rust", "/tmp/staged"))
	// Output: opening sysroot "/usr/lib/no-rust": no such file or directory
}
