package s3api

import (
	"slices"

	"twinbucket/store"
)

// listObjectsV2 lists current objects by key (S260). A token says where the last page ended,
// start-after where the first begins.
func (a *API) listObjectsV2(req *request) error {
	l, err := a.readListing(req, "max-keys")
	if err != nil {
		return err
	}
	q := req.query
	l.owners = q.Get("fetch-owner") == "true" // S266
	startAfter := q.Get("start-after")
	after := startAfter
	token, continued := q["continuation-token"]
	if continued {
		if after, err = parseContinuationToken(token[0]); err != nil {
			return err
		}
	}
	page, err := a.listCurrent(req, &l, after)
	if err != nil {
		return err
	}
	const root = "ListBucketResult"
	d := newDocument(root)
	d.buf = slices.Grow(d.buf, len(page.Versions)*entrySize)
	d.text("Name", req.bucketName)
	l.name(d, "Prefix", l.prefix)
	l.optionalName(d, "Delimiter", l.delimiter)
	d.number("MaxKeys", int64(l.max))
	d.number("KeyCount", int64(len(page.Versions)+len(page.Prefixes)))
	d.boolean("IsTruncated", page.Truncated)
	if continued {
		d.text("ContinuationToken", token[0])
	}
	if page.Truncated {
		d.text("NextContinuationToken", continuationToken(page.Next))
	}
	l.optionalName(d, "StartAfter", startAfter)
	l.contents(d, page.Versions)
	l.end(d, page.Prefixes)
	return req.send(d, root)
}

// listCurrent reads a page of current objects. A page of none is empty and not truncated.
func (a *API) listCurrent(req *request, l *listing, after string) (*store.ListPage, error) {
	if l.max == 0 {
		return &store.ListPage{}, nil
	}
	return a.cfg.Store.List(req.ctx, store.ListQuery{
		Bucket: req.bucketName, Prefix: l.prefix, Delimiter: l.delimiter, After: after, Max: l.max,
	})
}
