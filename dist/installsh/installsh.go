// Package installsh writes the install.sh of dist archives.
//
// The script is this project's own. It behaves like the install.sh of
// src/tools/rust-installer: it has the same options and the same records below
// lib/<RelManifestDir>, so that either script can uninstall or upgrade what the
// other installed. It differs where that one loses data or writes to places it was
// not told to; the package's tests name each difference.
package installsh

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// FileName is the name of the script at the top of an archive.
const FileName = "install.sh"

// version is the format of archives and installed records, which the files named
// rust-installer-version hold. It has been 3 since 2014.
const version = 3

// Options are what differs from one product's install.sh to another's. A zero field
// has the default of rust-installer's command line.
type Options struct {
	// Product is the name that messages use, such as "Rust". Default "Product".
	// It is shown as it is; rust-installer's command line, which cannot take
	// spaces, turns each "-" of its argument into one.
	Product string
	// SuccessMessage ends a successful installation. Default "Installed."
	SuccessMessage string
	// RelManifestDir is the directory of the records below libdir: one path
	// component, "rustlib" for Rust. Default "manifestlib".
	RelManifestDir string
	// LegacyManifestDirs are directories below libdir, one path component each, in
	// which installers before version 2 left a file named manifest. The script
	// removes the files it lists when it installs or uninstalls anything.
	LegacyManifestDirs []string
}

//go:embed install.sh.tmpl
var text string

var script = template.Must(template.New("install.sh").Funcs(template.FuncMap{"sh": quote}).Parse(text))

// Script returns install.sh for o. The bytes depend on o alone. It is an error if
// a field holds a control character or is not UTF-8, or if a directory is not
// exactly one path component.
func Script(o Options) ([]byte, error) {
	words := map[string]string{
		"Product":        cmp.Or(o.Product, "Product"),
		"SuccessMessage": cmp.Or(o.SuccessMessage, "Installed."),
		"RelManifestDir": cmp.Or(o.RelManifestDir, "manifestlib"),
	}
	for _, name := range []string{"Product", "SuccessMessage", "RelManifestDir"} {
		if err := checkText(words[name]); err != nil {
			return nil, fmt.Errorf("creating install.sh: %s %q: %w", name, words[name], err)
		}
	}
	if err := checkDir(words["RelManifestDir"]); err != nil {
		return nil, fmt.Errorf("creating install.sh: RelManifestDir %q: %w", words["RelManifestDir"], err)
	}
	var legacy strings.Builder // one name a line, each line ended, as the script's lists are
	for _, dir := range o.LegacyManifestDirs {
		if err := checkDir(dir); err != nil {
			return nil, fmt.Errorf("creating install.sh: LegacyManifestDirs %q: %w", dir, err)
		}
		legacy.WriteString(dir + "\n")
	}
	var out bytes.Buffer
	err := script.Execute(&out, map[string]any{
		"Product":            words["Product"],
		"SuccessMessage":     words["SuccessMessage"],
		"RelManifestDir":     words["RelManifestDir"],
		"LegacyManifestDirs": legacy.String(),
		"Version":            version,
	})
	if err != nil {
		return nil, fmt.Errorf("creating install.sh: %w", err)
	}
	return out.Bytes(), nil
}

// Words returns the product and the success message of a script that [Script] or
// rust-installer wrote; "" if the script has none.
func Words(script []byte) (product, successMessage string) {
	for line := range strings.Lines(string(script)) {
		name, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "product", "TEMPLATE_PRODUCT_NAME":
			product = cmp.Or(product, unquote(word))
		case "success_message", "TEMPLATE_SUCCESS_MESSAGE":
			successMessage = cmp.Or(successMessage, unquote(word))
		}
	}
	return product, successMessage
}

// Same reports whether two scripts differ in nothing but their [Words].
func Same(a, b []byte) bool {
	return bytes.Equal(a, b) || wordless(a) == wordless(b)
}

// wordless returns a script without what [Words] finds. Lines that are more than an
// assignment of one word stay.
func wordless(script []byte) string {
	var out strings.Builder
	for line := range strings.Lines(string(script)) {
		name, word, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "product", "TEMPLATE_PRODUCT_NAME", "success_message", "TEMPLATE_SUCCESS_MESSAGE":
			if unquote(word) != "" {
				line = name + "\n"
			}
		}
		out.WriteString(line)
	}
	return out.String()
}

// unquote undoes [quote]; other words are "".
func unquote(word string) string {
	s := strings.ReplaceAll(word, `'"'"'`, "\x00")
	if len(s) < 2 || s[0] != '\'' || s[len(s)-1] != '\'' || strings.Contains(s[1:len(s)-1], "'") {
		return ""
	}
	return strings.ReplaceAll(s[1:len(s)-1], "\x00", "'")
}

// quote returns s as one word of a POSIX shell. Between single quotes every
// character but the single quote stands for itself.
func quote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
}

func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("got invalid UTF-8")
	}
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return fmt.Errorf("got control character %q", s[i])
	}
	return nil
}

func checkDir(s string) error {
	if err := checkText(s); err != nil {
		return err
	}
	if s == "" || s == "." || s == ".." || strings.Contains(s, "/") {
		return errors.New("want one path component")
	}
	return nil
}
