// Command ci is a CI service that judges a dist directory:
//
//	ci -sysroot /usr/lib/rust-1.95 build/dist -Clinker-features=-lld
//
// It prints one JSON object: the verdict of package verify on the directory, and
// which linker the toolchain runs with the flags, as package explain has it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"

	"x.go/bootstrap/explain"
	"x.go/dist/verify"
)

func main() {
	sysroot := flag.String("sysroot", "", "the `toolchain` that the flags are for")
	flag.Parse()
	if err := run(context.Background(), *sysroot, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "ci:", err)
		os.Exit(1)
	}
}

// verdict is the answer.
type verdict struct {
	Status verify.Status  `json:"status"`
	Failed []verify.Check `json:"failed"`
	Link   explain.Answer `json:"link"`
}

func run(ctx context.Context, sysroot string, args []string) error {
	if len(args) == 0 {
		return errors.New("got no arguments, want DIST and flags of rustc")
	}
	// Static checks run nothing of what they judge.
	report, err := verify.Run(ctx, verify.Options{Inputs: args[:1], Groups: []verify.Group{verify.Static}})
	if err != nil {
		return err
	}
	v := verdict{Status: report.Status(), Failed: report.Failed()}
	if v.Link, err = explain.Link(ctx, explain.Options{Sysroot: sysroot}, explain.Question{Args: args[1:]}); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(v)
}
