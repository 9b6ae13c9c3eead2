package xz_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"x.go/dist/xz"
)

// compress returns text as an .xz file.
func compress(text string, c xz.WriterConfig) []byte {
	var file bytes.Buffer
	w, err := xz.NewWriter(&file, c)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return file.Bytes()
}

// Compress and decompress; no byte depends on the number of workers.
func Example() {
	text := strings.Repeat("Rust by Example\n", 1000)
	file := compress(text, xz.WriterConfig{Profile: xz.Best, Workers: 2})
	fmt.Println("smaller:", len(file) < len(text)/50)
	fmt.Println("the same with 1 worker:", bytes.Equal(file, compress(text, xz.WriterConfig{Profile: xz.Best, Workers: 1})))

	r, err := xz.NewReader(bytes.NewReader(file), xz.ReaderConfig{})
	if err != nil {
		log.Fatal(err)
	}
	got, err := io.ReadAll(r)
	fmt.Println(string(got) == text, err)
	// Output:
	// smaller: true
	// the same with 1 worker: true
	// true <nil>
}

// MaxMemory bounds what a stranger's file can take. Every error says where in the
// file it was met.
func ExampleReaderConfig() {
	file := compress(strings.Repeat("Rust by Example\n", 1<<18), xz.WriterConfig{Profile: xz.Fast, DictSize: 4 << 20})
	r, err := xz.NewReader(bytes.NewReader(file), xz.ReaderConfig{MaxMemory: 1 << 20})
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	var at *xz.Error
	fmt.Println(errors.Is(err, xz.ErrMemory), errors.As(err, &at) && at.Offset < int64(len(file)))
	// Output:
	// true true
}
