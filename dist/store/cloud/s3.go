//go:build !nos3

package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

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
		explain:   explainS3,
	}))
}

// explainS3 says what the SDK says in several lines, with identifiers of the request.
func explainS3(err error) error {
	answer, ok := errors.AsType[interface { // smithy.APIError
		error
		ErrorCode() string
		ErrorMessage() string
	}](err)
	if ok {
		switch code := answer.ErrorCode(); code {
		case "NoSuchKey", "NotFound":
			return nil
		case "NoSuchBucket":
			return errors.New("there is no such bucket: create it, or name another")
		case "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken":
			return fmt.Errorf("the server does not accept the credentials: %s: %q", code, answer.ErrorMessage())
		case "AccessDenied", "Forbidden":
			return fmt.Errorf("the credentials do not allow it: %s: %q", code, answer.ErrorMessage())
		default:
			return fmt.Errorf("the server answers %s: %q", code, answer.ErrorMessage())
		}
	}
	if sent, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("asking %q: %w", hostOf(sent.URL), sent.Err)
	}
	switch text := err.Error(); { // the SDK has no types for these
	case strings.Contains(text, "get credentials:"):
		return errors.New("there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE")
	case strings.Contains(text, "resolve endpoint:"):
		return errors.New("the region is not known: set AWS_REGION, or add region=NAME to the query of the store")
	}
	return nil
}

// hostOf returns the server of a URL: the rest names the file once more.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "the server"
	}
	return u.Host
}
