package s3api

import (
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxBucketTags is how many tags a bucket may have (S79).
const maxBucketTags = 50

// getBucketTagging is GetBucketTagging.
func (a *API) getBucketTagging(req *request) error {
	if len(req.bucket.Tags) == 0 {
		return notConfigured("NoSuchTagSet", req)
	}
	d := newDocument("Tagging")
	d.tagSet(req.bucket.Tags)
	return req.send(d, "Tagging")
}

// putBucketTagging is PutBucketTagging: the new set replaces the old one.
func (a *API) putBucketTagging(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	tags, err := parseTagging(body)
	if err != nil {
		return err
	}
	if err := checkBucketTags(tags); err != nil {
		return err
	}
	if err := a.setBucketTags(req, tags); err != nil {
		return err
	}
	return req.noContent()
}

// deleteBucketTagging is DeleteBucketTagging.
func (a *API) deleteBucketTagging(req *request) error {
	if err := a.setBucketTags(req, nil); err != nil {
		return err
	}
	return req.noContent()
}

func (a *API) setBucketTags(req *request, tags []store.Tag) error {
	return a.update(req, func(b *store.Bucket) error {
		b.Tags = tags
		return nil
	})
}

// parseTagging reads a Tagging document of a bucket or an object, sorted by key. The
// limits of either are not checked.
func parseTagging(body []byte) ([]store.Tag, error) {
	root, err := parseXML(body, "Tagging")
	if err != nil {
		return nil, err
	}
	tags := readTags(root.need("TagSet"))
	return tags, root.end()
}

// readTags takes the Tag children out of a tag set, sorted by key.
func readTags(set *element) []store.Tag {
	var tags []store.Tag
	for _, e := range set.many("Tag") {
		tags = append(tags, readTag(e))
	}
	sortTags(tags)
	return tags
}

func readTag(e *element) store.Tag {
	return store.Tag{Key: e.need("Key").leaf(), Value: e.need("Value").leaf()}
}

// tagSet writes a TagSet element.
func (d *document) tagSet(tags []store.Tag) {
	d.open("TagSet")
	for _, t := range tags {
		d.tag(t)
	}
	d.close("TagSet")
}

func (d *document) tag(t store.Tag) {
	d.open("Tag")
	d.text("Key", t.Key)
	d.text("Value", t.Value)
	d.close("Tag")
}

// checkBucketTags holds a tag set, sorted by key, against the limits of buckets (S79).
func checkBucketTags(tags []store.Tag) error {
	if len(tags) > maxBucketTags {
		return failure.New("BadRequest", "Bucket tag count cannot be greater than 50")
	}
	for i, t := range tags {
		switch {
		case i > 0 && tags[i-1].Key == t.Key:
			return failure.New("InvalidTag", "Cannot provide multiple Tags with the same key", "TagKey", t.Key)
		case strings.HasPrefix(t.Key, "aws:"):
			return failure.New("InvalidTag", "System tags cannot be added/updated by requester", "TagKey", t.Key)
		case t.Key == "" || !tagText(t.Key, maxTagKey):
			return failure.New("InvalidTag", "The TagKey you have provided is invalid", "TagKey", t.Key)
		case !tagText(t.Value, maxTagValue):
			return failure.New("InvalidTag", "The TagValue you have provided is invalid", "TagKey", t.Key, "TagValue", t.Value)
		}
	}
	return nil
}
