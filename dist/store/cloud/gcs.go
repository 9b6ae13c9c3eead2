//go:build cloud

package cloud

import (
	"context"
	"errors"
	"strconv"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob"
	_ "gocloud.dev/blob/gcsblob" // gs://

	"x.go/dist/store"
)

// errNoGCS says that gocloud gives another type than its documentation says.
var errNoGCS = errors.New("the bucket is not one of Google Cloud Storage")

func init() {
	store.Register("gs", opener(kind{
		version: func(r *blob.Reader) store.Version {
			var in *storage.Reader
			if !r.As(&in) {
				return ""
			}
			return store.Version(strconv.FormatInt(in.Attrs.Generation, 10))
		},
		ifVersion: func(v store.Version, as func(any) bool) error {
			generation, err := strconv.ParseInt(string(v), 10, 64)
			var o **storage.ObjectHandle
			if err != nil || !as(&o) {
				return errors.Join(errNoGCS, err)
			}
			*o = (*o).If(storage.Conditions{GenerationMatch: generation})
			return nil
		},
		beforeCopy: func(o store.Options, metadata map[string]string, as func(any) bool) error {
			var c *storage.Copier
			if !as(&c) {
				return errNoGCS
			}
			c.Metadata, c.CacheControl, c.ContentType = metadata, o.CacheControl, o.ContentType
			return nil
		},
		afterCopy: func(context.Context, *blob.Bucket, string, store.Options) error { return nil },
	}))
}
