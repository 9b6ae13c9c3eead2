package config

import (
	"strings"
	"testing"
)

func TestThreads(t *testing.T) {
	for _, tt := range []struct{ set, value, bounds, wantErr string }{
		{"", "off", "", ""},
		{`lld.threads="off"`, "off", "", ""},
		{`lld.threads="jobserver"`, "jobserver", "jobserver", ""},
		{`lld.threads="serial"`, "serial", "serial", ""},
		{`lld.threads=8`, "8", "8", ""},
		{`lld.threads="8"`, "8", "8", ""},
		{`lld.threads="leaf, jobserver,memory , 8"`, "leaf,jobserver,memory,8", "leaf,jobserver,memory,8", ""},
		{`lld.threads="leaf" lld.jobserver=true`, "leaf", "leaf,jobserver", ""},
		{`lld.threads="jobserver" lld.jobserver=true`, "jobserver", "jobserver", ""},
		{`lld.jobserver=true`, "off", "jobserver", ""},
		{`lld.threads=0`, "", "", "got 0 threads, want 1 to 4096"},
		{`lld.threads=-1`, "", "", "got -1 threads, want 1 to 4096"},
		{`lld.threads=99999999999999999999`, "", "", ""},
		{`lld.threads=""`, "", "", `want "off", a number of threads, or`},
		{`lld.threads="of"`, "", "", `want "off", a number of threads, or`},
		{`lld.threads="off,leaf"`, "", "", `want "off", a number of threads, or`},
		{`lld.threads="leaf,"`, "", "", `want "off", a number of threads, or`},
		{`lld.threads=true`, "", "", `got string "true", want "off"`},
		{`lld.threads=["leaf"]`, "", "", "got an array"},
		{`lld.threads="leaf,leaf"`, "", "", `got "leaf" twice, want each once`},
		{`lld.threads="8,9"`, "", "", `got two numbers of threads in "8,9", want one`},
		{`lld.threads="serial,8"`, "", "", `got two numbers of threads in "serial,8", want one`},
	} {
		sets := strings.Split(strings.ReplaceAll(tt.set, " lld", "\nlld"), "\n")
		if tt.set == "" {
			sets = nil
		}
		c, err := Load(source(nil, sets...))
		if tt.value == "" {
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("%s: got %v, want an error with %q", tt.set, err, tt.wantErr)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.set, err)
			continue
		}
		if x := c.X.LLD; string(x.Threads) != tt.value || string(x.Bounds()) != tt.bounds {
			t.Errorf("%s: got %q, bounds %q, want %q, %q", tt.set, x.Threads, x.Bounds(), tt.value, tt.bounds)
		}
	}
}
