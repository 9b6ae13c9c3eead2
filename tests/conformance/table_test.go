package conformance

import "slices"

// Images, and what is installed of them where that differs: all of bin/ is executable.
const (
	image1    = "bin/bad-bin|bin/program*|bin/program2*|dir-to-install/foo|something-to-install"
	image2    = "bin/oldprogram*|dir-to-install/bar|something-to-install"
	image3    = "bin/cargo*"
	image4    = "baz|dir-to-install/qux/bar"
	image5    = "dir-to-install/foo"
	docs1     = "share/doc/rust/README|share/doc/rust/rustdocs.txt"
	docs2     = "share/doc/cargo/README|share/doc/cargo/cargodocs.txt"
	roots     = "bin/rustc*|etc/rust/conf|lib/librustc.so*|lib/rustlib/t/lib/std.rlib|libexec/helper*|share/data|share/doc/rust/README|share/man/man1/rustc.1|share/doc.txt|top.txt"
	oddNames  = "bin/a b*|lib/it's|lib/x:y|lib/-n|-rf/-i|lib/ü/日本|lib/[a]*?|lib/$x`y`|lib/\"q\"|lib/ lead|lib/a=b|lib/~|lib/#c;&"
	links     = "bin/tool*|bin/alias -> tool|bin/data -> ../lib/data|lib/data|lib/one -> data|lib/two -> ./one|lib/prog -> ../bin/../bin/tool|lib/through -> ../share/doc/dir/page|" + docLinks
	linked    = "bin/tool*|bin/alias*|bin/data*|lib/data|lib/one|lib/two|lib/prog*|lib/through|" + docLinks
	docLinks  = "share/doc/sub/page|share/doc/dir -> sub|share/doc/name -> dir/page|share/doc/gone -> nothing|share/doc/loop -> loop|share/doc/out -> /etc/passwd|share/doc/up -> ../../../../../../.."
	manyBelow = "share/doc/rust/html/index.html|share/doc/rust/html/std/.hidden|share/doc/rust/html/std/run*"
)

var installed1 = "bin/bad-bin*|bin/program*|bin/program2*|dir-to-install/foo|something-to-install"

func one(name, image string) pkg { return pkg{name: name, image: image} }

func alone(image string) []pkg { return []pkg{one("package", image)} }

func bulk(image, dir string) []pkg { return []pkg{{name: "package", image: image, bulk: dir}} }

var (
	rustc, cargo, docs = one("rustc", image1), one("cargo", image3), one("rust-docs", image4)

	two   = pkg{name: "rust", parts: []pkg{rustc, cargo}}
	three = pkg{name: "rust", parts: []pkg{rustc, cargo, docs}}

	gone = step{do: "uninstall"}
)

// all is what the combined package of three installs.
func all() []string { return slices.Concat(in("p", installed1), in("p", image3), in("p", image4)) }

const everything = "rustc cargo rust-docs"

func join(lists ...[]string) []string { return slices.Concat(lists...) }

