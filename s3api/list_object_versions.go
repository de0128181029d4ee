package s3api

import (
	"slices"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// listObjectVersions lists versions and delete markers together, by key and newest first
// (S263).
func (a *API) listObjectVersions(req *request) error {
	l, err := a.readListing(req, "max-keys")
	if err != nil {
		return err
	}
	l.owners = true
	keyMarker, versionMarker := req.query.Get("key-marker"), req.query.Get("version-id-marker")
	if versionMarker != "" && keyMarker == "" { // S265
		return failure.New("InvalidArgument", "A version-id marker cannot be specified without a key marker.",
			"ArgumentName", "version-id-marker", "ArgumentValue", versionMarker)
	}
	if versionMarker != "" && !validVersionID(versionMarker, req.bucket) {
		return failure.New("InvalidArgument", "Invalid version id specified",
			"ArgumentName", "version-id-marker", "ArgumentValue", versionMarker)
	}
	page := &store.ListPage{}
	if l.max > 0 {
		page, err = a.cfg.Store.ListVersions(req.ctx, store.ListQuery{
			Bucket: req.bucketName, Prefix: l.prefix, Delimiter: l.delimiter,
			After: keyMarker, AfterVersion: versionMarker, Max: l.max,
		})
		if err != nil {
			return err
		}
	}
	const root = "ListVersionsResult"
	d := newDocument(root)
	d.buf = slices.Grow(d.buf, len(page.Versions)*entrySize)
	d.text("Name", req.bucketName)
	l.name(d, "Prefix", l.prefix)
	l.name(d, "KeyMarker", keyMarker)
	d.text("VersionIdMarker", versionMarker)
	if page.Truncated {
		l.name(d, "NextKeyMarker", page.Next)
		d.optional("NextVersionIdMarker", page.NextVersion)
	}
	d.number("MaxKeys", int64(l.max))
	l.optionalName(d, "Delimiter", l.delimiter)
	d.boolean("IsTruncated", page.Truncated)
	for i, v := range page.Versions {
		l.version(d, v, page.Latest[i])
	}
	l.end(d, page.Prefixes)
	return req.send(d, root)
}

// version writes one entry of a version list; delete markers have no content to tell of.
func (l *listing) version(d *document, v *store.Version, latest bool) {
	element := "Version"
	if v.DeleteMarker {
		element = "DeleteMarker"
	}
	d.open(element)
	l.name(d, "Key", v.Key)
	d.text("VersionId", v.ID)
	d.boolean("IsLatest", latest)
	if v.DeleteMarker {
		d.time("LastModified", v.LastModified)
	} else {
		l.summary(d, v)
	}
	l.owner(d, v.Owner)
	d.close(element)
}
