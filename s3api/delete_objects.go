package s3api

import (
	"golang.org/x/sync/errgroup"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxDeleted is the most keys that one request deletes (S243).
const maxDeleted = 1000

// deletion is one key, or version, of a DeleteObjects request.
type deletion struct {
	key, versionID, etag string
}

// deleteObjects deletes each key by itself: each needs its own permission, and what fails is
// told per key in an answer that is 200 all the same (S243).
func (a *API) deleteObjects(req *request) error {
	bypass, err := readBypass(req)
	if err != nil {
		return err
	}
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	list, quiet, err := parseDelete(body)
	if err != nil {
		return err
	}
	const root = "DeleteResult"
	d := newDocument(root)
	for i, end := range a.deleteAll(req, list, bypass) {
		switch {
		case end.err == nil && !quiet:
			writeDeleted(d, req.bucket, list[i], end.done)
		case end.err == nil:
		case req.abandoned(end.err):
			return end.err
		default:
			a.writeDeleteError(req, d, list[i], end.err)
		}
	}
	return req.send(d, root)
}

func parseDelete(body []byte) (list []deletion, quiet bool, err error) {
	top, err := parseXML(body, "Delete")
	if err != nil {
		return nil, false, err
	}
	quiet = top.one("Quiet").boolean()
	for _, o := range top.many("Object") {
		list = append(list, deletion{
			key: o.need("Key").leaf(), versionID: o.one("VersionId").leaf(), etag: trimETag(o.one("ETag").leaf()),
		})
	}
	if err := top.end(); err != nil {
		return nil, false, err
	}
	if len(list) == 0 || len(list) > maxDeleted {
		return nil, false, errMalformedXML
	}
	return list, quiet, nil
}

// deletionEnd is what became of one deletion.
type deletionEnd struct {
	done store.Deleted
	err  error
}

// deleteWorkers is how many keys of one request are deleted at a time. A durable store shares
// one fsync among those that wait for it.
const deleteWorkers = 32

// deleteAll deletes what the caller may delete and returns the ends in the order of list.
func (a *API) deleteAll(req *request, list []deletion, bypass bool) []deletionEnd {
	ends := make([]deletionEnd, len(list))
	owner := a.newOwner(req)
	var group errgroup.Group
	group.SetLimit(deleteWorkers)
	for i, one := range list {
		if ends[i].err = a.authorizeDeletion(req, one); ends[i].err != nil {
			continue
		}
		group.Go(func() error {
			e := &ends[i]
			e.done, e.err = a.cfg.Store.Delete(req.ctx, req.bucketName, one.key, one.versionID, owner, store.Condition{IfMatch: one.etag})
			return nil
		})
	}
	group.Wait() // each end has its own error
	for i, one := range list {
		e := &ends[i]
		if bypass && isLocked(e.err) {
			e.done, e.err = a.bypassGovernance(req, one.key, one.versionID, store.Condition{IfMatch: one.etag})
		}
		if e.err == nil {
			a.removed(req, one.key, e.done)
		}
	}
	return ends
}

// authorizeDeletion asks for the permission to delete one key or version.
func (a *API) authorizeDeletion(req *request, one deletion) error {
	action, keys := "s3:DeleteObject", map[string][]string{}
	if one.versionID != "" {
		action, keys["s3:versionid"] = "s3:DeleteObjectVersion", []string{one.versionID}
	}
	if err := a.authorize(req, action, arn.Object(req.bucketName, one.key), keys); err != nil {
		return err
	}
	switch {
	case one.key == "" || len(one.key) > maxKeyLength:
		return failure.New("KeyTooLongError", "")
	case one.versionID != "" && !validVersionID(one.versionID, req.bucket):
		return failure.New("NoSuchVersion", "")
	}
	return nil
}

// writeDeleted tells what became of a key: a marker was made, a marker was removed, or a
// version was.
func writeDeleted(d *document, bucket *store.Bucket, one deletion, done store.Deleted) {
	d.open("Deleted")
	d.text("Key", one.key)
	d.optional("VersionId", one.versionID)
	if done.DeleteMarker {
		d.boolean("DeleteMarker", true)
		d.optional("DeleteMarkerVersionId", shownVersionID(bucket, done.VersionID))
	}
	d.close("Deleted")
}

func (a *API) writeDeleteError(req *request, d *document, one deletion, err error) {
	out := wire(err)
	if out.status >= 500 {
		a.cfg.Logger.ErrorContext(req.ctx, "S3 delete failed inside", "requestId", req.id, "key", one.key, "error", err)
	}
	d.open("Error")
	d.text("Key", one.key)
	d.optional("VersionId", one.versionID)
	d.text("Code", out.code)
	d.text("Message", out.message)
	d.close("Error")
}
