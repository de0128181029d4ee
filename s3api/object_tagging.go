package s3api

import (
	"net/http"
	"slices"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// getObjectTagging answers a version's tags, sorted by key; none is an empty set (S233).
func (a *API) getObjectTagging(req *request) error {
	v, err := a.taggedVersion(req)
	if err != nil {
		return err
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	const root = "Tagging"
	d := newDocument(root)
	d.tagSet(v.Tags)
	return req.send(d, root)
}

// putObjectTagging replaces a version's tags. On a version that was replicated it starts the
// replication of the tags.
func (a *API) putObjectTagging(req *request) error {
	if _, err := a.taggedVersion(req); err != nil {
		return err
	}
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	tags, err := parseTagging(body)
	if err != nil {
		return err
	}
	if err := checkObjectTags(tags); err != nil {
		return err
	}
	return a.setTags(req, tags, http.StatusOK)
}

// deleteObjectTagging takes all tags away.
func (a *API) deleteObjectTagging(req *request) error {
	if _, err := a.taggedVersion(req); err != nil {
		return err
	}
	return a.setTags(req, nil, http.StatusNoContent)
}

func (a *API) setTags(req *request, tags []store.Tag, status int) error {
	v, err := a.cfg.Store.SetTags(req.ctx, req.bucketName, req.key, req.query.Get("versionId"), tags)
	if err != nil {
		return err
	}
	setVersionID(req.w.Header(), req.bucket, v.ID)
	if status == http.StatusNoContent {
		a.changed(req, "ObjectTagging:Delete", v)
		return req.noContent()
	}
	a.changed(req, "ObjectTagging:Put", v)
	return req.ok()
}

// taggedVersion finds the version whose tags are meant. Delete markers have none, named or
// current. GET names a missing key as bucket/key (S233).
func (a *API) taggedVersion(req *request) (*store.Version, error) {
	if err := checkVersionID(req); err != nil {
		return nil, err
	}
	v, err := a.requestedVersion(req)
	if err != nil {
		if missing := failure.Of(err); missing != nil && missing.Code != "NoSuchBucket" && req.r.Method == http.MethodGet {
			named := *missing
			named.Fields = slices.Clone(missing.Fields)
			for i, f := range named.Fields {
				if f.Name == "Key" {
					named.Fields[i].Value = req.bucketName + "/" + f.Value
				}
			}
			err = &named
		}
		return nil, a.hideMissing(req, req.bucket, err)
	}
	if v.DeleteMarker {
		return nil, markerNotAllowed(req, v)
	}
	return v, nil
}
