package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getAccountPublicAccessBlock is S3 Control's GetPublicAccessBlock.
func (a *API) getAccountPublicAccessBlock(req *request) error {
	const root = "PublicAccessBlockConfiguration"
	p, err := a.cfg.Store.AccountPublicAccess(req.ctx, req.account)
	if err != nil {
		return err
	}
	if p == nil {
		return failure.New("NoSuchPublicAccessBlockConfiguration", "", "AccountId", req.account)
	}
	d := newControlDocument(root)
	d.publicAccess(p)
	return req.send(d, root)
}

// putAccountPublicAccessBlock is S3 Control's PutPublicAccessBlock: the settings hold for
// every bucket of the account beside the bucket's own (S154, S173).
func (a *API) putAccountPublicAccessBlock(req *request) error {
	p, named, err := a.readPublicAccessBody(req, false)
	if err != nil {
		return err
	}
	if named == 0 {
		return failure.New("InvalidRequest", "Must specify at least one configuration.")
	}
	if err := a.cfg.Store.SetAccountPublicAccess(req.ctx, req.account, p); err != nil {
		return err
	}
	req.w.WriteHeader(201)
	return nil
}

// deleteAccountPublicAccessBlock is S3 Control's DeletePublicAccessBlock.
func (a *API) deleteAccountPublicAccessBlock(req *request) error {
	if err := a.cfg.Store.SetAccountPublicAccess(req.ctx, req.account, nil); err != nil {
		return err
	}
	return req.noContent()
}

// readPublicAccess reads the four settings; what is left out is off (S77).
func readPublicAccess(root *element) *store.PublicAccessBlock {
	return &store.PublicAccessBlock{
		BlockPublicAcls:       root.one("BlockPublicAcls").boolean(),
		IgnorePublicAcls:      root.one("IgnorePublicAcls").boolean(),
		BlockPublicPolicy:     root.one("BlockPublicPolicy").boolean(),
		RestrictPublicBuckets: root.one("RestrictPublicBuckets").boolean(),
	}
}

func (d *document) publicAccess(p *store.PublicAccessBlock) {
	d.boolean("BlockPublicAcls", p.BlockPublicAcls)
	d.boolean("IgnorePublicAcls", p.IgnorePublicAcls)
	d.boolean("BlockPublicPolicy", p.BlockPublicPolicy)
	d.boolean("RestrictPublicBuckets", p.RestrictPublicBuckets)
}
