package channel

// LocalPath is for the tests.
var LocalPath = localPath
