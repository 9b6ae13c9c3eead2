package check

import (
	"io/fs"
	"testing"

	"x.go/bootstrap/config"
)

// FuzzRun checks whatever can be loaded, and what is left of a configuration that
// cannot.
func FuzzRun(f *testing.F) {
	for _, text := range []string{
		"", "profile = 'dist'\nrust.lld = true", "[rust]\nlld = 1\nchannel = 'beta'", "[target.x86_64-unknown-linux-gnu]\nllvm-config = '/x'\ndefault-linker-linux-override = 'off'",
		"build.host = ['x', 'avr-none']\nrust.use-lld = 'self-contained'", "[",
	} {
		f.Add(text, "rust.lld=true", "[lld]\nwrapper = 'x'\njobserver = true")
	}
	f.Fuzz(func(t *testing.T, text, set, x string) {
		files := map[string]string{"bootstrap.toml": text, "x.toml": x}
		c, err := config.Load(config.Source{Host: triple(linux), Sets: []string{set}, ReadFile: func(path string) ([]byte, error) {
			if text, ok := files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}})
		for _, facts := range []Facts{{}, {LLD: input(true, true)}, {LLD: input(false, false)}} {
			for _, found := range Run(c, err, facts) {
				if found.Reason == "" || found.Severity == "" {
					t.Errorf("%q: finding without text: %+v", text, found)
				}
			}
		}
	})
}

func BenchmarkRun(b *testing.B) {
	c := load(b, bootstrapToml("build.target = ['x86_64-unknown-linux-gnu']"), "")
	b.ReportAllocs()
	for b.Loop() {
		Run(c, nil, Facts{})
	}
}
