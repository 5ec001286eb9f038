package config

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// document checks a whole config.json.
func (c *checker) document() {
	var top *place
	c.version(top.key("ociVersion"), c.spec.Version)
	c.root(top.key("root"), c.spec.Root)
	if c.spec.Process == nil {
		c.fault(top.key("process"), "is missing: there is nothing to start")
	} else {
		c.process(top.key("process"), c.spec.Process)
	}
	c.hostname(top.key("hostname"), c.spec.Hostname)
	c.hostname(top.key("domainname"), c.spec.Domainname)
	c.mounts(top.key("mounts"), c.spec.Mounts)
	c.hooks(top.key("hooks"), c.spec.Hooks)
	c.annotations(top.key("annotations"), c.spec.Annotations)
	if c.spec.Linux != nil {
		c.linux(top.key("linux"), c.spec.Linux)
	}
}

// version: SemVer 2.0.0, and major version 1, within which the specification is compatible.
func (c *checker) version(at *place, version string) {
	switch {
	case version == "":
		c.hinted(at, "is missing or empty", didYouMean(specs.Version))
	case !semver(version):
		c.fault(at, quote(version)+" is not a semantic version such as \""+specs.Version+"\"")
	case !strings.HasPrefix(version, "1."):
		c.fault(at, "version "+quote(version)+" is not supported, only 1.x is")
	}
}

// semver follows the grammar of SemVer 2.0.0: MAJOR.MINOR.PATCH[-PRE][+BUILD].
func semver(version string) bool {
	rest, build, hasBuild := strings.Cut(version, "+")
	core, pre, hasPre := strings.Cut(rest, "-")
	numbers := strings.Split(core, ".")
	if len(numbers) != 3 || hasBuild && !identifiers(build, false) || hasPre && !identifiers(pre, true) {
		return false
	}
	for _, n := range numbers {
		if n == "" || !digitsOnly(n) || leadingZero(n) {
			return false
		}
	}
	return true
}

// identifiers checks dot-separated names; numbers among them have no leading zero if strict.
func identifiers(list string, strict bool) bool {
	for name := range strings.SplitSeq(list, ".") {
		if name == "" || strings.IndexFunc(name, notIdentifier) >= 0 || strict && digitsOnly(name) && leadingZero(name) {
			return false
		}
	}
	return true
}

func notIdentifier(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && !(r >= '0' && r <= '9') && r != '-'
}

func digitsOnly(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

func leadingZero(s string) bool { return len(s) > 1 && s[0] == '0' }

func (c *checker) root(at *place, root *specs.Root) {
	switch {
	case root == nil:
		c.fault(at, "is missing")
	case root.Path == "":
		c.fault(at.key("path"), "is missing or empty")
	default:
		c.noNUL(at.key("path"), root.Path)
	}
}

// maxHostname is __NEW_UTS_LEN of <linux/utsname.h>.
const maxHostname = 64

// hostname checks the host or domain name, uts_namespaces(7).
func (c *checker) hostname(at *place, name string) {
	if name == "" {
		return
	}
	if len(name) > maxHostname {
		c.fault(at, quote(name)+" is longer than 64 bytes")
	}
	c.noNUL(at, name)
	if c.namespace(specs.UTSNamespace) == nil {
		c.hinted(at, "needs a uts namespace, else it would rename the host", `add {"type": "uts"} to /linux/namespaces`)
	}
}

func (c *checker) annotations(at *place, annotations map[string]string) {
	if _, found := annotations[""]; found {
		c.fault(at.key(""), "the key of an annotation is empty")
	}
}
