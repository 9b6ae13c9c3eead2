// Command x turns a Rust toolchain and a bootstrap.toml into dist archives and
// a channel, and proves from the archives alone which linker they link with.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"x.go/bootstrap/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := cli.Main(ctx, os.Args[1:], cli.OS())
	os.Exit(code)
}