// scenarios begin with those of rust-installer's test.sh.
var scenarios = []scenario{
	{name: "basic_install", every: true, pkgs: alone(image1), steps: []step{
		{do: "install", says: "\n    Rust is ready to roll.\n", tree: in("p", installed1), has: "package"}}},
	{name: "basic_uninstall", every: true, pkgs: alone(image1), steps: []step{
		{do: "install", tree: in("p", installed1), has: "package"},
		{do: "uninstall", says: "\n    Rust is uninstalled.\n"}}},
	{name: "not_installed_files", pkgs: []pkg{{name: "package", image: image1, overlay: "not-installed|sub/not-installed"}}, steps: []step{
		{do: "install", tree: in("p", installed1), has: "package"}}},
	{name: "tarball_with_package_name", pkgs: []pkg{one("rustc-nightly", image1)}, steps: []step{
		{do: "install", tree: in("p", installed1), has: "rustc-nightly"}}},
	{name: "install_overwrite_backup", pkgs: alone(image1), steps: []step{
		{do: "put ~/p/bin/program"},
		{do: "install", says: "install: backing up existing file at ~/p/bin/program\n", tree: join(in("p", installed1), in("p", "bin/program.old")), has: "package"},
		{do: "uninstall", tree: in("p", "bin/program.old")}}},
	{name: "bulk_directory", pkgs: bulk(image1, "dir-to-install"), steps: []step{
		{do: "install", tree: in("p", installed1), has: "package"}, gone}},
	{name: "bulk_directory_overwrite", pkgs: bulk(image1, "dir-to-install"), steps: []step{
		{do: "put ~/p/dir-to-install/overwrite"},
		{do: "install", tree: join(in("p", installed1), in("p", "dir-to-install.old/overwrite")), has: "package"}}},
	{name: "bulk_directory_overwrite_existing_backup", pkgs: bulk(image1, "dir-to-install"), steps: []step{
		{do: "put ~/p/dir-to-install/overwrite"},
		{do: "put ~/p/dir-to-install~/overwrite"},
		{do: "install", tree: join(in("p", installed1), in("p", "dir-to-install.old/overwrite|dir-to-install~/overwrite")), has: "package"}}},
	{name: "nested_bulk_directory", pkgs: bulk(image4, "dir-to-install/qux"), steps: []step{
		{do: "install", tree: in("p", image4), has: "package"}, gone}},
	{name: "only_bulk_directory_no_files", pkgs: bulk(image5, "dir-to-install"), steps: []step{
		{do: "install", tree: in("p", image5), has: "package"}, gone}},
	{name: "nested_not_installed_files", pkgs: []pkg{{name: "package", image: image4, overlay: "not-installed"}}, steps: []step{
		{do: "install", tree: in("p", image4), has: "package"}}},
	{name: "multiple_components", pkgs: []pkg{rustc, cargo}, x: "x uninstall takes no archive", steps: []step{
		{do: "install", tree: in("p", installed1), has: "rustc"},
		{do: "use 1"},
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"},
		{do: "use 0"},
		{do: "uninstall", tree: in("p", image3), has: "cargo"},
		{do: "use 1"}, gone}},
	{name: "uninstall_from_installed_script", every: true, pkgs: []pkg{rustc, cargo}, steps: []step{
		{do: "install", tree: in("p", installed1), has: "rustc"},
		{do: "use 1"},
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"},
		{do: "uninstall.sh", says: "uninstalling component 'cargo'"}}},
	{name: "combine_installers", pkgs: []pkg{two}, steps: []step{
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"}, gone}},
	{name: "combine_three_installers", pkgs: []pkg{three}, steps: []step{
		{do: "install", tree: all(), has: everything}, gone}},
	{name: "combine_installers_with_overlay", pkgs: []pkg{{name: "rust", parts: []pkg{rustc, cargo}, overlay: "README"}}, steps: []step{
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"}}},
	{name: "combined_with_bulk_dirs", pkgs: []pkg{{name: "rust", parts: []pkg{{name: "rustc", image: image1, bulk: "dir-to-install"}, cargo}}}, steps: []step{
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"}, gone}},
	{name: "combine_install_with_separate_uninstall", pkgs: []pkg{two, rustc, cargo}, x: "x uninstall takes no archive", steps: []step{
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"},
		{do: "use 1"},
		{do: "uninstall", tree: in("p", image3), has: "cargo"},
		{do: "use 2"}, gone}},
	{name: "select_components_to_install", pkgs: []pkg{three}, steps: []step{
		{do: "install --components=rustc", tree: in("p", installed1), has: "rustc"}, gone,
		{do: "install --components=cargo", tree: in("p", image3), has: "cargo"}, gone,
		{do: "install --components=rust-docs", tree: in("p", image4), has: "rust-docs"}, gone,
		{do: "install --components=rustc,cargo", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"}, gone}},
	{name: "select_components_to_uninstall", pkgs: []pkg{three}, steps: []step{
		{do: "install", tree: all(), has: everything},
		{do: "uninstall --components=rustc", tree: join(in("p", image3), in("p", image4)), has: "cargo rust-docs"},
		{do: "install --components=rustc", tree: all(), has: "cargo rust-docs rustc"},
		{do: "uninstall --components=cargo", tree: join(in("p", installed1), in("p", image4)), has: "rust-docs rustc"},
		{do: "uninstall --components=rustc,rust-docs"}}},
	{name: "invalid_component", pkgs: []pkg{three}, steps: []step{
		{do: "install --components=foo", code: 1, says: "unknown component: foo"}}},
	{name: "without_components", pkgs: []pkg{three}, steps: []step{
		{do: "install --without=rust-docs", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"}, gone,
		{do: "install --without=rust-docs,cargo", tree: in("p", installed1), has: "rustc"}, gone,
		{do: "install --without=rust-docs,rustc", tree: in("p", image3), has: "cargo"}, gone}},
	{name: "uninstall_without_components", x: "x uninstall names what it removes", pkgs: []pkg{three}, steps: []step{
		{do: "install", tree: all(), has: everything},
		{do: "uninstall --without=rust-docs", tree: in("p", image4), has: "rust-docs"},
		{do: "install --without=rust-docs", tree: all(), has: "rust-docs rustc cargo"},
		{do: "uninstall --without=rust-docs,cargo", tree: join(in("p", image3), in("p", image4)), has: "rust-docs cargo"}}},
	{name: "without_any_components", pkgs: []pkg{three}, steps: []step{
		{do: "install --without=rust-docs,rustc,cargo", code: 1, says: "no components selected for installation"}}},
	{name: "uninstall_without_any_components", x: "x uninstall names what it removes", pkgs: []pkg{three}, steps: []step{
		{do: "install", tree: all(), has: everything},
		{do: "uninstall --without=rust-docs,rustc,cargo", code: 1, says: "no components selected for uninstallation", tree: all(), has: everything}}},
	{name: "list_components", pkgs: []pkg{three}, sh: "x inspect lists components", steps: []step{
		{do: "install --list-components", says: "\n# Available components\n\n* rustc\n* cargo\n* rust-docs\n\n"}}},
	{name: "cannot_install_to_installer", pkgs: alone(image1), sh: "x installs from the archive", steps: []step{
		{do: "install --prefix=PACKAGE", code: 1, says: "cannot install to same directory as installer"}}},
	{name: "upgrade_from_future_installer_error", pkgs: alone(image1), steps: []step{
		{do: "install", tree: in("p", installed1), has: "package"},
		{do: "text ~/p/lib/rustlib/rust-installer-version 100"},
		{do: "install", code: 1, says: "unknown version (100) of rust-installer", tree: in("p", installed1), has: "package"},
		{do: "uninstall", code: 1, says: "unknown version (100)", tree: in("p", installed1), has: "package"}}},
	{name: "destdir", x: "a relative prefix counts from the current directory", pkgs: alone(image1), steps: []step{
		{do: "install --destdir=~/d/ --prefix=prefix", tree: in("d/prefix", installed1), has: "package"},
		{do: "uninstall --destdir=~/d/ --prefix=prefix"}}},
	{name: "destdir_no_trailing_slash", x: "a relative prefix counts from the current directory", pkgs: alone(image1), steps: []step{
		{do: "install --destdir=~/d --prefix=prefix", tree: in("d/prefix", installed1), has: "package"}}},
	{name: "disable_verify_noop", pkgs: alone(image1), sh: "options of install.sh", steps: []step{
		{do: "install --disable-verify --enable-verify --enable-ldconfig", tree: in("p", installed1), has: "package"}}},
	{name: "help", pkgs: alone(image1), sh: "texts of install.sh", steps: []step{{do: "install --help", says: "\nOptions:\n"}}},
	{name: "docdir_default", pkgs: alone(docs1), steps: []step{{do: "install", tree: in("p", docs1), has: "package"}}},
	{name: "docdir", pkgs: alone(docs1), steps: []step{
		{do: "install --docdir=~/docdir", tree: in("docdir", "README|rustdocs.txt"), has: "package"},
		{do: "uninstall --docdir=~/docdir"}}},
	{name: "docdir_combined", pkgs: []pkg{{name: "rust", parts: []pkg{one("rustc", docs1), one("cargo", docs2)}}},
		x: "one file of two components is an error before anything is changed", steps: []step{
			{do: "install --docdir=~/docdir", tree: in("docdir", "README|README.old|rustdocs.txt|cargodocs.txt"), has: "rustc cargo"}}},

	// What that list does not try.
	{name: "all directories", pkgs: alone(roots), steps: []step{
		{do: "install --bindir=~/b --libdir=~/l --sysconfdir=~/e --datadir=~/s --mandir=~/m --docdir=~/doc", has: "package", tree: join(
			in("b", "rustc*"), in("l", "librustc.so*|rustlib/t/lib/std.rlib"), in("e", "rust/conf"), in("s", "data|doc.txt"),
			in("m", "man1/rustc.1"), in("doc", "README"), in("p", "libexec/helper*|top.txt"))},
		{do: "uninstall --bindir=~/b --libdir=~/l --sysconfdir=~/e --datadir=~/s --mandir=~/m --docdir=~/doc"}}},
	{name: "mandir below datadir", pkgs: alone(roots), steps: []step{
		{do: "install --datadir=~/s", has: "package", tree: join(in("s", "data|doc.txt|doc/rust/README|man/man1/rustc.1"),
			in("p", "bin/rustc*|etc/rust/conf|lib/librustc.so*|lib/rustlib/t/lib/std.rlib|libexec/helper*|top.txt"))}}},
	{name: "directories in the destdir", pkgs: alone(roots), peer: "it takes them as they are, outside of the destdir", steps: []step{
		{do: "install --destdir=~/d --prefix=/usr --bindir=/b --libdir=/l --sysconfdir=/e --datadir=/s --mandir=/m --docdir=/doc", has: "package", tree: join(
			in("d/b", "rustc*"), in("d/l", "librustc.so*|rustlib/t/lib/std.rlib"), in("d/e", "rust/conf"), in("d/s", "data|doc.txt"),
			in("d/m", "man1/rustc.1"), in("d/doc", "README"), in("d/usr", "libexec/helper*|top.txt"))},
		{do: "uninstall --destdir=~/d --prefix=/usr --bindir=/b --libdir=/l --sysconfdir=/e --datadir=/s --mandir=/m --docdir=/doc"}}},
	{name: "blanks in every path", every: true, pkgs: alone(roots), peer: "it splits its arguments at blanks", steps: []step{
		{do: "install", args: []string{"--prefix=~/p p", "--bindir=~/b b/ x"}, has: "package", tree: join(in("b b/ x", "rustc*"),
			in("p p", "etc/rust/conf|lib/librustc.so*|lib/rustlib/t/lib/std.rlib|libexec/helper*|share/data|share/doc/rust/README|share/man/man1/rustc.1|share/doc.txt|top.txt"))},
		{do: "uninstall", args: []string{"--prefix=~/p p", "--bindir=~/b b/ x"}}}},
	{name: "odd names", every: true, pkgs: alone(oddNames), peer: "it splits and cuts names", steps: []step{
		{do: "install", tree: in("p", oddNames), has: "package"},
		{do: "install", tree: in("p", oddNames), has: "package"},
		gone}},
	{name: "odd prefix", every: true, pkgs: alone(image3), peer: "it evaluates its arguments", steps: []step{
		{do: "install", args: []string{"--prefix=~/it's [a]*? $x `y` =\"z\" ~ \\n ü"}, tree: in("~/it's [a]*? $x `y` =\"z\" ~ \\n ü"[2:], image3), has: "package"},
		{do: "uninstall", args: []string{"--prefix=~/it's [a]*? $x `y` =\"z\" ~ \\n ü"}}}},
	{name: "prefix with a line break", pkgs: alone(image3), peer: "it splits its arguments", steps: []step{
		{do: "install", args: []string{"--prefix=~/a\nb"}, code: 1, says: "line break"}}},
	{name: "same again", pkgs: []pkg{three}, steps: []step{
		{do: "install", tree: all(), has: everything},
		{do: "install", tree: all(), has: everything}}},
	{name: "upgrade from version 2", pkgs: []pkg{{name: "package", image: image2, version: "1"}, {name: "package", image: image1, version: "2"}}, steps: []step{
		{do: "install", tree: in("p", image2), has: "package"},
		{do: "text ~/p/lib/rustlib/rust-installer-version 2"},
		{do: "use 1"},
		{do: "install", tree: in("p", installed1), has: "package"}, gone}},
	{name: "upgrade from version 3", pkgs: []pkg{{name: "package", image: image2, version: "1", bulk: "dir-to-install"}, {name: "package", image: image1, version: "2", bulk: "dir-to-install"}}, steps: []step{
		{do: "install", tree: in("p", image2), has: "package"},
		{do: "put ~/p/mine"},
		{do: "use 1"},
		{do: "install", tree: join(in("p", installed1), in("p", "mine")), has: "package"},
		{do: "uninstall", tree: in("p", "mine")}}},
	{name: "version 1 is refused", pkgs: alone(image3), steps: []step{
		{do: "install", tree: in("p", image3), has: "package"},
		{do: "text ~/p/lib/rustlib/rust-installer-version 1"},
		{do: "install", code: 1, says: "unknown version (1)", tree: in("p", image3), has: "package"}}},
	{name: "upgrade of what rustup installed", pkgs: alone(image3), peer: "it takes relative paths from the current directory", steps: []step{
		{do: "put ~/p/bin/cargo"}, {do: "put ~/p/bin/gone"}, {do: "put ~/bin/gone"},
		{do: "text ~/p/lib/rustlib/components package"},
		{do: "text ~/p/lib/rustlib/rust-installer-version 3"},
		{do: "text ~/p/lib/rustlib/manifest-package", args: []string{"file:bin/cargo\nfile:bin/gone"}},
		{do: "install", tree: join(in("p", image3), []string{"bin/gone"}), has: "package"}},
		x: "a file that was changed since rustup installed it is kept as .old"},
	{name: "uninstall what is gone", pkgs: []pkg{two}, steps: []step{
		{do: "install", tree: join(in("p", installed1), in("p", image3)), has: "rustc cargo"},
		{do: "uninstall --components=cargo", tree: in("p", installed1), has: "rustc"},
		{do: "uninstall --components=cargo", says: "Rust is uninstalled.", tree: in("p", installed1), has: "rustc"},
		gone}},
	{name: "uninstall where files are missing", pkgs: alone(image1), steps: []step{
		{do: "install", tree: in("p", installed1), has: "package"},
		{do: "remove ~/p/bin/program"},
		{do: "uninstall", says: "WARNING: supposedly installed file ~/p/bin/program does not exist!"}}},
	{name: "backups do not replace one another", pkgs: alone(image3), peer: "it replaces the .old that is there", steps: []step{
		{do: "put ~/p/bin/cargo"}, {do: "put ~/p/bin/cargo.old"},
		{do: "install", tree: in("p", "bin/cargo*|bin/cargo.old|bin/cargo.old.1"), has: "package"}}},
	{name: "link in the place of a file", pkgs: alone(image3), peer: "it stops at a dangling link", steps: []step{
		{do: "link ~/p/bin/cargo /nowhere"},
		{do: "install", tree: in("p", "bin/cargo*|bin/cargo.old -> /nowhere"), has: "package"}}},
	{name: "directory in the place of a file", pkgs: alone(image3), steps: []step{
		{do: "put ~/p/bin/cargo/mine"},
		{do: "install", tree: in("p", "bin/cargo*|bin/cargo.old/mine"), has: "package"}}},
	{name: "file in the place of a directory", pkgs: alone(image1), peer: "it installs half", steps: []step{
		{do: "put ~/p/dir-to-install"},
		{do: "install", code: 1, says: "a file is in the way of directory ~/p/dir-to-install: ~/p/dir-to-install", tree: in("p", "dir-to-install")}}},
	{name: "prefix below a file", pkgs: alone(image3), steps: []step{
		{do: "put ~/f"},
		{do: "install --prefix=~/f/p", code: 1, tree: []string{"f"}}}},
	{name: "prefix through a link", pkgs: alone(image3), steps: []step{
		{do: "put ~/real/mine"}, {do: "link ~/p real"},
		{do: "install", tree: join([]string{"p -> real"}, in("real", image3), in("real", "mine")), has: "package"},
		{do: "uninstall", tree: join([]string{"p -> real"}, in("real", "mine"))}}},
	{name: "link that leads out of the destdir", pkgs: alone(image3), peer: "it follows", steps: []step{
		{do: "put ~/out/mine"}, {do: "link ~/d/usr/bin ~/out"},
		{do: "install --destdir=~/d --prefix=/usr", code: 1, says: "leads out of --destdir", tree: []string{"d/usr/bin -> ~/out", "out/mine"}}}},
	{name: "link that stays in the destdir", pkgs: alone(image3), steps: []step{
		{do: "put ~/d/usr/real/mine"}, {do: "link ~/d/usr/bin real"},
		{do: "install --destdir=~/d --prefix=/usr", has: "package", tree: []string{"d/usr/bin -> real", "d/usr/real/mine", "d/usr/real/cargo*"}}}},
	{name: "link in the place of a record", pkgs: alone(image3), peer: "it writes to what the link names", steps: []step{
		{do: "put ~/mine"}, {do: "link ~/p/lib/rustlib/rust-installer-version ~/mine"},
		{do: "install", code: 1, tree: []string{"mine"}}}},
	{name: "user's file in a bulk directory", every: true, pkgs: bulk(manyBelow, "share/doc/rust/html"), peer: "it removes it", steps: []step{
		{do: "install", tree: in("p", manyBelow), has: "package"},
		{do: "put", args: []string{"~/p/share/doc/rust/html/my notes"}},
		{do: "uninstall", tree: in("p", "share/doc/rust/html/my notes")}}},
	{name: "user's file among the records", pkgs: alone(image3), peer: "it removes it", steps: []step{
		{do: "install", tree: in("p", image3), has: "package"},
		{do: "put ~/p/lib/rustlib/mine/x"},
		{do: "uninstall.sh", tree: in("p", "lib/rustlib/mine/x")}}},
	{name: "links", every: true, pkgs: bulk(links, "share/doc"), steps: []step{
		{do: "install", tree: in("p", linked), has: "package"},
		{do: "install", tree: in("p", linked), has: "package"}, gone,
		{do: "install", tree: in("p", linked), has: "package"},
		{do: "uninstall.sh"}}},
	{name: "links in a combined package", pkgs: []pkg{{name: "rust", parts: []pkg{{name: "links", image: links, bulk: "share/doc"}, cargo}}}, steps: []step{
		{do: "install", tree: join(in("p", linked), in("p", image3)), has: "links cargo"},
		{do: "uninstall --components=links", tree: in("p", image3), has: "cargo"}, gone,
		{do: "install --without=links", tree: in("p", image3), has: "cargo"}, gone}},
	{name: "links to a file of another component", pkgs: []pkg{{name: "rust", parts: []pkg{one("links", "bin/alias -> ../../cargo/bin/cargo"), cargo}}}, steps: []step{
		{do: "install --components=links", tree: in("p", "bin/alias*"), has: "links"}, gone}},
	{name: "link to a directory", pkgs: alone("bin/tool*|lib/dir/file|lib/link -> dir"), peer: "it installs half", steps: []step{
		{do: "install", code: 1, says: "lacks a file that its manifest.in names: lib/link"}}},
	{name: "link to nothing", pkgs: alone("bin/tool*|lib/link -> gone"), peer: "it installs half", steps: []step{
		{do: "install", code: 1, says: "lacks a file that its manifest.in names: lib/link"}}},
	{name: "links to each other", pkgs: alone("bin/tool*|lib/link -> other|lib/other -> link"), peer: "it installs half", steps: []step{
		{do: "install", code: 1, says: "lacks a file that its manifest.in names: lib/link"}}},
	{name: "link that leads out of the package", pkgs: alone("bin/tool*|lib/link -> /etc/passwd"), x: "it is refused: what it leads to is no part of the package", steps: []step{
		{do: "install", tree: in("p", "bin/tool*|lib/link"), has: "package"}, gone}},
	{name: "directory in the place of an earlier link", pkgs: slices.Concat(bulk("doc/d/page|doc/e -> d|doc/f -> ../mine", "doc"), bulk("doc/d/page|doc/e/page|doc/f/page", "doc")), steps: []step{
		{do: "put ~/p/mine/page"},
		{do: "install", tree: in("p", "doc/d/page|doc/e -> d|doc/f -> ../mine|mine/page"), has: "package"},
		{do: "use 1"},
		{do: "install", tree: in("p", "doc/d/page|doc/e/page|doc/f/page|mine/page"), has: "package"},
		{do: "uninstall", tree: in("p", "mine/page")}}},
	{name: "link in the place of an earlier directory", pkgs: slices.Concat(bulk("doc/d/page|doc/e/page|doc/f", "doc"), bulk("doc/d/page|doc/e -> d|doc/f -> d/page", "doc")), steps: []step{
		{do: "install", tree: in("p", "doc/d/page|doc/e/page|doc/f"), has: "package"},
		{do: "use 1"},
		{do: "install", tree: in("p", "doc/d/page|doc/e -> d|doc/f -> d/page"), has: "package"}, gone}},
	{name: "user's file in the place of a link", pkgs: bulk(links, "share/doc"), peer: "it removes it", steps: []step{
		{do: "put ~/p/share/doc/name"}, {do: "link ~/p/share/doc/out /elsewhere"}, {do: "put ~/p/lib/one"},
		{do: "install", tree: join(in("p", linked), in("p", "share/doc.old/name|share/doc.old/out -> /elsewhere|lib/one.old")), has: "package"},
		{do: "uninstall", tree: in("p", "share/doc.old/name|share/doc.old/out -> /elsewhere|lib/one.old")}}},
	{name: "home directory", every: true, pkgs: alone(image3), steps: []step{
		{do: "install", args: []string{"--prefix=~~/p"}, tree: in("home/p", image3), has: "package"},
		{do: "uninstall", args: []string{"--prefix=~~/p"}}}},
	{name: "option without a value", pkgs: alone(image3), sh: "texts of install.sh", steps: []step{
		{do: "install --prefix", code: 1}, {do: "install --frob", code: 1, says: "Option '--frob' is not recognized"},
		{do: "install rustc", code: 1, says: "Option 'rustc' is not recognized"}}},
	{name: "destdir and the root as prefix", pkgs: alone(image3), steps: []step{
		{do: "install --destdir=~/d --prefix=/", tree: in("d", image3), has: "package"}, {do: "uninstall --destdir=~/d --prefix=/"}}},
	{name: "nothing installed", x: "there is nothing to do", pkgs: alone(image3), steps: []step{{do: "uninstall", code: 1, says: "unable to find installation manifest"}}},
	{name: "legacy installation", pkgs: alone(image3), steps: []step{
		{do: "put ~/p/bin/old"},
		{do: "text ~/p/lib/cargo/manifest ~/p/bin/old"},
		{do: "install", says: "install: removing legacy file ~/p/bin/old\n", tree: in("p", image3), has: "package"}}},
}
