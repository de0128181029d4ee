package s3api

import (
	"net/http"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getBucketRequestPayment is GetBucketRequestPayment.
func (a *API) getBucketRequestPayment(req *request) error {
	const root = "RequestPaymentConfiguration"
	payer := "BucketOwner"
	if req.bucket.RequesterPays {
		payer = "Requester"
	}
	d := newDocument(root)
	d.text("Payer", payer)
	return req.send(d, root)
}

// putBucketRequestPayment is PutBucketRequestPayment.
func (a *API) putBucketRequestPayment(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	root, err := parseXML(body, "RequestPaymentConfiguration")
	if err != nil {
		return err
	}
	payer := root.need("Payer").enum("BucketOwner", "Requester")
	if err := root.end(); err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		b.RequesterPays = payer == "Requester"
		return nil
	})
	if err != nil {
		return err
	}
	return req.ok()
}

// chargeRequester: in a bucket whose requesters pay, callers of other accounts must say
// that they know, and anonymous ones are refused (S162).
func (req *request) chargeRequester() error {
	if !req.bucket.RequesterPays || req.caller.Account() == req.bucket.Account {
		return nil
	}
	says := req.r.Header.Get("X-Amz-Request-Payer") == "requester" || req.query.Get("x-amz-request-payer") == "requester"
	if !says || req.caller.Principal.Type == policy.Anonymous {
		return failure.New("AccessDenied", "Bucket is requester pays bucket. Please read the documentation to request.")
	}
	if req.r.Method != http.MethodOptions {
		req.w.Header()["X-Amz-Request-Charged"] = []string{"requester"}
	}
	return nil
}
