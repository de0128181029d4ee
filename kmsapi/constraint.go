package kmsapi

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"twinbucket/internal/failure"
)

// constrained is an input that the request model limits.
type constrained interface{ constraints(*violations) }

// check applies the model's constraints to an input, before anything else looks at it (K7).
func check(in any) error {
	c, ok := in.(constrained)
	if !ok {
		return nil
	}
	var v violations
	c.constraints(&v)
	return v.err()
}

// violations collects broken constraints and words them as the service framework does (K7).
type violations struct{ list []string }

func (v *violations) err() error {
	switch len(v.list) {
	case 0:
		return nil
	case 1:
		return failure.New(validation, "1 validation error detected: "+v.list[0])
	}
	return failure.New(validation, strconv.Itoa(len(v.list))+" validation errors detected: "+strings.Join(v.list, "; "))
}

func (v *violations) add(value, member, rule string) {
	v.list = append(v.list, fmt.Sprintf("Value%s at '%s' failed to satisfy constraint: %s", value, member, rule))
}

func quoted(s string) string { return " '" + s + "'" }

// required reports whether a required member was sent.
func (v *violations) required(member string, present bool) bool {
	if !present {
		v.add(" null", member, "Member must not be null")
	}
	return present
}

func (v *violations) length(value, member string, n, lo, hi int) {
	switch {
	case n < lo:
		v.add(value, member, "Member must have length greater than or equal to "+strconv.Itoa(lo))
	case n > hi:
		v.add(value, member, "Member must have length less than or equal to "+strconv.Itoa(hi))
	}
}

// text bounds the characters of a member; an absent one is fine.
func (v *violations) text(member string, s *string, lo, hi int) {
	if s != nil {
		v.length(quoted(*s), member, utf8.RuneCountInString(*s), lo, hi)
	}
}

func (v *violations) pattern(member string, s *string, re *regexp.Regexp) {
	if s != nil && !re.MatchString(*s) {
		v.add(quoted(*s), member, "Member must satisfy regular expression pattern: "+re.String())
	}
}

// secret bounds the bytes of a blob without showing it; nil is absent.
func (v *violations) secret(member string, b blob, lo, hi int) {
	if b != nil {
		v.length("", member, len(b), lo, hi)
	}
}

func (v *violations) number(member string, n *int32, lo, hi int32) {
	switch {
	case n == nil:
	case *n < lo:
		v.add(quoted(strconv.Itoa(int(*n))), member, fmt.Sprintf("Member must have value greater than or equal to %d", lo))
	case *n > hi:
		v.add(quoted(strconv.Itoa(int(*n))), member, fmt.Sprintf("Member must have value less than or equal to %d", hi))
	}
}

func (v *violations) enum(member string, s *string, set ...string) {
	if s == nil {
		return
	}
	for _, allowed := range set {
		if *s == allowed {
			return
		}
	}
	v.add(quoted(*s), member, "Member must satisfy enum value set: ["+strings.Join(set, ", ")+"]")
}

// keyID is the KeyId member that most operations require.
func (v *violations) keyID(member string, s *string) {
	if v.required(member, s != nil) {
		v.text(member, s, 1, 2048)
	}
}

// paging are the members of list operations.
func (v *violations) paging(limit *int32, marker *string) {
	v.number("limit", limit, 1, 1000)
	v.text("marker", marker, 1, 1024)
}

func (v *violations) tags(list []tag) {
	for i := range list {
		at := "tags." + strconv.Itoa(i+1) + ".member."
		v.text(at+"tagKey", &list[i].Key, 1, 128)
		v.text(at+"tagValue", &list[i].Value, 0, 256)
	}
}

func (v *violations) grantTokens(list []string) {
	if len(list) > 10 {
		v.length(quoted("["+strings.Repeat("***, ", len(list)-1)+"***]"), "grantTokens", len(list), 0, 10)
	}
}

func (v *violations) encryptionAlgorithm(member string, s *string) {
	v.enum(member, s, algSymmetric, "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE")
}
