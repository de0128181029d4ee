package server

import (
	"twinbucket/lifecycle"
	"twinbucket/s3api"
)

// announceLifecycle turns what lifecycle rules do into S3's notifications. Aborted uploads
// have none.
func announceLifecycle(s3 *s3api.API) func(lifecycle.Action) {
	return func(a lifecycle.Action) {
		if a.Version == nil {
			return
		}
		c := s3api.Change{Key: a.Key, VersionID: s3api.ShownVersionID(a.Bucket, a.VersionID)}
		switch a.Kind {
		case lifecycle.Removed:
			c.Event = "LifecycleExpiration:Delete"
		case lifecycle.MarkerCreated:
			c.Event = "LifecycleExpiration:DeleteMarkerCreated"
		case lifecycle.Transitioned:
			c.Event, c.ETag, c.Order = "LifecycleTransition", a.Version.ETag, a.Version.Order
		default:
			return
		}
		s3.Announce(a.Bucket, s3api.ByS3(), c)
	}
}
