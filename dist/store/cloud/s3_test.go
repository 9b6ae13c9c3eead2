//go:build !nos3

package cloud_test

import (
	"testing"

	"x.go/tests/storetest"
)

func TestS3(t *testing.T) {
	t.Parallel()
	testBucket(t, storetest.S3(t))
}
