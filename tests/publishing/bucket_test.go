package publishing

import (
	"testing"

	_ "x.go/dist/store/cloud" // s3://
	"x.go/tests/storetest"
)

// bucket is an empty store in S3.
func bucket(t *testing.T) place { return place{url: storetest.S3(t)} }
