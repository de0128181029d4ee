package s3api

import (
	"net/http"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// keptDocument is a setting of a bucket that is validated and kept, and that nothing in
// Twinbucket acts upon.
type keptDocument struct {
	name  string // in store.Bucket.Documents
	root  shape
	check func(a *API, req *request, root *element) error // after the shape fits; nil: nothing more
	// missing is the 404 of a GET; "" answers an empty document.
	missing failure.Code
	// checksum: the body must come with one.
	checksum bool
}

// maxDocuments bounds what a bucket's documents take together, so that its record fits
// in a transaction.
const maxDocuments = 512 << 10

func (a *API) getDocument(req *request, k *keptDocument) error {
	content, ok := req.bucket.Documents[k.name]
	if !ok && k.missing != "" {
		return notConfigured(k.missing, req)
	}
	d := newDocument(k.root.name)
	d.buf = append(d.buf, content...)
	return req.send(d, k.root.name)
}

// putDocument validates the body and keeps it. An empty root takes the setting away where
// the API has no other way to (logging).
func (a *API) putDocument(req *request, k *keptDocument) error {
	content, err := a.readDocument(req, k)
	if err != nil {
		return err
	}
	if err := a.setDocument(req, k.name, content); err != nil {
		return err
	}
	return req.ok()
}

func (a *API) readDocument(req *request, k *keptDocument) (content string, err error) {
	body, err := a.readBody(req, maxConfigBody, k.checksum)
	if err != nil {
		return "", err
	}
	root, err := parseXML(body, k.root.name)
	if err != nil {
		return "", err
	}
	var d document
	k.root.read(root, &d)
	if err := root.end(); err != nil {
		return "", err
	}
	if k.check != nil {
		err = k.check(a, req, root)
	}
	return string(d.buf), err
}

// setDocument keeps content under name; "" takes it away.
func (a *API) setDocument(req *request, name, content string) error {
	return a.update(req, func(b *store.Bucket) error {
		if content == "" {
			delete(b.Documents, name)
			return nil
		}
		if b.Documents == nil {
			b.Documents = map[string]string{}
		}
		b.Documents[name] = content
		size := 0
		for name, text := range b.Documents {
			size += len(name) + len(text)
		}
		if size > maxDocuments {
			return failure.New("TooManyConfigurations", "")
		}
		return nil
	})
}

func (a *API) deleteDocument(req *request, name string) error {
	if err := a.setDocument(req, name, ""); err != nil {
		return err
	}
	req.w.WriteHeader(http.StatusNoContent)
	return nil
}
