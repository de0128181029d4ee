package s3api

import "slices"

// listObjects is the first version of the list: it continues after a key, marker, and names
// the next one only when a delimiter was given; without it the last key serves (S262).
func (a *API) listObjects(req *request) error {
	l, err := a.readListing(req, "max-keys")
	if err != nil {
		return err
	}
	l.owners = true
	marker := req.query.Get("marker")
	page, err := a.listCurrent(req, &l, marker)
	if err != nil {
		return err
	}
	const root = "ListBucketResult"
	d := newDocument(root)
	d.buf = slices.Grow(d.buf, len(page.Versions)*entrySize)
	d.text("Name", req.bucketName)
	l.name(d, "Prefix", l.prefix)
	l.name(d, "Marker", marker)
	if page.Truncated && l.delimiter != "" {
		l.name(d, "NextMarker", page.Next)
	}
	d.number("MaxKeys", int64(l.max))
	l.optionalName(d, "Delimiter", l.delimiter)
	d.boolean("IsTruncated", page.Truncated)
	l.contents(d, page.Versions)
	l.end(d, page.Prefixes)
	return req.send(d, root)
}
