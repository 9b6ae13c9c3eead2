package config_test

import (
	"fmt"
	"io/fs"
	"path/filepath"

	"x.go/bootstrap/config"
)

// Load resolves both files, an option and a flag. Nothing is read but what
// ReadFile returns.
func ExampleLoad() {
	files := map[string]string{
		"bootstrap.toml": "[rust]\nlld = true\nchannel = 'stable'\n",
		"x.toml":         "[lld]\njobserver = true\n",
	}
	c, err := config.Load(config.Source{
		ReadFile: func(path string) ([]byte, error) {
			text, ok := files[filepath.Clean(path)]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return []byte(text), nil
		},
		Sets:  []string{"rust.channel=beta"},
		Flags: []config.Flag{{Name: "--jobs", Key: "build.jobs", Value: "4"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range []struct {
		key   string
		value any
	}{
		{"rust.lld", c.Rust.LLD},
		{"rust.channel", c.Rust.Channel},
		{"build.jobs", c.Build.Jobs},
		{"build.docs", c.Build.Docs},
		{"lld.jobserver", c.X.LLD.Jobserver},
	} {
		fmt.Printf("%s = %v from %s\n", row.key, row.value, c.Origin(row.key))
	}
	// Output:
	// rust.lld = yes from bootstrap.toml:2:1
	// rust.channel = beta from --set rust.channel=beta
	// build.jobs = 4 from --jobs
	// build.docs = true from default
	// lld.jobserver = true from x.toml:2:1
}
