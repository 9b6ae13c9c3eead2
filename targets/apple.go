package targets

import "strings"

// VersionedLLVMTarget returns the LLVM target with the oldest supported system
// version in it, which is what rustc hands to clang: on Apple's systems
// x86_64-apple-macosx becomes x86_64-apple-macosx10.12.0, on others it is the
// spec's own. It ignores the environment's *_DEPLOYMENT_TARGET variables.
func (s *Spec) VersionedLLVMTarget() string {
	if !s.LikeDarwin {
		return s.LLVMTarget
	}
	arch, rest, _ := strings.Cut(s.LLVMTarget, "-")
	vendor, rest, _ := strings.Cut(rest, "-")
	os, env, hasEnv := strings.Cut(rest, "-")
	t := arch + "-" + vendor + "-" + os + s.minimumVersion(arch)
	if hasEnv {
		t += "-" + env
	}
	return t
}

// minimumVersion mirrors OSVersion::minimum_deployment_target of
// rustc_target/src/spec/base/apple.
func (s *Spec) minimumVersion(llvmArch string) string {
	env := s.Env
	if env == "" {
		env = s.ABI // where releases before 1.91 had it
	}
	for _, row := range appleVersions {
		if row.os == s.OS && (row.arch == "" || row.arch == llvmArch) && (row.env == "*" || row.env == env) {
			return row.version
		}
	}
	return ""
}

// appleVersions has the special rows of a system before its general one.
var appleVersions = [...]struct{ os, arch, env, version string }{
	{"macos", "arm64", "*", "11.0.0"},
	{"macos", "arm64e", "*", "11.0.0"},
	{"macos", "", "*", "10.12.0"},
	{"ios", "arm64e", "", "14.0.0"},
	{"ios", "arm64", "macabi", "14.0.0"},
	{"ios", "", "macabi", "13.1.0"},
	{"ios", "arm64", "sim", "14.0.0"},
	{"ios", "", "*", "10.0.0"},
	{"tvos", "arm64", "sim", "14.0.0"},
	{"tvos", "", "*", "10.0.0"},
	{"watchos", "arm64", "sim", "7.0.0"},
	{"watchos", "arm64", "", "26.0.0"},
	{"watchos", "", "*", "5.0.0"},
	{"visionos", "", "*", "1.0.0"},
}
