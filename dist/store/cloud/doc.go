// Package cloud has the stores in buckets of S3. To import it is to have them, unless
// built with the tag nos3.
//
// Places are the URLs of gocloud.dev: s3://BUCKET/PREFIX?region=eu-west-1, with
// endpoint=URL and use_path_style=true for servers other than Amazon's. Credentials are
// those that the SDK finds in the environment and in its own files.
package cloud
