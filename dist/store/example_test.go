package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"x.go/dist/store"
)

// One of two writers wins, and the other learns of it.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	s, err := store.Open(ctx, dir)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	const name = "dist/2026-04-16/channel-rust-stable-date.txt"
	for range 2 {
		err := s.Put(ctx, name, store.Bytes([]byte("2026-04-16")), store.Options{IfAbsent: true})
		fmt.Println(errors.Is(err, store.ErrExists))
	}
	fmt.Println(store.CacheControl(name), store.ContentType(name))
	// Output:
	// false
	// true
	// public, max-age=31536000, immutable text/plain; charset=utf-8
}
