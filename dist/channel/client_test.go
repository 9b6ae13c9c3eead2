package channel_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"x.go/dist/channel"
	"x.go/tests/testenv"
)

// Logins of the URL, of netrc and of the proxy's address reach the server and the proxy,
// and no message.
func TestLogins(t *testing.T) {
	const user, password = "me", "s3 cr\"et"
	asked := 0
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		u, p, _ := r.BasicAuth()
		if u != user || p != password {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, "content")
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	host := parseURL(t, server.URL).Hostname()
	netrc := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", netrc)
	write := func(text string) { testenv.Must(t, os.WriteFile(netrc, []byte(text), 0o600)) }
	entry := `machine ` + host + ` login me password "s3 cr\"et"`
	tests := map[string]struct {
		text string
		ok   bool
	}{
		"one line":        {entry, true},
		"many":            {"# comment\nmachine other login x password y\nmacdef init\nmachine " + host + " login no password no\n\n" + strings.ReplaceAll(entry, " login", "\n\tlogin") + "\n", true},
		"default":         {"machine other login a password b\ndefault login me password \"s3 cr\\\"et\"\n", true},
		"first of a host": {entry + "\nmachine " + host + " login x password y\ndefault login z", true},
		"none":            {"machine other login me password x", false},
		"cut off":         {"machine", false},
		"empty":           {"", false},
	}
	for name, tt := range tests {
		write(tt.text)
		data, err := channel.Fetch(t.Context(), server.URL+"/x", 100)
		if tt.ok != (string(data) == "content") || !tt.ok && (err == nil || !strings.Contains(err.Error(), "401")) {
			t.Errorf("%s: got %q, %v", name, data, err)
		}
	}
	write("default login no password no")
	place := strings.Replace(server.URL, "://", "://"+url.UserPassword(user, password).String()+"@", 1)
	if data, err := channel.Fetch(t.Context(), place+"/x", 100); err != nil || string(data) != "content" {
		t.Errorf("login of the URL: got %q, %v", data, err)
	}
	write(entry)
	asked = 0
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.Redirect(w, r, strings.Replace(server.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
		}
	}))
	defer other.Close()
	if _, err := (&channel.Client{Near: true}).Fetch(t.Context(), strings.Replace(place, parseURL(t, server.URL).Host, parseURL(t, other.URL).Host, 1)+"/none", 100); err != nil && strings.Contains(err.Error(), "cr") && strings.Contains(err.Error(), "s3") {
		t.Errorf("got %v, which shows the password", err)
	}
}

func parseURL(t testing.TB, place string) *url.URL {
	t.Helper()
	u, err := url.Parse(place)
	testenv.Must(t, err)
	return u
}

// A client that stays near is not sent elsewhere, not even to the same host without TLS.
func TestNear(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "content") }))
	defer target.Close()
	sends := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/here" {
			fmt.Fprint(w, "content")
			return
		}
		to := target.URL
		if r.URL.Path == "/near" {
			to = "/here"
		}
		http.Redirect(w, r, to, http.StatusFound)
	}))
	defer sends.Close()
	host := parseURL(t, target.URL).Host
	for _, tt := range []struct {
		client channel.Client
		path   string
		ok     bool
	}{
		{channel.Client{}, "/far", true},
		{channel.Client{Near: true}, "/near", true},
		{channel.Client{Near: true}, "/far", false},
		{channel.Client{Near: true, Hosts: []string{host}}, "/far", true},
		{channel.Client{Near: true, Hosts: []string{"elsewhere:80"}}, "/far", false},
	} {
		data, err := tt.client.Fetch(t.Context(), sends.URL+tt.path, 100)
		if tt.ok != (string(data) == "content") || !tt.ok && !strings.Contains(fmt.Sprint(err), "sends on to another one") {
			t.Errorf("%+v %s: got %q, %v", tt.client, tt.path, data, err)
		}
	}
}

// A body goes on after the connection broke, also with a server that sends the file from
// its start, and ends with an error when the server has another file.
func TestOpenResumes(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 30<<10)
	for _, ranges := range []bool{true, false} {
		requests := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests++
			from, n := 0, len(content)/3*requests
			if ranges {
				_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
				n = min(len(content)-from, len(content)/3)
			}
			w.Header().Set("Content-Length", strconv.Itoa(len(content)-from))
			if from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
			}
			if _, _ = w.Write(content[from:min(from+n, len(content))]); from+n < len(content) {
				panic(http.ErrAbortHandler)
			}
		}))
		body, size, err := (&channel.Client{}).Open(t.Context(), server.URL)
		testenv.Must(t, err)
		got, err := io.ReadAll(body)
		if err != nil || size != int64(len(content)) || !bytes.Equal(got, content) || requests < 3 {
			t.Errorf("ranges %t: got %d of %d bytes in %d requests, %v", ranges, len(got), size, requests, err)
		}
		testenv.Must(t, body.Close())
		server.Close()
	}
	_, _, err := (&channel.Client{}).Open(t.Context(), "http://127.0.0.1:1/x")
	if err == nil {
		t.Error("a closed port: got no error")
	}
}
