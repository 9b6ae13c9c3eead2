package compose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"x.go/dist/channel"
)

// WebServers are the programs and services that [RedirectConfig] writes rules for.
func WebServers() []string { return []string{"nginx", "caddy", "s3"} }

// RedirectConfig writes rules as the configuration of a web server of [WebServers]:
//
//	nginx  a server block, for a file that nginx.conf includes
//	caddy  a Caddyfile
//	s3     the website configuration of a bucket, as JSON for aws s3api put-bucket-website
//
// They do what [channel.Server] does with the rules, but for S3, which cannot refuse a
// path: there the signatures of the channel have to be in the bucket, and the manifests of
// its day. root is the directory above dist.
func RedirectConfig(server, root string, rules []channel.Redirect) ([]byte, error) {
	for _, r := range rules {
		if !plainText.MatchString(r.Prefix()) || !plainText.MatchString(r.Target()) {
			return nil, fmt.Errorf("writing rules for %s: %q has characters that mean something else there: want letters, digits and any of /:@._~+%%-", server, r.Prefix()+" "+r.Target())
		}
	}
	if !plainRoot.MatchString(root) {
		return nil, fmt.Errorf("writing rules for %s: directory %q has characters that mean something else there: choose another", server, root)
	}
	switch server {
	case "nginx":
		return nginx(root, rules), nil
	case "caddy":
		return caddy(root, rules), nil
	case "s3":
		return s3(rules)
	}
	return nil, fmt.Errorf("writing rules for %q: want %s", server, strings.Join(WebServers(), ", "))
}

// plainText matches paths and URLs that no configuration file takes for more than text.
var plainText = regexp.MustCompile(`^[A-Za-z0-9/:@._~+%\[\]-]*$`)

// plainRoot matches paths of directories between double quotes.
var plainRoot = regexp.MustCompile(`^[^"'\\{}$;#\x00-\x1f\x7f]+$`)

// sidePattern matches the names of checksums and signatures; its first group is the file.
func sidePattern() string {
	var exts []string
	for _, ext := range channel.SideExts() {
		exts = append(exts, regexp.QuoteMeta(ext))
	}
	return "^(.+?)(" + strings.Join(exts, "|") + ")+$"
}

// pathPattern matches what a rule is for; its first group is the rest of the path.
func pathPattern(r channel.Redirect) string {
	if r.Target() == "" {
		return "^" + regexp.QuoteMeta(r.Prefix()) + "($|/)"
	}
	return "^" + regexp.QuoteMeta(r.Prefix()) + "/(.*[^/])$"
}

// byLength returns the rules with the longest prefix first.
func byLength(rules []channel.Redirect) []channel.Redirect {
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, b channel.Redirect) int { return len(b.Prefix()) - len(a.Prefix()) })
	return rules
}

const notElsewhere = "# A checksum or a signature of a file that is here is never another server's."

func nginx(root string, rules []channel.Redirect) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# A channel for rustup whose base is elsewhere: nginx sends clients there for what
# is not below root. For a file that nginx.conf includes, such as
# /etc/nginx/conf.d/rust.conf.
server {
    listen 80;
    server_name _;
    root "%s";
    default_type application/octet-stream;

    location / {
        try_files $uri @elsewhere;
    }

    location @elsewhere {
        %s
        set $x_file $uri;
        if ($uri ~ "%s") {
            set $x_file $1;
        }
        if (-f $document_root$x_file) {
            return 404;
        }
`, root, notElsewhere, sidePattern())
	for _, r := range byLength(rules) {
		if r.Target() == "" {
			fmt.Fprintf(&b, "        if ($x_file ~ \"%s\") {\n            return 404;\n        }\n", pathPattern(r))
			continue
		}
		fmt.Fprintf(&b, "        rewrite \"%s\" \"%s/$1\" redirect;\n", pathPattern(r), r.Target())
	}
	b.WriteString("        return 404;\n    }\n}\n")
	return b.Bytes()
}

func caddy(root string, rules []channel.Redirect) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `# A channel for rustup whose base is elsewhere: Caddy sends clients there for what
# is not below root. A name such as rust.example.org in place of :80 gives it TLS.
:80 {
	root * "%s"

	@here file {path}
	handle @here {
		file_server
	}

	handle {
		route {
			%s
			@side path_regexp side %s
			route @side {
				@own file {re.side.1}
				respond @own 404
			}
`, root, notElsewhere, sidePattern())
	for i, r := range byLength(rules) {
		if r.Target() == "" {
			fmt.Fprintf(&b, "\t\t\t@none%d path %s %s.*\n\t\t\trespond @none%d 404\n", i, r.Prefix(), r.Prefix(), i)
			continue
		}
		fmt.Fprintf(&b, "\t\t\t@away%d path_regexp away%d %s\n\t\t\tredir @away%d %s/{re.away%d.1} 302\n", i, i, pathPattern(r), i, r.Target(), i)
	}
	b.WriteString("\t\t\trespond 404\n\t\t}\n\t}\n}\n")
	return b.Bytes()
}

// websiteConfiguration is what PutBucketWebsite of Amazon's S3 API takes.
type websiteConfiguration struct {
	IndexDocument struct {
		Suffix string `json:"Suffix"`
	} `json:"IndexDocument"`
	RoutingRules []routingRule `json:"RoutingRules"`
}

type routingRule struct {
	Condition struct {
		HTTPErrorCodeReturnedEquals string `json:"HttpErrorCodeReturnedEquals"`
		KeyPrefixEquals             string `json:"KeyPrefixEquals,omitempty"`
	} `json:"Condition"`
	Redirect struct {
		Protocol             string `json:"Protocol"`
		HostName             string `json:"HostName"`
		ReplaceKeyPrefixWith string `json:"ReplaceKeyPrefixWith,omitempty"`
		HTTPRedirectCode     string `json:"HttpRedirectCode"`
	} `json:"Redirect"`
}

// maxRoutingRules is Amazon's limit.
const maxRoutingRules = 50

func s3(rules []channel.Redirect) ([]byte, error) {
	var w websiteConfiguration
	w.IndexDocument.Suffix = "index.html"
	for _, r := range byLength(rules) {
		if r.Target() == "" {
			continue
		}
		u, err := url.Parse(r.Target())
		if err != nil {
			return nil, fmt.Errorf("writing rules for s3: %w", err)
		}
		// Who may not list a bucket gets 403 for what is not there.
		for _, status := range []string{"404", "403"} {
			var rule routingRule
			rule.Condition.HTTPErrorCodeReturnedEquals = status
			rule.Condition.KeyPrefixEquals = strings.TrimPrefix(r.Prefix()+"/", "/")
			rule.Redirect.Protocol, rule.Redirect.HostName = u.Scheme, u.Host
			rule.Redirect.ReplaceKeyPrefixWith = strings.TrimPrefix(u.EscapedPath()+"/", "/")
			rule.Redirect.HTTPRedirectCode = "302"
			w.RoutingRules = append(w.RoutingRules, rule)
		}
	}
	if n := len(w.RoutingRules); n > maxRoutingRules {
		return nil, fmt.Errorf("writing rules for s3: got %d, and a bucket takes %d: leave out --redirect, which copies the files", n, maxRoutingRules)
	}
	data, err := json.MarshalIndent(w, "", "  ")
	return append(data, '\n'), err
}
