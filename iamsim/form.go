package iamsim

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"twinbucket/internal/failure"
)

// form is the parameters of a request. Its readers note what is wrong with a value and
// go on, because AWS reports all violated constraints together; a handler asks err once
// it has read everything.
type form struct {
	values url.Values
	sts    bool // STS words constraints differently (I13)

	violations []string
	first      error // the first fault that isn't worded as a constraint
}

func (f *form) has(param string) bool { return f.values.Has(param) }

func (f *form) get(param string) string { return f.values.Get(param) }

// err is all that was found wrong, nil if nothing was.
func (f *form) err() error {
	switch n := len(f.violations); {
	case n == 1:
		return failure.New("ValidationError", "1 validation error detected: "+f.violations[0])
	case n > 1:
		return failure.Newf("ValidationError", "%d validation errors detected: %s", n, strings.Join(f.violations, "; "))
	}
	return f.first
}

// reject keeps the first fault that has a code or a text of its own.
func (f *form) reject(code failure.Code, format string, args ...any) {
	if f.first == nil {
		f.first = failure.Newf(code, format, args...)
	}
}

// violate notes a broken constraint on the member of that name (I13).
func (f *form) violate(member, value string, must string) {
	shown := "Value"
	if f.sts || member == "maxItems" || member == "maxSessionDuration" || member == "durationSeconds" {
		shown = "Value '" + value + "'"
	}
	f.violations = append(f.violations, shown+" at '"+member+"' failed to satisfy constraint: Member must "+must)
}

// member is a parameter's name as constraints show it: RoleName is roleName.
func member(param string) string {
	if param == "" {
		return ""
	}
	return strings.ToLower(param[:1]) + param[1:]
}

// text reads a parameter of min to max characters; min > 0 makes it required.
func (f *form) text(param string, min, max int) string {
	v := f.get(param)
	if v == "" && !f.has(param) {
		if min > 0 {
			f.missing(param)
		}
		return ""
	}
	switch n := utf8.RuneCountInString(v); {
	case n < min:
		f.violate(member(param), v, "have length greater than or equal to "+strconv.Itoa(min))
	case n > max:
		f.violate(member(param), v, "have length less than or equal to "+strconv.Itoa(max))
	}
	return v
}

// optional reads a parameter that may be absent, but has at least min characters when it is there.
func (f *form) optional(param string, min, max int) string {
	if !f.has(param) {
		return ""
	}
	return f.text(param, min, max)
}

func (f *form) missing(param string) {
	m := member(param)
	shown := "Value"
	if f.sts {
		shown = "Value null"
	}
	f.violations = append(f.violations, shown+" at '"+m+"' failed to satisfy constraint: Member must not be null")
}

// name reads a required name of at most max characters.
func (f *form) name(param string, max int) string {
	v := f.text(param, 1, max)
	f.checkName(param, v)
	return v
}

// optionalName is name for parameters that may be absent.
func (f *form) optionalName(param string, max int) string {
	v := f.optional(param, 1, max)
	f.checkName(param, v)
	return v
}

func (f *form) checkName(param, v string) {
	if v != "" && !allNameChars(v) {
		f.reject("ValidationError", "The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member(param)) // I14
	}
}

// allNameChars is the pattern [\w+=,.@-]* of names and STS strings (I12).
func allNameChars(s string) bool { return allOf(s, "_+=,.@-") }

// allOf reports whether s has only ASCII letters, digits and characters of more.
func allOf(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && !strings.Contains(more, string(rune(c))) {
			return false
		}
	}
	return true
}

// path reads an optional path, "/" by default (I12, I14).
func (f *form) path(param string) string {
	v := f.optional(param, 1, 512)
	if v == "" {
		return "/"
	}
	if v[0] != '/' || v[len(v)-1] != '/' || !printable(v, '!', '~') {
		f.reject("ValidationError", "The specified value for %s is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.", member(param))
	}
	return v
}

// pathPrefix reads the filter of a list, "/" by default (I14).
func (f *form) pathPrefix() string {
	v := f.optional("PathPrefix", 1, 512)
	if v == "" {
		return "/"
	}
	if v[0] != '/' || !printable(v, '!', '~') {
		f.reject("ValidationError", "The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters.")
	}
	return v
}

func printable(s string, low, high rune) bool {
	for _, r := range s {
		if r < low || r > high {
			return false
		}
	}
	return true
}

// document reads a required policy document (I12). The text is kept as it came.
func (f *form) document(param string) string {
	v := f.text(param, 1, 131072)
	for _, r := range v {
		if r != '\t' && r != '\n' && r != '\r' && (r < ' ' || r > '\u00FF') {
			f.reject("ValidationError", "The specified value for %s is invalid. It must contain only printable ASCII characters.", member(param))
			break
		}
	}
	return v
}

// description reads an optional description (I12).
func (f *form) description() string {
	v := f.optional("Description", 0, 1000)
	for _, r := range v {
		if r != '\t' && r != '\n' && r != '\r' && (r < ' ' || r > '~') && (r < '\u00A1' || r > '\u00FF') {
			f.violate("description", v, `satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`)
			break
		}
	}
	return v
}

