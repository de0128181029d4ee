package s3api

import (
	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

const replicationRoot = "ReplicationConfiguration"

// putBucketReplication is PutBucketReplication. What it checks is the document, that the
// caller may pass the role to S3, and that both buckets exist with versioning enabled;
// everything else shows when objects replicate (S106). A refused configuration leaves
// the previous one in force.
func (a *API) putBucketReplication(req *request) error {
	body, err := a.readBody(req, maxConfigBody, true)
	if err != nil {
		return err
	}
	doc, err := parseReplication(body)
	if err != nil {
		return err
	}
	config, err := doc.compile(a.rand)
	if err != nil {
		return err
	}
	if err := a.passRole(req, config.Role); err != nil {
		return err
	}
	if err := checkSourceVersioning(req.bucket); err != nil {
		return err
	}
	if err := a.checkDestinations(req, config); err != nil {
		return err
	}
	err = a.update(req, func(b *store.Bucket) error {
		if err := checkSourceVersioning(b); err != nil {
			return err
		}
		b.Replication = config
		return nil
	})
	if err != nil {
		return err
	}
	return req.ok()
}

func checkSourceVersioning(b *store.Bucket) error { // S121
	if b.Versioning != store.VersioningEnabled {
		return invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration")
	}
	return nil
}

// checkDestinations: the destinations are other buckets, which exist and keep versions.
// S3 looks with its own rights: the caller needs none there (S122).
func (a *API) checkDestinations(req *request, c *store.ReplicationConfiguration) error {
	for _, r := range c.Rules {
		name := r.Destination.Bucket
		if name == req.bucketName {
			return invalidRequest("Destination bucket cannot be the same as the source bucket.")
		}
		b, err := a.cfg.Store.Bucket(req.ctx, name)
		if failure.CodeOf(err) == "NoSuchBucket" {
			return invalidRequest("Destination bucket must exist.")
		}
		if err != nil {
			return err
		}
		if b.Versioning != store.VersioningEnabled {
			return invalidRequest("Destination bucket must have versioning enabled.")
		}
	}
	return nil
}

// passRole asks whether the caller may hand the role to S3. The role need not exist;
// it must be of the bucket's account (S123).
func (a *API) passRole(req *request, role string) error {
	parsed, err := arn.Parse(role)
	if err != nil {
		panic("s3api: a compiled configuration has a malformed role: " + role)
	}
	if parsed.Account != req.caller.Account() || parsed.Account != req.bucket.Account {
		return failure.New("AccessDenied", "Cross-account pass role is not allowed.")
	}
	keys := make(policy.Context, 8)
	keys.Set("iam:passedtoservice", "s3.amazonaws.com")
	keys.Set("iam:associatedresourcearn", req.bucketARN())
	d, err := a.cfg.IAM.Authorize(req.ctx, &req.caller, &iamsim.Request{
		Action: "iam:PassRole", Resource: role, ResourceAccount: parsed.Account, Region: req.region, Context: keys,
	})
	if err != nil {
		return err
	}
	if !d.Permitted() {
		f := failure.New("AccessDenied", d.Message())
		f.Decision = d
		return f
	}
	return nil
}

// deleteBucketReplication is DeleteBucketReplication. Replicas and tasks that were
// accepted before stay.
func (a *API) deleteBucketReplication(req *request) error {
	err := a.update(req, func(b *store.Bucket) error {
		b.Replication = nil
		return nil
	})
	if err != nil {
		return err
	}
	return req.noContent()
}

// getBucketReplication is GetBucketReplication: the configuration as it was put, with
// the ids that were generated (S107).
func (a *API) getBucketReplication(req *request) error {
	c := req.bucket.Replication
	if c == nil {
		return notConfigured("ReplicationConfigurationNotFoundError", req)
	}
	d := newDocument(replicationRoot)
	d.text("Role", c.Role)
	for i := range c.Rules {
		d.replicationRule(&c.Rules[i])
	}
	return req.send(d, replicationRoot)
}

func (d *document) replicationRule(r *store.ReplicationRule) {
	d.open("Rule")
	d.text("ID", r.ID)
	if r.V2 {
		d.number("Priority", int64(r.Priority))
		d.replicationFilter(r)
	} else {
		d.text("Prefix", r.Prefix)
	}
	status := "Disabled"
	if r.Enabled {
		status = "Enabled"
	}
	d.text("Status", status)
	if r.SSEKMS != "" || r.ReplicaModifications != "" {
		d.open("SourceSelectionCriteria")
		d.status("SseKmsEncryptedObjects", r.SSEKMS)
		d.status("ReplicaModifications", r.ReplicaModifications)
		d.close("SourceSelectionCriteria")
	}
	d.replicationDestination(&r.Destination)
	d.status("DeleteMarkerReplication", r.DeleteMarkers)
	d.close("Rule")
}

// status writes an element that holds nothing but a Status; "" writes nothing.
func (d *document) status(name, status string) {
	if status != "" {
		d.open(name)
		d.text("Status", status)
		d.close(name)
	}
}

func (d *document) replicationFilter(r *store.ReplicationRule) {
	d.open("Filter")
	switch r.FilterForm {
	case "Prefix":
		d.text("Prefix", r.Prefix)
	case "Tag":
		d.tag(r.Tags[0])
	case "And", "AndPrefix":
		d.open("And")
		if r.FilterForm == "AndPrefix" {
			d.text("Prefix", r.Prefix)
		}
		for _, t := range r.Tags {
			d.tag(t)
		}
		d.close("And")
	}
	d.close("Filter")
}

func (d *document) replicationDestination(t *store.Destination) {
	d.open("Destination")
	d.text("Bucket", arn.Bucket(t.Bucket))
	d.optional("Account", t.Account)
	d.optional("StorageClass", t.StorageClass)
	if t.OwnerOverride {
		d.open("AccessControlTranslation")
		d.text("Owner", "Destination")
		d.close("AccessControlTranslation")
	}
	if t.ReplicaKMSKeyID != "" {
		d.open("EncryptionConfiguration")
		d.text("ReplicaKmsKeyID", t.ReplicaKMSKeyID)
		d.close("EncryptionConfiguration")
	}
	if t.ReplicationTime != "" {
		d.open("ReplicationTime")
		d.text("Status", t.ReplicationTime)
		d.open("Time")
		d.number("Minutes", 15)
		d.close("Time")
		d.close("ReplicationTime")
	}
	if t.Metrics != "" {
		d.open("Metrics")
		d.text("Status", t.Metrics)
		if t.MetricsMinutes != 0 {
			d.open("EventThreshold")
			d.number("Minutes", int64(t.MetricsMinutes))
			d.close("EventThreshold")
		}
		d.close("Metrics")
	}
	d.close("Destination")
}
