package s3api

import (
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// accelerate is the Transfer Acceleration setting, which changes nothing here: there is
// one endpoint.
var accelerate = keptDocument{
	name: store.DocumentAccelerate, check: (*API).checkAccelerate,
	root: parent("AccelerateConfiguration", text("Status", "Enabled", "Suspended")),
}

func (a *API) getBucketAccelerateConfiguration(req *request) error {
	return a.getDocument(req, &accelerate)
}

func (a *API) putBucketAccelerateConfiguration(req *request) error {
	return a.putDocument(req, &accelerate)
}

func (a *API) checkAccelerate(req *request, _ *element) error {
	if strings.Contains(req.bucketName, ".") { // S161
		return failure.New("InvalidRequest", "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
	}
	return nil
}
