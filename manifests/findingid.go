package manifests

// FindingID names the kind of a [Finding]. The names are stable: scripts and
// allow lists may use them.
type FindingID string

// Findings about the text of a channel manifest, by [ParseChannel].
const (
	FindingSize            FindingID = "size"             // text or number of keys beyond any real manifest
	FindingSyntax          FindingID = "syntax"           // not TOML, or a key of the wrong type
	FindingManifestVersion FindingID = "manifest-version" // not version "2", the only one that rustup reads
	FindingKeyMissing      FindingID = "key-missing"      // a key without which rustup refuses the file
	FindingHash            FindingID = "hash"             // not 64 lower-case hexadecimal digits
	FindingProfileName     FindingID = "profile-name"     // rustup knows minimal, default and complete
)

// Findings about what a channel says, by [Channel.Validate].
const (
	FindingDate                 FindingID = "date"                  // not YYYY-MM-DD
	FindingCommitHash           FindingID = "commit-hash"           // not 40 hexadecimal digits
	FindingPackageName          FindingID = "package-name"          // unfit for the file names that rustup derives from it
	FindingPackageTargets       FindingID = "package-targets"       // a package for no target at all
	FindingRustMissing          FindingID = "rust-missing"          // no package "rust", or no host in it
	FindingTargetName           FindingID = "target-name"           // neither a triple nor "*"
	FindingTargetMixed          FindingID = "target-mixed"          // "*" beside triples, which rustup then ignores
	FindingVersionMissing       FindingID = "version-missing"       // an available package without version
	FindingVersionText          FindingID = "version-text"          // control characters in a version
	FindingVersionMismatch      FindingID = "version-mismatch"      // a part of rustc with another version than "rust"
	FindingAvailableNoURL       FindingID = "available-without-url" // available, but no archive
	FindingUnavailableURL       FindingID = "unavailable-with-url"  // an archive that rustup will refuse to install
	FindingURLWithoutHash       FindingID = "url-without-hash"      // rustup takes such a package as unavailable
	FindingHashWithoutURL       FindingID = "hash-without-url"      // as above
	FindingURL                  FindingID = "url"                   // not absolute, or of a scheme that rustup has not
	FindingURLFormat            FindingID = "url-format"            // an archive of another format than its key
	FindingURLArchive           FindingID = "url-archive"           // an archive of another component or target
	FindingURLConflict          FindingID = "url-conflict"          // one URL with two hashes
	FindingComponentsMissing    FindingID = "components-missing"    // an available host that consists of nothing
	FindingComponentPackage     FindingID = "component-package"     // a component that is no package
	FindingComponentTarget      FindingID = "component-target"      // a component whose package lacks the target
	FindingComponentDuplicate   FindingID = "component-duplicate"   // a component listed twice
	FindingComponentUnavailable FindingID = "component-unavailable" // a required component that cannot be installed
	FindingComponentNested      FindingID = "component-nested"      // components of another package than "rust"
	FindingRenameTarget         FindingID = "rename-target"         // a rename to no package
	FindingRenameShadows        FindingID = "rename-shadows"        // a rename that hides a package
	FindingRenameMissing        FindingID = "rename-missing"        // a -preview package that cannot be called without that
	FindingComponentUnlisted    FindingID = "component-unlisted"    // a package that no host lists, so that rustup cannot add it
	FindingKeyUnknown           FindingID = "key-unknown"           // a key that all readers ignore
	FindingProfileMissing       FindingID = "profile-missing"       // profiles, but not the ones that rustup asks for
	FindingProfilePackage       FindingID = "profile-package"       // a profile that names no package
	FindingProfileDuplicate     FindingID = "profile-duplicate"     // a package twice in a profile
	FindingProfileUnavailable   FindingID = "profile-unavailable"   // a profile that a host cannot install
	FindingArtifact             FindingID = "artifact"              // an artifact without URL or hash
)
