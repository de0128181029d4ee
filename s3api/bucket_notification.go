package s3api

import (
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	notificationRoot = "NotificationConfiguration"
	maxNotifications = 100 // S166
)

// notificationKinds are the forms of a target: element names of the old API stand for
// all protocols, so the element of the ARN tells them apart.
var notificationKinds = [...]struct{ element, arn, service string }{
	{"TopicConfiguration", "Topic", "sns"},
	{"QueueConfiguration", "Queue", "sqs"},
	{"CloudFunctionConfiguration", "CloudFunction", "lambda"},
}

// getBucketNotificationConfiguration is GetBucketNotificationConfiguration; none is an
// empty document (S60).
func (a *API) getBucketNotificationConfiguration(req *request) error {
	d := newDocument(notificationRoot)
	if n := req.bucket.Notifications; n != nil {
		for i := range n.Targets {
			d.notificationTarget(&n.Targets[i])
		}
		if n.EventBridge {
			d.open("EventBridgeConfiguration")
			d.close("EventBridgeConfiguration")
		}
	}
	return req.send(d, notificationRoot)
}

func (d *document) notificationTarget(t *store.NotificationTarget) {
	root := t.Kind + "Configuration"
	d.open(root)
	d.text("Id", t.ID)
	d.text(t.Kind, t.ARN)
	for _, e := range t.Events {
		d.text("Event", e)
	}
	if t.HasFilter {
		d.open("Filter")
		d.open("S3Key")
		for _, r := range t.Rules {
			d.open("FilterRule")
			d.text("Name", r.Name)
			d.text("Value", r.Value)
			d.close("FilterRule")
		}
		d.close("S3Key")
		d.close("Filter")
	}
	d.close(root)
}

// putBucketNotificationConfiguration replaces the configuration and announces a test event
// to each of its targets, unless destinations are not to be validated (S167). Whether a
// target exists is not checked: events are delivered where an endpoint was configured.
func (a *API) putBucketNotificationConfiguration(req *request) error {
	body, err := a.readBody(req, maxConfigBody, false)
	if err != nil {
		return err
	}
	n, err := a.parseNotifications(body)
	if err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		if b.Notifications = n; len(n.Targets) == 0 && !n.EventBridge {
			b.Notifications = nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !strings.EqualFold(req.r.Header.Get("X-Amz-Skip-Destination-Validation"), "true") {
		a.announceTest(req, n)
	}
	return req.ok()
}

// parseNotifications reads a NotificationConfiguration (S166).
func (a *API) parseNotifications(body []byte) (*store.NotificationConfiguration, error) {
	root, err := parseXML(body, notificationRoot)
	if err != nil {
		return nil, err
	}
	n := &store.NotificationConfiguration{EventBridge: root.one("EventBridgeConfiguration") != nil}
	for _, kind := range notificationKinds {
		for _, e := range root.many(kind.element) {
			t := store.NotificationTarget{Kind: kind.arn, ID: e.one("Id").leaf(), ARN: e.need(kind.arn).leaf(), Events: texts(e.many("Event"))}
			if len(t.Events) == 0 {
				e.malformed()
			}
			if f := e.one("Filter"); f != nil {
				t.HasFilter = true
				for _, r := range f.need("S3Key").many("FilterRule") {
					t.Rules = append(t.Rules, store.FilterRule{Name: r.need("Name").leaf(), Value: r.need("Value").leaf()})
				}
			}
			n.Targets = append(n.Targets, t)
		}
	}
	if err := root.end(); err != nil {
		return nil, err
	}
	if len(n.Targets) > maxNotifications {
		return nil, failure.New("InvalidArgument", "The maximum number of notification configurations is 100.")
	}
	ids := map[string]bool{}
	for i := range n.Targets {
		t := &n.Targets[i]
		if t.ID == "" {
			t.ID = a.newEventID()
		}
		if err := checkTarget(t); err != nil {
			return nil, err
		}
		if ids[t.ID] {
			return nil, failure.New("InvalidArgument", "Same ID used for multiple configurations. IDs must be unique", "ArgumentName", "Id", "ArgumentValue", t.ID)
		}
		ids[t.ID] = true
	}
	return n, checkOverlaps(n.Targets)
}

func checkTarget(t *store.NotificationTarget) error {
	service := ""
	for _, kind := range notificationKinds {
		if kind.arn == t.Kind {
			service = kind.service
		}
	}
	if parts := strings.SplitN(t.ARN, ":", 6); len(parts) != 6 || parts[0] != "arn" || parts[2] != service || parts[5] == "" {
		return failure.New("InvalidArgument", "The ARN could not be parsed", "ArgumentName", t.Kind, "ArgumentValue", t.ARN)
	}
	for _, e := range t.Events {
		if !knownEvent(e) {
			return failure.New("InvalidArgument", "The event '"+e+"' is not supported for notifications", "ArgumentName", "Event", "ArgumentValue", e)
		}
	}
	seen := map[string]bool{}
	for _, r := range t.Rules {
		name := strings.ToLower(r.Name)
		switch {
		case name != "prefix" && name != "suffix":
			return failure.New("InvalidArgument", "filter rule name must be either prefix or suffix", "ArgumentName", "FilterRule.Name", "ArgumentValue", r.Name)
		case seen[name]:
			return failure.New("InvalidArgument", "Cannot specify more than one "+name+" rule in a filter.", "ArgumentName", "FilterRule.Name", "ArgumentValue", r.Name)
		case len(r.Value) > maxKeyLength:
			return failure.New("InvalidArgument", "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation", "ArgumentName", "FilterRule.Value", "ArgumentValue", r.Value)
		}
		seen[name] = true
	}
	return nil
}

// checkOverlaps: two targets must not get the same event of the same key (S166).
func checkOverlaps(targets []store.NotificationTarget) error {
	for i := range targets {
		for j := i + 1; j < len(targets); j++ {
			a, b := &targets[i], &targets[j]
			if !sharesEvent(a.Events, b.Events) {
				continue
			}
			aPrefix, aSuffix := filterOf(a)
			bPrefix, bSuffix := filterOf(b)
			prefixes := strings.HasPrefix(aPrefix, bPrefix) || strings.HasPrefix(bPrefix, aPrefix)
			suffixes := strings.HasSuffix(aSuffix, bSuffix) || strings.HasSuffix(bSuffix, aSuffix)
			if prefixes && suffixes {
				return failure.New("InvalidArgument", "Configurations overlap. Configurations on the same bucket cannot share a common event type.")
			}
		}
	}
	return nil
}

func sharesEvent(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if eventMatches(x, y) || eventMatches(y, x) {
				return true
			}
		}
	}
	return false
}

// filterOf is the prefix and the suffix of a target's filter.
func filterOf(t *store.NotificationTarget) (prefix, suffix string) {
	for _, r := range t.Rules {
		if strings.EqualFold(r.Name, "prefix") {
			prefix = r.Value
		} else {
			suffix = r.Value
		}
	}
	return prefix, suffix
}
