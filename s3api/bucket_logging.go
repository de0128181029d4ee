package s3api

import (
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// logging is the access log configuration. It is kept for who reads it back; access logs
// are not written (S158).
var logging = keptDocument{
	name: store.DocumentLogging, check: (*API).checkLogging, checksum: true,
	root: parent("BucketLoggingStatus", parent("LoggingEnabled",
		text("TargetBucket"),
		text("TargetPrefix"),
		parent("TargetGrants", parent("Grant",
			parent("Grantee", text("ID").opt(), text("DisplayName").opt(), text("EmailAddress").opt(), text("URI").opt()),
			text("Permission", permissionFull, "READ", "WRITE"),
		).list().opt()).opt(),
		parent("TargetObjectKeyFormat",
			parent("PartitionedPrefix", text("PartitionDateSource", "EventTime", "DeliveryTime").opt()).opt(),
			parent("SimplePrefix").opt()).opt(),
	).opt()),
}

func (a *API) getBucketLogging(req *request) error { return a.getDocument(req, &logging) }
func (a *API) putBucketLogging(req *request) error { return a.putDocument(req, &logging) }

// checkLogging looks at the bucket that the logs should go to (S160).
func (a *API) checkLogging(req *request, root *element) error {
	name := root.find("LoggingEnabled", "TargetBucket")
	if name == nil {
		return nil
	}
	target, err := a.cfg.Store.Bucket(req.ctx, name.text)
	switch {
	case failure.CodeOf(err) == "NoSuchBucket":
		return failure.New("InvalidTargetBucketForLogging", "The target bucket for logging does not exist", "TargetBucket", name.text)
	case err != nil:
		return err
	case target.Region != req.bucket.Region:
		return failure.New("CrossLocationLoggingProhibitted", "", "TargetBucketLocation", target.Region)
	case target.Account != req.bucket.Account:
		return failure.New("InvalidTargetBucketForLogging", "The owner for the bucket to be logged and the target bucket must be the same.", "TargetBucket", name.text)
	}
	return nil
}
