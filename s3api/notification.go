package s3api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"twinbucket/iamsim"
	"twinbucket/internal/arn"
	"twinbucket/store"
)

// Change is something that happened to an object, as notifications tell it.
type Change struct {
	Event     string // without "s3:", such as "ObjectCreated:Put"
	Key       string
	VersionID string // "" in buckets that were never versioned
	Size      int64  // of created objects
	ETag      string // without quotes
	Order     uint64 // of the version; events of a key compare by it. 0: the time of the event
	// Replication is set for the events of replication, which tell more.
	Replication *ReplicationEvent
}

// ReplicationEvent is what replication events tell beside the version (B32).
type ReplicationEvent struct {
	RuleID      string
	Destination string    // bucket name
	Operation   string    // OBJECT_PUT, …
	RequestTime time.Time // when replication was asked for
	Reason      string    // failureReason of failures
}

// Actor is who made a change, and through which request.
type Actor struct {
	PrincipalID string // "AWS:AIDA…", or a service's name
	SourceIP    string // or a service's name
	RequestID   string
	HostID      string
}

// ByS3 is the actor of what S3 does by itself: lifecycle, replication.
func ByS3() Actor { return Actor{PrincipalID: eventSource, SourceIP: eventSource} }

// knownEvents are the event types that S3 knows beside the ones ending in :* (S166).
var knownEvents = []string{
	"s3:ReducedRedundancyLostObject", "s3:TestEvent",
	"s3:ObjectCreated:Put", "s3:ObjectCreated:Post", "s3:ObjectCreated:Copy", "s3:ObjectCreated:CompleteMultipartUpload",
	"s3:ObjectRemoved:Delete", "s3:ObjectRemoved:DeleteMarkerCreated",
	"s3:ObjectRestore:Post", "s3:ObjectRestore:Completed", "s3:ObjectRestore:Delete",
	"s3:Replication:OperationFailedReplication", "s3:Replication:OperationMissedThreshold",
	"s3:Replication:OperationReplicatedAfterThreshold", "s3:Replication:OperationNotTracked",
	"s3:LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated", "s3:LifecycleTransition", "s3:IntelligentTiering",
	"s3:ObjectTagging:Put", "s3:ObjectTagging:Delete", "s3:ObjectAcl:Put",
}

// knownEvent reports whether a configuration may name the event.
func knownEvent(name string) bool {
	group, wild := strings.CutSuffix(name, "*")
	for _, e := range knownEvents {
		if e == name && e != "s3:TestEvent" {
			return true
		}
		if wild && strings.HasSuffix(group, ":") && group != "s3:" && strings.HasPrefix(e, group) {
			return true
		}
	}
	return false
}

// eventMatches reports whether pattern, an event type as configured, covers event.
func eventMatches(pattern, event string) bool {
	if group, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(event, group)
	}
	return pattern == event
}

// wants reports whether a target gets an event of key. Filters see the key as it is.
func wants(t *store.NotificationTarget, event, key string) bool {
	prefix, suffix := filterOf(t)
	if !strings.HasPrefix(key, prefix) || !strings.HasSuffix(key, suffix) {
		return false
	}
	return slices.ContainsFunc(t.Events, func(pattern string) bool { return eventMatches(pattern, event) })
}

// notificationRecord is S3's JSON (S168).
type notificationRecord struct {
	EventVersion      string            `json:"eventVersion"`
	EventSource       string            `json:"eventSource"`
	AWSRegion         string            `json:"awsRegion"`
	EventTime         string            `json:"eventTime"`
	EventName         string            `json:"eventName"`
	UserIdentity      principalID       `json:"userIdentity"`
	RequestParameters map[string]string `json:"requestParameters"`
	ResponseElements  map[string]string `json:"responseElements"`
	S3                notificationS3    `json:"s3"`

	Replication *replicationEventData `json:"replicationEventData,omitempty"`
}

type replicationEventData struct {
	RuleID      string `json:"replicationRuleId"`
	Destination string `json:"destinationBucket"`
	Operation   string `json:"s3Operation"`
	RequestTime string `json:"requestTime"`
	Reason      string `json:"failureReason,omitempty"`
}

type principalID struct {
	PrincipalID string `json:"principalId"`
}

type notificationS3 struct {
	SchemaVersion   string             `json:"s3SchemaVersion"`
	ConfigurationID string             `json:"configurationId"`
	Bucket          notificationBucket `json:"bucket"`
	Object          notificationObject `json:"object"`
}

type notificationBucket struct {
	Name  string      `json:"name"`
	Owner principalID `json:"ownerIdentity"`
	ARN   string      `json:"arn"`
}

type notificationObject struct {
	Key       string `json:"key"`
	Size      *int64 `json:"size,omitempty"`
	ETag      string `json:"eTag,omitempty"`
	VersionID string `json:"versionId,omitempty"`
	Sequencer string `json:"sequencer"`
}

