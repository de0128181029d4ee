package walkthrough

import (
	"embed"
	"encoding/json"
	"os"
	"slices"
	"strings"
)

//go:embed documents
var files embed.FS

// document reads a file under documents/ and fills its ${placeholders}.
func document(name string, values placeholders) string { return values.fill(template(name)) }

// template is a document with its placeholders.
func template(name string) string {
	b, err := files.ReadFile("documents/" + name)
	if err != nil {
		panic("walkthrough: " + err.Error())
	}
	return string(b)
}

// placeholders are the names that the documents leave open.
type placeholders map[string]string

// fill replaces every ${name}; one that nobody knows is an error of ours.
func (p placeholders) fill(text string) string {
	return os.Expand(text, func(name string) string {
		v, ok := p[name]
		if !ok {
			panic("walkthrough: a document has the unknown placeholder ${" + name + "}")
		}
		return v
	})
}

// edit turns a working document into one with a mistake, or back.
type edit func(document string) string

// replace changes every occurrence of from.
func replace(from, to string) edit {
	return func(document string) string {
		if !strings.Contains(document, from) {
			panic("walkthrough: a document has no " + from + " to replace")
		}
		return strings.ReplaceAll(document, from, to)
	}
}

// without takes out the statements of a policy that allow action.
func without(action string) edit {
	return func(document string) string {
		return statements(document, func(raw json.RawMessage) bool { return !strings.Contains(string(raw), `"`+action+`"`) })
	}
}

// statements keeps some statements of a policy.
func statements(document string, keep func(json.RawMessage) bool) string {
	var p struct {
		Version   string
		Statement []json.RawMessage
	}
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		panic("walkthrough: a document is no policy: " + err.Error())
	}
	n := len(p.Statement)
	p.Statement = slices.DeleteFunc(p.Statement, func(raw json.RawMessage) bool { return !keep(raw) })
	if len(p.Statement) == n {
		panic("walkthrough: a document has no such statement")
	}
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		panic("walkthrough: " + err.Error())
	}
	return string(b)
}

// all makes several edits.
func all(edits ...edit) edit {
	return func(document string) string {
		for _, e := range edits {
			document = e(document)
		}
		return document
	}
}
