// Package cloud has the stores in buckets: of S3, unless built with the tag nos3, and of
// Google Cloud Storage and Azure, if built with the tag cloud. To import it is to have
// them.
//
// Places are the URLs of gocloud.dev: s3://BUCKET/PREFIX?region=eu-west-1, with
// endpoint=URL and use_path_style=true for servers other than Amazon's; gs://BUCKET/PREFIX;
// azblob://CONTAINER/PREFIX. Credentials are those that the SDKs find in the environment
// and in their own files.
package cloud
