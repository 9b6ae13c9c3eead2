//go:build !nos3

package cloud

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // s3://

	"x.go/dist/store"
)

// errNoS3 says that gocloud gives another type than its documentation says.
var errNoS3 = errors.New("the bucket is not one of S3")

func init() {
	store.Register("s3", opener(kind{
		// Servers that have no checksum of their own would each time be a line on stderr;
		// what is read is digested anyway.
		query: map[string]string{"response_checksum_validation": "when_required"},
		version: func(r *blob.Reader) store.Version {
			var out s3.GetObjectOutput
			if !r.As(&out) || out.ETag == nil {
				return ""
			}
			return store.Version(*out.ETag)
		},
		ifVersion: func(v store.Version, as func(any) bool) error {
			var in *transfermanager.UploadObjectInput
			if !as(&in) {
				return errNoS3
			}
			etag := string(v)
			in.IfMatch = &etag
			return nil
		},
		beforeCopy: func(o store.Options, metadata map[string]string, as func(any) bool) error {
			var in *s3.CopyObjectInput
			if !as(&in) {
				return errNoS3
			}
			in.MetadataDirective, in.Metadata = types.MetadataDirectiveReplace, metadata
			in.CacheControl, in.ContentType = &o.CacheControl, &o.ContentType
			return nil
		},
		afterCopy: func(context.Context, *blob.Bucket, string, store.Options) error { return nil },
	}))
}
