#!/bin/sh
# Builds the guest program for each machine into a directory, by default this one, with
# a record of what it was built by and from: build.sh [directory].
# Debian's packages gcc, gcc-aarch64-linux-gnu and binutils for both have all it needs.
set -eu
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
cd "$here"

# No library, no address to relocate, no note and no name of a file goes in. Pages of
# 64 KiB occur on aarch64; the parts stay together in the file.
flags="-std=c11 -Os -Wall -Wextra -Werror -ffreestanding -fno-builtin -nostdlib -static-pie -fPIE -fno-stack-protector
	-fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident -fno-jump-tables -fno-tree-loop-distribute-patterns -ffunction-sections -s
	-Wl,--build-id=none,--gc-sections,--no-dynamic-linker,--hash-style=gnu
	-Wl,-z,noexecstack,-z,noseparate-code,-z,norelro,-z,max-page-size=65536"
sources="guest.c kernel.c text.c path.c wrapper.c system.c users.c threads.c link.c memory.c jobserver.c child.c launcher.c"

for arch in x86_64 aarch64; do
	# shellcheck disable=SC2086 # both are lists
	"$arch-linux-gnu-gcc" $flags -o "$out/guest-$arch" $sources
	chmod 644 "$out/guest-$arch"
done
{
	for arch in x86_64 aarch64; do
		echo "gcc $arch $("$arch-linux-gnu-gcc" -dumpfullversion)"
		echo "ld $arch $("$arch-linux-gnu-ld" --version | sed -n '1s/.* //p')"
	done
	# shellcheck disable=SC2086 # a list
	echo "source $(cat build.sh guest.h $sources | sha256sum | cut -d' ' -f1)"
} >"$out/built"
