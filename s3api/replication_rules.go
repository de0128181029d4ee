package s3api

import (
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const (
	maxRules        = 1000
	maxRuleID       = 255
	maxFilterPrefix = 1024

	schemaVersion = " for this version of Cross Region Replication configuration schema. Please refer to S3 Developer Guide for more information."
)

func invalidRequest(message string) error { return failure.New("InvalidRequest", message) }

func invalidArgument(message, name, value string) error {
	return failure.New("InvalidArgument", message, "ArgumentName", name, "ArgumentValue", value)
}

// compile turns a document that follows the schema into a configuration, after the
// rules that S3 checks beyond the schema (S110–S123). random makes the ids of rules
// that have none.
func (doc *replicationDocument) compile(random io.Reader) (*store.ReplicationConfiguration, error) {
	if err := checkRole(doc.role); err != nil {
		return nil, err
	}
	if len(doc.rules) > maxRules {
		return nil, invalidRequest("The number of replication rules must not exceed the allowed limit of 1000 rules.")
	}
	v2 := true
	for i := range doc.rules {
		v2 = v2 && doc.rules[i].filter != nil // the version is the whole document's (S105)
	}
	c := &store.ReplicationConfiguration{Role: doc.role}
	for i := range doc.rules {
		rule, err := doc.rules[i].compile(v2)
		if err != nil {
			return nil, err
		}
		c.Rules = append(c.Rules, rule)
	}
	if err := checkTogether(c.Rules, v2); err != nil {
		return nil, err
	}
	for i := range c.Rules {
		if c.Rules[i].ID == "" {
			id, err := newRuleID(random)
			if err != nil {
				return nil, err
			}
			c.Rules[i].ID = id
		}
	}
	return c, nil
}

// newRuleID is an id in the form that S3 generates (S111).
func newRuleID(random io.Reader) (string, error) {
	var b [36]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("s3api: rule id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// checkRole checks the form of the role's ARN; whether it exists shows when objects
// replicate (S110).
func checkRole(role string) error {
	a, err := arn.Parse(role)
	if err != nil || a.Service != "iam" || a.Region != "" || !arn.IsAccount(a.Account) {
		return invalidArgument("Invalid Role specified in replication configuration", "Role", role)
	}
	if name, ok := strings.CutPrefix(a.Resource, "role/"); !ok || name == "" {
		return invalidArgument("Invalid Role specified in replication configuration: the relative id of the ARN must start with role", "Role", role)
	}
	return nil
}

// compile checks one rule by itself.
func (r *ruleDocument) compile(v2 bool) (store.ReplicationRule, error) {
	rule := store.ReplicationRule{ID: r.id, V2: v2, Enabled: r.status == "Enabled", DeleteMarkers: r.deleteMarkers}
	if err := checkRuleID(r.id); err != nil {
		return rule, err
	}
	if err := r.checkVersion(v2); err != nil {
		return rule, err
	}
	if r.priority != nil {
		rule.Priority = int(*r.priority)
	}
	if r.filter != nil {
		rule.FilterForm, rule.Prefix, rule.Tags = r.filter.form, r.filter.prefix, r.filter.tags
	} else {
		rule.Prefix = *r.prefix
	}
	if err := r.checkFilter(&rule); err != nil {
		return rule, err
	}
	if err := r.checkSource(); err != nil {
		return rule, err
	}
	if r.source != nil {
		rule.SSEKMS, rule.ReplicaModifications = r.source.sseKMS, r.source.replicaModifications
	}
	var err error
	rule.Destination, err = r.destination.compile()
	return rule, err
}

func checkRuleID(id string) error { // S111
	for i := range len(id) {
		if id[i] >= 0x80 {
			return invalidArgument("Rule ID must not contain non-ASCII characters.", "ID", id)
		}
	}
	if len(id) > maxRuleID {
		return invalidArgument("Rule Id cannot be greater than 255", "ID", id)
	}
	return nil
}

// checkVersion holds a rule against the schema version of its document (S105, S112).
func (r *ruleDocument) checkVersion(v2 bool) error {
	if v2 {
		switch {
		case r.priority == nil:
			return invalidRequest("Priority must be specified" + schemaVersion)
		case *r.priority < 0:
			return invalidRequest("Priority must be between 0 and 2147483647.")
		case r.deleteMarkers == "":
			return invalidRequest("DeleteMarkerReplication must be specified" + schemaVersion)
		}
		return nil
	}
	switch {
	case r.priority != nil:
		return invalidRequest("Priority cannot be used" + schemaVersion)
	case r.deleteMarkers != "":
		return invalidRequest("DeleteMarkerReplication cannot be used" + schemaVersion)
	case r.filter != nil:
		return invalidRequest("Filter cannot be used" + schemaVersion)
	case r.source != nil && r.source.replicaModifications != "":
		return invalidRequest("ReplicaModifications cannot be used" + schemaVersion)
	case r.destination.timeStatus != "":
		return invalidRequest("ReplicationTime cannot be used" + schemaVersion)
	}
	return nil
}

func (r *ruleDocument) checkFilter(rule *store.ReplicationRule) error { // S113
	if len(rule.Prefix) > maxFilterPrefix {
		return invalidRequest("The maximum size of a prefix is 1024.")
	}
	seen := map[string]bool{}
	for _, t := range rule.Tags {
		if seen[t.Key] {
			return invalidRequest("Duplicate Tag Keys are not allowed.")
		}
		seen[t.Key] = true
		if t.Key == "" || !tagText(t.Key, maxTagKey) {
			return failure.New("InvalidTag", "The TagKey you have provided is invalid", "TagKey", t.Key)
		}
		if !tagText(t.Value, maxTagValue) {
			return failure.New("InvalidTag", "The TagValue you have provided is invalid", "TagKey", t.Key, "TagValue", t.Value)
		}
	}
	if len(rule.Tags) > 0 && r.deleteMarkers == "Enabled" {
		return invalidRequest("Delete marker replication is not supported if any Tag filter is specified. Please refer to S3 Developer Guide for more information.")
	}
	return nil
}

// checkSource checks that the opt-in for SSE-KMS and the replica key come together (S114).
func (r *ruleDocument) checkSource() error {
	sseKMS := r.source != nil && r.source.sseKMS != ""
	switch {
	case r.source != nil && *r.source == sourceCriteria{}:
		return invalidRequest("SourceSelectionCriteria cannot be empty.")
	case sseKMS && r.destination.replicaKey == nil:
		return invalidRequest("ReplicaKmsKeyID must be specified if SseKmsEncryptedObjects tag is present.")
	case r.destination.encrypted && !sseKMS:
		return invalidRequest("SseKmsEncryptedObjects must be specified if EncryptionConfiguration is present.")
	}
	return nil
}

func (d *destinationDocument) compile() (store.Destination, error) {
	out := store.Destination{StorageClass: d.storageClass, OwnerOverride: d.override, ReplicationTime: d.timeStatus, Metrics: d.metrics}
	var err error
	if out.Bucket, err = destinationBucket(d.bucket); err != nil {
		return out, err
	}
	switch {
	case d.account != nil && *d.account == "": // S116
		return out, invalidArgument("Account element is empty. It must contain a valid account id.", "Account", "")
	case d.account != nil:
		out.Account = *d.account
	case d.override:
		return out, invalidRequest("Account must be specified if the Owner in AccessControlTranslation has a value")
	}
	if d.replicaKey != nil {
		if !isReplicaKey(*d.replicaKey) { // S115
			return out, invalidArgument("Invalid ReplicaKmsKeyID ARN.", "ReplicaKmsKeyID", *d.replicaKey)
		}
		out.ReplicaKMSKeyID = *d.replicaKey
	}
	if d.threshold != nil {
		out.MetricsMinutes = int(*d.threshold)
	}
	return out, d.checkTime()
}

// destinationBucket takes the name out of a bucket ARN (S117).
func destinationBucket(s string) (string, error) {
	a, err := arn.Parse(s)
	if err != nil || a.Partition != "aws" || a.Service != "s3" || a.Region != "" || a.Account != "" {
		return "", invalidArgument("Invalid bucket ARN", "Bucket", s)
	}
	if !validBucketName(a.Resource) {
		return "", invalidArgument("The specified bucket is not valid.", "Bucket", s)
	}
	return a.Resource, nil
}

// isReplicaKey: a key or alias ARN; a bare key id is not enough (S115).
func isReplicaKey(id string) bool {
	a, err := arn.Parse(id)
	if err != nil || a.Service != "kms" || a.Region == "" || !arn.IsAccount(a.Account) {
		return false
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	return (kind == "key" || kind == "alias") && name != ""
}

// checkTime: replication time control and metrics come together, and know one number
// of minutes (S118).
func (d *destinationDocument) checkTime() error {
	const minutes = 15
	switch {
	case d.timeStatus != "" && d.metrics == "":
		return invalidRequest("Replication destination must contain both ReplicationTime and Metrics or neither.")
	case d.timeStatus != "" && d.timeMinutes != minutes:
		return invalidArgument("Invalid time minute value", "Minutes", fmt.Sprint(d.timeMinutes))
	case d.threshold != nil && *d.threshold != minutes:
		return invalidArgument("Invalid event threshold minute value", "Minutes", fmt.Sprint(*d.threshold))
	case d.threshold != nil && d.timeStatus != "Enabled":
		return failure.New("InvalidArgument", "Metrics cannot contain an event threshold when ReplicationTime is not specified or Disabled", "ArgumentName", "EventThreshold")
	case d.timeStatus == "Enabled" && d.threshold == nil:
		return failure.New("InvalidArgument", "ReplicationMetrics must contain an event threshold", "ArgumentName", "EventThreshold")
	case d.timeStatus != "" && d.timeStatus != d.metrics:
		return invalidRequest("ReplicationTime and Metrics must have the same status.")
	}
	return nil
}

// checkTogether checks what rules may not be towards each other.
func checkTogether(rules []store.ReplicationRule, v2 bool) error {
	ids := map[string]bool{}
	type place struct {
		bucket   string
		priority int
	}
	taken := map[place]bool{}
	for i, r := range rules {
		if r.ID != "" && ids[r.ID] {
			return invalidArgument("Rule Id must be unique", "ID", r.ID)
		}
		ids[r.ID] = true
		if v2 {
			at := place{r.Destination.Bucket, r.Priority}
			if taken[at] { // S120: only within one destination
				return invalidRequest(fmt.Sprintf("Found duplicate priority %d", r.Priority))
			}
			taken[at] = true
			continue
		}
		for _, earlier := range rules[:i] {
			if earlier.Destination.Bucket != r.Destination.Bucket {
				return invalidRequest("Number of distinct destination bucket ARNs cannot exceed 1")
			}
			if strings.HasPrefix(r.Prefix, earlier.Prefix) || strings.HasPrefix(earlier.Prefix, r.Prefix) { // S119
				return invalidRequest(fmt.Sprintf("Found overlapping prefixes '%s' and '%s'", earlier.Prefix, r.Prefix))
			}
		}
	}
	return nil
}