// integer reads an optional number from low to high.
func (f *form) integer(param string, low, high, otherwise int) int {
	v := f.get(param)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(v, 10, 32)
	switch {
	case err != nil:
		f.reject("MalformedInput", "") // I7
	case n < int64(low):
		f.violate(member(param), v, "have value greater than or equal to "+strconv.Itoa(low))
	case n > int64(high):
		f.violate(member(param), v, "have value less than or equal to "+strconv.Itoa(high))
	}
	return int(n)
}

// boolean reads an optional flag.
func (f *form) boolean(param string) bool {
	switch v := f.get(param); v {
	case "", "false":
		return false
	case "true":
		return true
	}
	f.reject("MalformedInput", "")
	return false
}

// enum reads an optional word of a closed set.
func (f *form) enum(param string, words ...string) string {
	v := f.get(param)
	if v == "" {
		return ""
	}
	f.checkEnum(member(param), v, words)
	return v
}

func (f *form) checkEnum(member, v string, words []string) {
	if !slices.Contains(words, v) {
		f.violate(member, v, "satisfy enum value set: ["+strings.Join(words, ", ")+"]")
	}
}

// policyARN reads a required ARN of a managed policy (I15).
func (f *form) policyARN(param string) string {
	v := f.text(param, 20, 2048)
	f.checkPolicyARN(v)
	return v
}

func (f *form) checkPolicyARN(v string) {
	switch {
	case v == "":
	case strings.Count(v, ":") < 5 || !strings.HasPrefix(v, "arn:"):
		f.reject("ValidationError", "Invalid ARN:  Could not be parsed!")
	case strings.HasPrefix(v, "arn:aws:iam::"):
		if _, _, ok := splitPolicyARN(v); !ok {
			f.reject("ValidationError", "Invalid resource type in ARN")
		}
	}
}

// list reads PREFIX.member.1, PREFIX.member.2, …, with what follows in suffix.
func (f *form) list(prefix, suffix string) []string {
	var out []string
	for i := 1; ; i++ {
		param := prefix + ".member." + strconv.Itoa(i) + suffix
		if !f.has(param) {
			return out
		}
		out = append(out, f.get(param))
	}
}

// tags reads Tags.member.N.Key and .Value (I12, I13, I20).
func (f *form) tags() []tag { return f.tagsOf(strings.ToLower) }

// tagsOf takes keys for the same that fold makes the same.
func (f *form) tagsOf(fold func(string) string) []tag {
	var tags []tag
	for i := 1; ; i++ {
		at := "Tags.member." + strconv.Itoa(i)
		if !f.has(at+".Key") && !f.has(at+".Value") {
			break
		}
		for _, part := range [...]string{".Key", ".Value"} {
			if !f.has(at + part) {
				f.reject("MissingParameter", "The request must contain the parameter %s%s.", at, part)
			}
		}
		tags = append(tags, tag{f.get(at + ".Key"), f.get(at + ".Value")})
	}
	f.checkTags(tags, fold)
	return tags
}

func (f *form) checkTags(tags []tag, fold func(string) string) {
	seen := map[string]bool{}
	for i, t := range tags {
		f.checkTag(i+1, t)
		if key := fold(t.Key); seen[key] {
			f.duplicateTag()
		} else {
			seen[key] = true
		}
	}
	if len(tags) > maxTags {
		f.violate("tags", fmt.Sprint(tags), "have length less than or equal to 50")
	}
}

func (f *form) checkTag(i int, t tag) {
	at := "tags." + strconv.Itoa(i) + ".member."
	switch n := utf8.RuneCountInString(t.Key); {
	case n < 1:
		f.violate(at+"key", t.Key, "have length greater than or equal to 1")
	case n > 128:
		f.violate(at+"key", t.Key, "have length less than or equal to 128")
	case !allTagChars(t.Key):
		f.violate(at+"key", t.Key, `satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`)
	}
	switch {
	case utf8.RuneCountInString(t.Value) > 256:
		f.violate(at+"value", t.Value, "have length less than or equal to 256")
	case !allTagChars(t.Value):
		f.violate(at+"value", t.Value, `satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
	}
}

// allTagChars is the pattern of tag keys and values (I12).
func allTagChars(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.Is(unicode.Z, r) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}

func (f *form) duplicateTag() {
	code := failure.Code("InvalidInput")
	if f.sts {
		code = "InvalidParameterValue"
	}
	f.reject(code, "Duplicate tag keys found. Please note that Tag keys are case insensitive.") // I20
}

// parameters is the request as the trail keeps it: without secrets, and bounded.
func (f *form) parameters() map[string]any {
	out := make(map[string]any, len(f.values))
	for k, v := range f.values {
		switch {
		case k == "Action", k == "Version", k == "TokenCode", k == "WebIdentityToken", strings.HasPrefix(k, "X-Amz-"), len(v) == 0:
			continue
		}
		text := v[0]
		if len(text) > longestParameter {
			text = text[:longestParameter]
		}
		out[member(k)] = strings.ToValidUTF8(text, "")
	}
	return out
}
