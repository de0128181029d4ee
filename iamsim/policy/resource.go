package policy

import "strings"

// resourcePattern is one entry of Resource or NotResource. The first five fields
// of an ARN are matched one by one, the sixth may hold colons and variables (P23).
type resourcePattern struct {
	all  bool   // "*"
	none bool   // neither "*" nor an ARN
	head string // the fields before the last given one with their colons, when none has a wildcard
	// fields are the same when one has; head is "" then.
	fields []glob
	last   pattern
	// open: fewer than six fields were written and the missing ones mean "any" (P24).
	open bool
	// s3all is arn:aws:s3:::*, which also covers S3 actions without a resource (P25).
	s3all bool
}

func compileResource(text string, vars bool) resourcePattern {
	if strings.Trim(text, "*") == "" && text != "" {
		return resourcePattern{all: true}
	}
	if !strings.HasPrefix(text, "arn:") {
		return resourcePattern{none: true}
	}
	fields := splitFields(text)
	n := len(fields)
	last := fields[n-1]
	r := resourcePattern{
		last:  compilePattern(last, vars && n == 6, true),
		open:  n < 6 && !strings.HasSuffix(last, "*"),
		s3all: text == "arn:aws:s3:::*",
	}
	if head := text[:len(text)-len(last)]; !hasWildcard(head) {
		r.head = head
		return r
	}
	for _, f := range fields[:n-1] {
		r.fields = append(r.fields, compileGlob(encode(f)))
	}
	return r
}

// splitFields cuts an ARN at its first five colons; colons inside ${…} don't count.
func splitFields(text string) []string {
	fields := make([]string, 0, 6)
	start := 0
	for i := 0; i < len(text) && len(fields) < 5; i++ {
		if strings.HasPrefix(text[i:], "${") {
			if end := strings.IndexByte(text[i:], '}'); end > 0 {
				i += end
				continue
			}
		}
		if text[i] == ':' {
			fields = append(fields, text[start:i])
			start = i + 1
		}
	}
	return append(fields, text[start:])
}

// match reports whether the pattern covers resource; resolved is false when a variable had no value.
func (r *resourcePattern) match(resource, action string, ctx Context) (ok, resolved bool) {
	if r.all {
		return true, true
	}
	if r.none {
		return false, true
	}
	if resource == "*" {
		return r.s3all && strings.HasPrefix(action, "s3:"), true
	}
	rest := resource
	if r.fields == nil {
		if !strings.HasPrefix(resource, r.head) {
			return false, true
		}
		rest = resource[len(r.head):]
	}
	for i := range r.fields {
		field, after, found := strings.Cut(rest, ":")
		if !found || !r.fields[i].match(field) {
			return false, true
		}
		rest = after
	}
	if r.open {
		rest, _, _ = strings.Cut(rest, ":")
	}
	return r.last.match(rest, ctx)
}

// arnFields cuts a request's ARN into its six fields.
func arnFields(s string) (fields [6]string, ok bool) {
	for i := range 5 {
		var found bool
		fields[i], s, found = strings.Cut(s, ":")
		if !found {
			return fields, false
		}
	}
	fields[5] = s
	return fields, fields[0] == "arn"
}
