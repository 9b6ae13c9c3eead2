package storetest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"x.go/tests/testenv"
)

// Credentials of the server, which are no secret.
var credentials = map[string]string{
	"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "testsecret", "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
}

var setCredentials sync.Once

// S3 starts a server with an empty bucket, for the time of a test, and returns the place
// of a store in it.
func S3(t testing.TB) string {
	t.Helper()
	program := testenv.OnDemand(t, "versitygw", "X_TEST_S3")
	setCredentials.Do(func() {
		for key, value := range credentials {
			testenv.Must(t, os.Setenv(key, value))
		}
	})
	dir := t.TempDir()
	testenv.Must(t, os.Mkdir(filepath.Join(dir, "rust"), 0o755))
	at := Serve(t, func(port string) *exec.Cmd {
		cmd := exec.Command(program, "--port", "127.0.0.1:"+port, "posix", dir)
		cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=test", "ROOT_SECRET_KEY=testsecret")
		return cmd
	})
	return fmt.Sprintf("s3://rust/mirror?endpoint=http://%s&use_path_style=true", at)
}

// Serve starts a server on a port of 127.0.0.1, for the time of a test, and returns its
// host and port once it answers.
func Serve(t testing.TB, command func(port string) *exec.Cmd) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testenv.Must(t, err)
	at := l.Addr().String()
	testenv.Must(t, l.Close())
	_, port, err := net.SplitHostPort(at)
	testenv.Must(t, err)
	cmd := command(port)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	testenv.Must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for range 600 {
		if resp, err := http.Get("http://" + at + "/"); err == nil {
			resp.Body.Close()
			return at
		}
		time.Sleep(50 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	t.Fatalf("%s does not answer: %s", cmd.Path, said.String())
	return ""
}
