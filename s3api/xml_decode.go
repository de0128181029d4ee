package s3api

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"strconv"
	"strings"

	"twinbucket/internal/failure"
)

// errMalformedXML is S3's one answer to every document that is not as the schema says (S35).
var errMalformedXML = failure.New("MalformedXML", "")

const (
	maxXMLDepth    = 16
	maxXMLElements = 100_000
)

// element is one element of a request document. Elements are taken out by name, and end
// then refuses what nobody asked for: encoding/xml alone would silently skip unknown
// elements and merge duplicates, where S3 answers MalformedXML. Namespaces are ignored,
// as S3 does; the order of elements is free.
//
// The first fault sticks to the document: readers take everything out and look at the
// error of end once.
type element struct {
	name     string
	text     string
	children []*element
	doc      *xmlDocument
	asked    bool // somebody took this element out
	isLeaf   bool // … and read its text
}

type xmlDocument struct {
	bad      bool
	elements int
}

// parseXML reads a document whose root element is called root. An empty body is
// MissingRequestBodyError, anything else that is wrong MalformedXML.
func parseXML(body []byte, root string) (*element, error) {
	if len(body) == 0 {
		return nil, failure.New("MissingRequestBodyError", "")
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	doc := &xmlDocument{}
	var top *element
	var path []*element
	for {
		token, err := d.Token()
		if err == io.EOF && top != nil && len(path) == 0 {
			break
		}
		if err != nil {
			return nil, errMalformedXML.Because(err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, doc: doc}
			if doc.elements++; doc.elements > maxXMLElements || len(path) >= maxXMLDepth {
				return nil, errMalformedXML
			}
			if len(path) > 0 {
				parent := path[len(path)-1]
				parent.children = append(parent.children, e)
			} else if top != nil || e.name != root {
				return nil, errMalformedXML
			} else {
				top = e
			}
			path = append(path, e)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 0 {
				path[len(path)-1].text += string(t)
			} else if len(bytes.TrimSpace(t)) > 0 {
				return nil, errMalformedXML
			}
		case xml.Directive: // no document type, so no entities of the sender's making
			return nil, errMalformedXML
		}
	}
	top.asked = true
	return top, nil
}

// malformed marks the document as not following the schema.
func (e *element) malformed() { e.doc.bad = true }

// one takes out the child called name, nil if there is none.
func (e *element) one(name string) *element {
	var found *element
	for _, c := range e.children {
		if c.name != name {
			continue
		}
		if found != nil {
			e.malformed()
		}
		c.asked, found = true, c
	}
	return found
}

// need is one for a child that must be there; it never returns nil.
func (e *element) need(name string) *element {
	if c := e.one(name); c != nil {
		return c
	}
	e.malformed()
	return &element{name: name, doc: e.doc}
}

// many takes out all children called name, in order.
func (e *element) many(name string) []*element {
	var found []*element
	for _, c := range e.children {
		if c.name == name {
			c.asked = true
			found = append(found, c)
		}
	}
	return found
}

// leaf is the element's text, white space included. nil has none.
func (e *element) leaf() string {
	if e == nil {
		return ""
	}
	e.isLeaf = true
	if len(e.children) > 0 {
		e.malformed()
	}
	return e.text
}

// enum is the element's text, which must be one of values.
func (e *element) enum(values ...string) string {
	v := e.leaf()
	if !slices.Contains(values, v) {
		e.malformed()
	}
	return v
}

// integer is the element's text as a number of at most max; smaller ones down to the
// smallest 32-bit number are for the caller to judge.
func (e *element) integer(max int64) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(e.leaf()), 10, 64)
	if err != nil || n > max || n < -1<<31 {
		e.malformed()
	}
	return n
}

// boolean is the element's text as an XML Schema boolean; nil is false.
func (e *element) boolean() bool {
	if e == nil {
		return false
	}
	switch strings.ToLower(strings.TrimSpace(e.leaf())) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	}
	e.malformed()
	return false
}

// end checks the whole document below e: MalformedXML if a reader marked it so, if an
// element was not asked for, or if text stands between elements.
func (e *element) end() error {
	if e.doc.bad || !e.clean() {
		return errMalformedXML
	}
	return nil
}

func (e *element) clean() bool {
	if !e.asked || !e.isLeaf && strings.TrimSpace(e.text) != "" {
		return false
	}
	return !slices.ContainsFunc(e.children, func(c *element) bool { return !c.clean() })
}
