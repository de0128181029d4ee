package s3api

import "twinbucket/store"

// getPublicAccessBlock is GetPublicAccessBlock.
func (a *API) getPublicAccessBlock(req *request) error {
	const root = "PublicAccessBlockConfiguration"
	p := req.bucket.Public
	if p == nil {
		return notConfigured("NoSuchPublicAccessBlockConfiguration", req)
	}
	d := newDocument(root)
	d.publicAccess(p)
	return req.send(d, root)
}

// putPublicAccessBlock is PutPublicAccessBlock: what the body leaves out is off (S77).
func (a *API) putPublicAccessBlock(req *request) error {
	p, _, err := a.readPublicAccessBody(req, true)
	if err != nil {
		return err
	}
	if err := a.setPublicAccessBlock(req, p); err != nil {
		return err
	}
	return req.ok()
}

// deletePublicAccessBlock is DeletePublicAccessBlock: nothing is blocked afterwards.
func (a *API) deletePublicAccessBlock(req *request) error {
	if err := a.setPublicAccessBlock(req, nil); err != nil {
		return err
	}
	return req.noContent()
}

func (a *API) setPublicAccessBlock(req *request, p *store.PublicAccessBlock) error {
	return a.update(req, func(b *store.Bucket) error {
		b.Public = p
		return nil
	})
}

// readPublicAccessBody reads the settings of a bucket or an account, and how many the
// body names.
func (a *API) readPublicAccessBody(req *request, integrity bool) (p *store.PublicAccessBlock, named int, err error) {
	body, err := a.readBody(req, maxConfigBody, integrity)
	if err != nil {
		return p, 0, err
	}
	root, err := parseXML(body, "PublicAccessBlockConfiguration")
	if err != nil {
		return p, 0, err
	}
	p = readPublicAccess(root)
	return p, len(root.children), root.end()
}
