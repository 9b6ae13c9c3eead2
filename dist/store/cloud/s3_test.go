//go:build !nos3

package cloud_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"x.go/dist/store"
	"x.go/tests/storetest"
	"x.go/tests/testenv"
)

func TestS3(t *testing.T) {
	t.Parallel()
	testBucket(t, storetest.S3(t))
}

// What is wrong with a bucket is said in few words, whatever is done with it first, and a
// bucket that is not there is not one without files.
func TestS3Refused(t *testing.T) {
	place := storetest.S3(t)
	for _, tt := range []struct{ name, place, variable, value, want string }{
		{"no bucket", strings.Replace(place, "s3://rust/", "s3://none/", 1), "", "", "there is no such bucket"},
		{"key", place, "AWS_ACCESS_KEY_ID", "other", "access key ID"},
		{"secret", place, "AWS_SECRET_ACCESS_KEY", "other", "does not accept the credentials: SignatureDoesNotMatch"},
		{"no credentials", place, "AWS_ACCESS_KEY_ID", "", "there are no credentials: set AWS_ACCESS_KEY_ID"},
		{"no region", place[:strings.Index(place, "?")], "AWS_REGION", "", "the region is not known: set AWS_REGION"},
		{"no server", "s3://rust/a?endpoint=http://127.0.0.1:1&use_path_style=true", "", "", `asking "127.0.0.1:1": dial tcp`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.variable != "" {
				t.Setenv(tt.variable, tt.value)
			}
			s, err := store.Open(t.Context(), tt.place)
			testenv.Must(t, err)
			defer s.Close()
			_, _, gerr := s.Get(t.Context(), "a", 0)
			_, _, lerr := s.Load(t.Context(), "a", 10)
			_, oerr := s.FS(t.Context()).Open("dist")
			errs := []error{gerr, lerr, oerr, s.Put(t.Context(), "a", store.Bytes(nil), store.Options{})}
			for _, err := range s.List(t.Context(), "") {
				errs = append(errs, err)
			}
			for i, err := range errs {
				if err == nil || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "RequestID") {
					t.Errorf("method %d: got %v, want %q", i, err, tt.want)
				}
			}
		})
	}
}