// eventTime is how events write times (S168).
func eventTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// Announce sends a change in bucket to every target that wants to know it. It never
// blocks and reports nothing: delivery is Config.Notify's business.
func (a *API) Announce(bucket *store.Bucket, by Actor, c Change) {
	if bucket.Notifications == nil || a.cfg.Notify == nil {
		return
	}
	now := a.cfg.Clock.Now()
	for i := range bucket.Notifications.Targets {
		t := &bucket.Notifications.Targets[i]
		if !wants(t, "s3:"+c.Event, c.Key) {
			continue
		}
		body, err := json.Marshal(map[string][]notificationRecord{"Records": {a.recordOf(bucket, t.ID, by, &c, now)}})
		if err != nil {
			panic("s3api: a notification does not marshal: " + err.Error())
		}
		a.cfg.Notify(t.ARN, body)
	}
}

func (a *API) recordOf(bucket *store.Bucket, configuration string, by Actor, c *Change, now time.Time) notificationRecord {
	order := c.Order
	if order == 0 {
		order = uint64(now.UnixNano())
	}
	object := notificationObject{
		Key: strings.ReplaceAll(url.QueryEscape(c.Key), "%2F", "/"), ETag: c.ETag, VersionID: c.VersionID, Sequencer: fmt.Sprintf("%016X", order),
	}
	version, replication := "2.1", c.Replication.data()
	if strings.HasPrefix(c.Event, "ObjectCreated:") || replication != nil {
		object.Size = &c.Size
	}
	if replication != nil {
		version = "2.2" // B32
	}
	return notificationRecord{
		EventVersion: version, Replication: replication, EventSource: "aws:s3", AWSRegion: bucket.Region, EventTime: eventTime(now), EventName: c.Event,
		UserIdentity:      principalID{by.PrincipalID},
		RequestParameters: map[string]string{"sourceIPAddress": by.SourceIP},
		ResponseElements:  map[string]string{"x-amz-request-id": by.RequestID, "x-amz-id-2": by.HostID},
		S3: notificationS3{
			SchemaVersion: "1.0", ConfigurationID: configuration, Object: object,
			Bucket: notificationBucket{Name: bucket.Name, Owner: principalID{canonicalID(bucket.Account)}, ARN: arn.Bucket(bucket.Name)},
		},
	}
}

func (e *ReplicationEvent) data() *replicationEventData {
	if e == nil {
		return nil
	}
	return &replicationEventData{e.RuleID, arn.Bucket(e.Destination), e.Operation, eventTime(e.RequestTime), e.Reason}
}

// announceTest sends s3:TestEvent to the targets of a new configuration (S167).
func (a *API) announceTest(req *request, n *store.NotificationConfiguration) {
	if a.cfg.Notify == nil {
		return
	}
	body, err := json.Marshal(struct{ Service, Event, Time, Bucket, RequestId, HostId string }{
		"Amazon S3", "s3:TestEvent", eventTime(a.cfg.Clock.Now()), req.bucketName, req.id, req.w.Header().Get("X-Amz-Id-2"),
	})
	if err != nil {
		panic("s3api: a test event does not marshal: " + err.Error())
	}
	for i := range n.Targets {
		a.cfg.Notify(n.Targets[i].ARN, body)
	}
}

// actor is the caller of a request.
func (req *request) actor() Actor {
	by := Actor{PrincipalID: "Anonymous", SourceIP: req.caller.Source.IP, RequestID: req.id, HostID: req.w.Header().Get("X-Amz-Id-2")}
	if req.caller.UserID != "" {
		by.PrincipalID = "AWS:" + req.caller.UserID
	}
	return by
}

// created announces a version that the request wrote; how is Put, Post, Copy or
// CompleteMultipartUpload.
func (a *API) created(req *request, how string, v *store.Version) {
	a.Announce(req.bucket, req.actor(), Change{
		Event: "ObjectCreated:" + how, Key: v.Key, VersionID: shownVersionID(req.bucket, v.ID), Size: v.Size, ETag: v.ETag, Order: v.Order,
	})
}

// announceReplica announces a new replica in its bucket, as a write of the role's session (S168).
func (a *API) announceReplica(ctx context.Context, caller *iamsim.Caller, v *store.Version) {
	if a.cfg.Notify == nil {
		return
	}
	if bucket, err := a.cfg.Store.Bucket(ctx, v.Bucket); err == nil {
		a.Announce(bucket, Actor{PrincipalID: "AWS:" + caller.UserID, SourceIP: replicationAgent},
			Change{Event: "ObjectCreated:Put", Key: v.Key, VersionID: v.ID, Size: v.Size, ETag: v.ETag, Order: v.Order})
	}
}

// removed announces a delete that did something: removed a version or made a marker.
func (a *API) removed(req *request, key string, done store.Deleted) {
	c := Change{Event: "ObjectRemoved:Delete", Key: key, VersionID: shownVersionID(req.bucket, done.VersionID)}
	switch {
	case done.DeleteMarker && !done.Removed:
		c.Event, c.ETag = "ObjectRemoved:DeleteMarkerCreated", emptyMD5
	case !done.Removed:
		return
	}
	a.Announce(req.bucket, req.actor(), c)
}

// changed announces another change of a version: "ObjectTagging:Put" and the like.
func (a *API) changed(req *request, event string, v *store.Version) {
	a.Announce(req.bucket, req.actor(), Change{Event: event, Key: v.Key, VersionID: shownVersionID(req.bucket, v.ID), ETag: v.ETag})
}

// emptyMD5 is the ETag that events show for delete markers (S168).
const emptyMD5 = "d41d8cd98f00b204e9800998ecf8427e"
