package manifests

// Rule names what a finding is about. The names are stable: scripts and allow
// lists may use them.
type Rule string

// Rules of the text of a channel manifest, found by [ParseChannel].
const (
	RuleSize            Rule = "size"             // text or number of keys beyond any real manifest
	RuleSyntax          Rule = "syntax"           // not TOML, or a key of the wrong type
	RuleManifestVersion Rule = "manifest-version" // not version "2", the only one that rustup reads
	RuleKeyMissing      Rule = "key-missing"      // a key without which rustup refuses the file
	RuleHash            Rule = "hash"             // not 64 lower-case hexadecimal digits
	RuleProfileName     Rule = "profile-name"     // rustup knows minimal, default and complete
)

// Rules of what a channel says, found by [Channel.Validate].
const (
	RuleDate                 Rule = "date"                  // not YYYY-MM-DD
	RuleCommitHash           Rule = "commit-hash"           // not 40 hexadecimal digits
	RulePackageName          Rule = "package-name"          // unfit for the file names that rustup makes of it
	RulePackageTargets       Rule = "package-targets"       // a package for no target at all
	RuleRustMissing          Rule = "rust-missing"          // no package "rust", or no host in it
	RuleTargetName           Rule = "target-name"           // neither a triple nor "*"
	RuleTargetMixed          Rule = "target-mixed"          // "*" beside triples, which rustup then ignores
	RuleVersionMissing       Rule = "version-missing"       // an available package without version
	RuleVersionText          Rule = "version-text"          // control characters in a version
	RuleVersionMismatch      Rule = "version-mismatch"      // a part of rustc with another version than "rust"
	RuleAvailableNoURL       Rule = "available-without-url" // available, but no archive
	RuleUnavailableURL       Rule = "unavailable-with-url"  // an archive that rustup will refuse to install
	RuleURLWithoutHash       Rule = "url-without-hash"      // rustup takes such a package as unavailable
	RuleHashWithoutURL       Rule = "hash-without-url"      // as above
	RuleURL                  Rule = "url"                   // not absolute, or of a scheme that rustup has not
	RuleURLFormat            Rule = "url-format"            // an archive of another format than its key says
	RuleURLArchive           Rule = "url-archive"           // an archive of another component or target
	RuleURLConflict          Rule = "url-conflict"          // one URL with two hashes
	RuleComponentsMissing    Rule = "components-missing"    // an available host that consists of nothing
	RuleComponentPackage     Rule = "component-package"     // a component that is no package
	RuleComponentTarget      Rule = "component-target"      // a component whose package lacks the target
	RuleComponentDuplicate   Rule = "component-duplicate"   // a component listed twice
	RuleComponentUnavailable Rule = "component-unavailable" // a required component that cannot be installed
	RuleComponentNested      Rule = "component-nested"      // components of another package than "rust"
	RuleRenameTarget         Rule = "rename-target"         // a rename to no package
	RuleRenameShadows        Rule = "rename-shadows"        // a rename that hides a package
	RuleProfileMissing       Rule = "profile-missing"       // profiles, but not the ones that rustup asks for
	RuleProfilePackage       Rule = "profile-package"       // a profile that names no package
	RuleProfileDuplicate     Rule = "profile-duplicate"     // a package twice in a profile
	RuleProfileUnavailable   Rule = "profile-unavailable"   // a profile that a host cannot install
	RuleArtifact             Rule = "artifact"              // an artifact without URL or hash
)
