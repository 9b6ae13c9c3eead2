package manifests

// LookupPackage is for the tests.
var LookupPackage = lookupPackage
