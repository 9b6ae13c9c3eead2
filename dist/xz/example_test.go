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

// Compress and decompress. Profile and content decide the bytes, Workers does not.
func Example() {
	text := strings.Repeat("Rust by Example\n", 1000)
	compress := func(workers int) []byte {
		var file bytes.Buffer
		w, err := xz.NewWriter(&file, xz.WriterConfig{Profile: xz.Best, Workers: workers})
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
	file := compress(2)
	fmt.Println("smaller:", len(file) < len(text)/50)
	fmt.Println("the same with 1 worker:", bytes.Equal(file, compress(1)))

	r, err := xz.NewReader(bytes.NewReader(file), xz.ReaderConfig{})
	if err != nil {
		log.Fatal(err)
	}
	got, err := io.ReadAll(r)
	fmt.Println("the same text:", string(got) == text, err)
	// Output:
	// smaller: true
	// the same with 1 worker: true
	// the same text: true <nil>
}

// MaxMemory bounds what a stranger's file can take. Every error of a Reader says
// where in the file it occurred.
func ExampleReaderConfig() {
	var file bytes.Buffer
	w, err := xz.NewWriter(&file, xz.WriterConfig{Profile: xz.Fast, DictSize: 4 << 20})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 4<<20)); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	r, err := xz.NewReader(&file, xz.ReaderConfig{MaxMemory: 1 << 20})
	if err != nil {
		log.Fatal(err)
	}
	_, err = io.Copy(io.Discard, r)
	var at *xz.Error
	fmt.Println(errors.Is(err, xz.ErrMemory), errors.As(err, &at))
	// Output:
	// true true
}
