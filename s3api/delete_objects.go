package s3api

import (
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
	if err := refuseGovernanceBypass(req.r.Header); err != nil {
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
	for _, one := range list {
		done, err := a.deleteOne(req, one)
		if err != nil {
			if req.abandoned(err) {
				return err
			}
			a.writeDeleteError(req, d, one, err)
		} else if !quiet {
			writeDeleted(d, req.bucket, one, done)
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

func (a *API) deleteOne(req *request, one deletion) (store.Deleted, error) {
	action, keys := "s3:DeleteObject", map[string][]string{}
	if one.versionID != "" {
		action, keys["s3:versionid"] = "s3:DeleteObjectVersion", []string{one.versionID}
	}
	if err := a.authorize(req, action, arn.Object(req.bucketName, one.key), keys); err != nil {
		return store.Deleted{}, err
	}
	switch {
	case one.key == "" || len(one.key) > maxKeyLength:
		return store.Deleted{}, failure.New("KeyTooLongError", "")
	case one.versionID != "" && !validVersionID(one.versionID, req.bucket):
		return store.Deleted{}, failure.New("NoSuchVersion", "")
	}
	return a.cfg.Store.Delete(req.ctx, req.bucketName, one.key, one.versionID, a.newOwner(req), store.Condition{IfMatch: one.etag})
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
