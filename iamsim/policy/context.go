package policy

import "strings"

// Context holds the condition keys of a request, by lower-case name. Fill it with
// Set: the evaluator looks keys up in lower case. A key that is absent from the
// request must be absent here; a key with an empty string is present (P32).
//
// Names compare without case, as AWS does, and so do the parts that a request
// chooses: tag names and the entry of kms:EncryptionContext:entry (P39). Two
// entries that differ only in case therefore share one key.
type Context map[string][]string

// Set stores a single- or multi-valued key under its lower-case name.
func (c Context) Set(key string, values ...string) { c[strings.ToLower(key)] = values }

// Get returns the values of key and whether the key is present.
func (c Context) Get(key string) ([]string, bool) {
	v, ok := c[strings.ToLower(key)]
	return v, ok
}
