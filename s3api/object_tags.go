package s3api

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	maxObjectTags = 10
	maxTagKey     = 128 // characters
	maxTagValue   = 256 // characters
)

// sortTags orders tags by key, which is how S3 gives them back (S233).
func sortTags(tags []store.Tag) {
	slices.SortStableFunc(tags, func(a, b store.Tag) int { return cmp.Compare(a.Key, b.Key) })
}

// checkObjectTags holds a tag set, sorted by key, against the limits of objects (S233).
func checkObjectTags(tags []store.Tag) error {
	if len(tags) > maxObjectTags {
		return failure.New("BadRequest", "Object tags cannot be greater than 10")
	}
	for i, t := range tags {
		switch {
		case i > 0 && tags[i-1].Key == t.Key:
			return failure.New("InvalidTag", "Cannot provide multiple Tags with the same key", "TagKey", t.Key)
		case t.Key == "" || !tagText(t.Key, maxTagKey):
			return failure.New("InvalidTag", "The TagKey you have provided is invalid", "TagKey", t.Key)
		case !tagText(t.Value, maxTagValue):
			return failure.New("InvalidTag", "The TagValue you have provided is invalid", "TagKey", t.Key, "TagValue", t.Value)
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return failure.New("InvalidTag", "Your TagKey cannot be prefixed with aws:", "TagKey", t.Key)
		}
	}
	return nil
}

// tagText tells whether s has only the characters that tags may have, at most limit of them.
func tagText(s string, limit int) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > limit {
		return false
	}
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsSpace(r) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return true
}
