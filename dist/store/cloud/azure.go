//go:build cloud

package cloud

import (
	"context"
	"errors"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	azure "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // azblob://

	"x.go/dist/store"
)

// errNoAzure says that gocloud gives another type than its documentation says.
var errNoAzure = errors.New("the container is not one of Azure")

func init() {
	store.Register("azblob", opener(kind{
		version: func(r *blob.Reader) store.Version {
			var out azure.DownloadStreamResponse
			if !r.As(&out) || out.ETag == nil {
				return ""
			}
			return store.Version(*out.ETag)
		},
		ifVersion: func(v store.Version, as func(any) bool) error {
			var in *azblob.UploadStreamOptions
			if !as(&in) {
				return errNoAzure
			}
			etag := azcore.ETag(v)
			in.AccessConditions = &azblob.AccessConditions{ModifiedAccessConditions: &azure.ModifiedAccessConditions{IfMatch: &etag}}
			return nil
		},
		beforeCopy: func(store.Options, map[string]string, func(any) bool) error { return nil },
		afterCopy: func(ctx context.Context, b *blob.Bucket, key string, o store.Options) error {
			var c *container.Client // a copy has the headers of what it is of
			if !b.As(&c) {
				return errNoAzure
			}
			_, err := c.NewBlobClient(key).SetHTTPHeaders(ctx, azure.HTTPHeaders{BlobCacheControl: &o.CacheControl, BlobContentType: &o.ContentType}, nil)
			return err
		},
	}))
}
