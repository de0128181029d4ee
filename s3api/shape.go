package s3api

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// shape says what an element of a configuration document may hold. Settings that are
// kept without being acted upon are read by it alone: what does not fit is MalformedXML,
// and what fits is written down again in the shape's order, without the sender's
// comments, namespaces and white space between elements.
type shape struct {
	name string
	// many allows more than one; optional allows none.
	many, optional bool
	kind           leafKind
	enum           []string
	children       []shape
}

type leafKind int

const (
	group leafKind = iota // has children
	textLeaf
	integerLeaf
	booleanLeaf
	dateLeaf
)

func text(name string, enum ...string) shape { return shape{name: name, kind: textLeaf, enum: enum} }
func integer(name string) shape              { return shape{name: name, kind: integerLeaf} }
func boolean(name string) shape              { return shape{name: name, kind: booleanLeaf} }
func parent(name string, children ...shape) shape {
	return shape{name: name, children: children}
}

func (s shape) opt() shape  { s.optional = true; return s }
func (s shape) list() shape { s.many = true; return s }

// read takes the children of e that s names, marks the document where they don't fit,
// and writes them to d.
func (s *shape) read(e *element, d *document) {
	for i := range s.children {
		c := &s.children[i]
		found := e.many(c.name)
		if len(found) == 0 && !c.optional || len(found) > 1 && !c.many {
			e.malformed()
		}
		for _, f := range found {
			c.copy(f, d)
		}
	}
}

// copy reads e as s and writes it.
func (s *shape) copy(e *element, d *document) {
	if s.kind == group {
		d.open(s.name, granteeType(s.name, e)...)
		s.read(e, d)
		d.close(s.name)
		return
	}
	v := e.leaf()
	switch s.kind {
	case integerLeaf:
		v = strings.TrimSpace(v)
		if _, err := strconv.ParseInt(v, 10, 32); err != nil {
			e.malformed()
		}
	case booleanLeaf:
		v = strconv.FormatBool(e.boolean())
	case dateLeaf:
		if _, err := time.Parse(time.RFC3339, v); err != nil {
			e.malformed()
		}
	}
	if s.enum != nil && !slices.Contains(s.enum, v) {
		e.malformed()
	}
	d.text(s.name, v)
}

// granteeType is the xsi:type of a Grantee, which follows from what names it.
func granteeType(name string, e *element) []string {
	if name != "Grantee" {
		return nil
	}
	typ := "CanonicalUser"
	switch {
	case e.one("URI") != nil:
		typ = "Group"
	case e.one("EmailAddress") != nil:
		typ = "AmazonCustomerByEmail"
	}
	return []string{` xmlns:xsi="` + xsiNamespace + `"`, ` xsi:type="` + typ + `"`}
}

// find is the first element at a path below e, nil if there is none.
func (e *element) find(path ...string) *element {
	for _, name := range path {
		if e == nil {
			return nil
		}
		i := slices.IndexFunc(e.children, func(c *element) bool { return c.name == name })
		if i < 0 {
			return nil
		}
		e = e.children[i]
	}
	return e
}
