package s3api

import (
	"slices"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// listTagsForResource is S3 Control's ListTagsForResource, for buckets.
func (a *API) listTagsForResource(req *request) error {
	const root = "ListTagsForResourceResult"
	d := newControlDocument(root)
	d.open("Tags")
	for _, t := range req.bucket.Tags {
		d.tag(t)
	}
	d.close("Tags")
	return req.send(d, root)
}

// tagResource is S3 Control's TagResource: it adds tags and replaces those with the same
// key (S174).
func (a *API) tagResource(req *request) error {
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil {
		return err
	}
	root, err := parseXML(body, "TagResourceRequest")
	if err != nil {
		return err
	}
	tags := readTags(root.need("Tags"))
	if err := root.end(); err != nil {
		return err
	}
	if err := checkResourceTags(tags); err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		merged := slices.DeleteFunc(slices.Clone(b.Tags), func(old store.Tag) bool {
			return slices.ContainsFunc(tags, func(t store.Tag) bool { return t.Key == old.Key })
		})
		merged = append(merged, tags...)
		sortTags(merged)
		if len(merged) > maxBucketTags {
			return failure.New("BadRequest", "Bucket tag count cannot be greater than 50")
		}
		b.Tags = merged
		return nil
	})
	if err != nil {
		return err
	}
	return req.noContent()
}

// untagResource is S3 Control's UntagResource; keys that are not there are no error.
func (a *API) untagResource(req *request) error {
	keys := req.query["tagKeys"]
	err := a.update(req, func(b *store.Bucket) error {
		b.Tags = slices.DeleteFunc(b.Tags, func(t store.Tag) bool { return slices.Contains(keys, t.Key) })
		if len(b.Tags) == 0 {
			b.Tags = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	return req.noContent()
}

// checkResourceTags holds tags, sorted by key, against the limits, in S3 Control's words (S174).
func checkResourceTags(tags []store.Tag) error {
	for i, t := range tags {
		switch {
		case strings.HasPrefix(t.Key, "aws:"):
			return failure.New("InvalidTag", `User-defined tag keys can't start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.`)
		case i > 0 && tags[i-1].Key == t.Key:
			return failure.New("InvalidTag", "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again.")
		case t.Key == "" || !tagText(t.Key, maxTagKey) || !tagText(t.Value, maxTagValue):
			return failure.New("InvalidTag", "This request contains a tag key or value that isn't valid. Valid characters include the following: [a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters.")
		}
	}
	return nil
}
