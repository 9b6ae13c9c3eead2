package manifests_test

import (
	"testing"

	"x.go/manifests"
)

func TestRedact(t *testing.T) {
	for in, want := range map[string]string{
		"https://static.rust-lang.org/dist/a@b":           "https://static.rust-lang.org/dist/a@b",
		"http://me:secret@host:8080/dist/x":               "http://xxxxx@host:8080/dist/x",
		"http://token@host/dist":                          "http://xxxxx@host/dist",
		"http://me:se@cr/et@host/x":                       "http://xxxxx@host/x",
		"got http://a:b@h/x and https://c:d@i/y, no more": "got http://xxxxx@h/x and https://xxxxx@i/y, no more",
		`fetching "http://a:b@h:port/x": bad port`:        `fetching "http://xxxxx@h:port/x": bad port`,
		"http://me:se'cret@host/x?t=a'b":                  "http://xxxxx@host/x?xxxxx",
		"'http://h/x' and 'http://a:b@h/y'":               "'http://h/x' and 'http://xxxxx@h/y'",
		"http://h/x,http://a:b@h/y":                       "http://h/xxxxx@h/y",
		"https://h/x?sig=secret&t=1 rest":                 "https://h/x?xxxxx rest",
		"http://[::1]:80/a@b":                             "http://[::1]:80/a@b",
		"mail me@example.com":                             "mail me@example.com",
		"plain/path/channel.toml":                         "plain/path/channel.toml",
	} {
		if got := manifests.Redact(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
