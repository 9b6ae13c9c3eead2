// Package bootstrap turns a finished Rust toolchain and a configuration into
// an assembled sysroot, dist archives and a channel.
//
// The input is never changed: [toolchain.Find] asks the compiler for its facts,
// [toolchain.ReadInput] sorts the files of its sysroot into components, and the steps,
// run through [Ensure], compute the outputs from these values. Steps work on
// [dist.Image] values; whatever touches the disk goes through the few effect
// methods of [Builder], so that a dry run is the plan of a real one.
package bootstrap
