package config

import _ "embed"

var (
	//go:embed bootstrap.example.toml
	bootstrapExample string
	//go:embed x.example.toml
	xExample string
)

// Example returns the annotated example of a file: every key with a sentence
// and its default, all of it commented out. It is generated from the schema by
//
//	go test ./bootstrap/config -run TestExampleFiles -update
func Example(f File) string {
	if f == X {
		return xExample
	}
	return bootstrapExample
}
