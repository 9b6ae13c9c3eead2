package check

import (
	"slices"

	"x.go/bootstrap/config"
	"x.go/bootstrap/toolchain"
	"x.go/dist"
)

// components says of the input's components what a build would: which are left out,
// what stops it, and what the result needs where it is used.
func (k *checker) components(tc toolchain.Toolchain) {
	if k.f.InputError != nil {
		for _, err := range parts(k.f.InputError) {
			k.at(config.Failure, tc.Sysroot, "", "", "%v", err)
		}
		return
	}
	k.out = append(k.out, tc.Findings()...)
	if k.f.Input == nil {
		return
	}
	k.out = append(k.out, k.f.Input.Findings...)
	components, err := tc.WithoutLLD(k.f.Input.Components)
	if err != nil {
		k.at(config.Failure, tc.Sysroot, "", "", "%v", err)
		return
	}
	components = k.withLLD(tc, components)
	libraries := tc.ReadLibraries(components)
	k.out = append(k.out, libraries.Findings(tc.Sysroot)...)
	_, nested := toolchain.Apart(tc, k.f.Input.Texts, func(c toolchain.InputComponent) (wanted, asked bool) {
		return c.Wanted(k.c, tc.Host), false
	})
	k.out = append(k.out, nested...)
	for _, c := range libraries.WithLibraries(components) {
		v := c.Judge(tc, c.Wanted(k.c, tc.Host), false)
		if v.Finding != nil {
			k.out = append(k.out, *v.Finding)
		}
		if v.Packed && k.f.Versions[c.Spec.Archive] != nil {
			v.Err = k.f.Versions[c.Spec.Archive]
		}
		for _, err := range parts(v.Err) {
			k.at(config.Failure, tc.Sysroot, "", "", "%v", err)
		}
	}
}

// withLLD puts rust-lld in, if it is going to be shipped. What is wrong with the file
// itself is found by others.
func (k *checker) withLLD(tc toolchain.Toolchain, components []toolchain.InputComponent) []toolchain.InputComponent {
	i := slices.IndexFunc(components, func(c toolchain.InputComponent) bool { return c.Spec.Archive == "rustc" && c.Target == tc.Host })
	if k.decided.Outcome.Shipped {
		image := components[i].Image.Clone()
		if err := image.AddFile(dist.LLDFile(tc.Host.String(), tc.Spec.ExeSuffix), k.path(tc.RustLLD(k.c))); err == nil {
			components[i].Image = image
		}
	}
	return components
}

// parts returns the errors that were joined to err.
func parts(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}
