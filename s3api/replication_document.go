package s3api

import "twinbucket/store"

// The types of this file are a ReplicationConfiguration as it was sent: they keep
// apart what is missing, empty and set, because the two schema versions differ in
// exactly that (S100).

type replicationDocument struct {
	role  string
	rules []ruleDocument
}

type ruleDocument struct {
	id            string
	priority      *int64
	prefix        *string // V1
	filter        *filterDocument
	status        string
	deleteMarkers string // "" when the element is missing
	source        *sourceCriteria
	destination   destinationDocument
}

type filterDocument struct {
	form   string // as store.ReplicationRule.FilterForm
	prefix string
	tags   []store.Tag
}

// sourceCriteria holds the Status of each child, "" where the child is missing.
type sourceCriteria struct{ sseKMS, replicaModifications string }

type destinationDocument struct {
	bucket       string
	account      *string
	storageClass string
	override     bool
	encrypted    bool    // EncryptionConfiguration is there
	replicaKey   *string // its ReplicaKmsKeyID
	timeStatus   string  // "" when ReplicationTime is missing
	timeMinutes  int64
	metrics      string // "" when Metrics is missing
	threshold    *int64 // its EventThreshold
}

// parseReplication checks everything that the schema says; whatever it refuses is
// MalformedXML. What a schema can't say is for compile.
func parseReplication(body []byte) (replicationDocument, error) {
	root, err := parseXML(body, "ReplicationConfiguration")
	if err != nil {
		return replicationDocument{}, err
	}
	doc := replicationDocument{role: root.need("Role").leaf()}
	rules := root.many("Rule")
	if len(rules) == 0 {
		root.malformed()
	}
	for _, r := range rules {
		doc.rules = append(doc.rules, parseRule(r))
	}
	return doc, root.end()
}

func parseRule(e *element) ruleDocument {
	rule := ruleDocument{
		id:          e.one("ID").leaf(),
		status:      e.need("Status").enum("Enabled", "Disabled"),
		destination: parseDestination(e.need("Destination")),
	}
	if p := e.one("Priority"); p != nil {
		n := p.integer(1<<31 - 1)
		rule.priority = &n
	}
	if p := e.one("Prefix"); p != nil {
		prefix := p.leaf()
		rule.prefix = &prefix
	}
	if f := e.one("Filter"); f != nil {
		rule.filter = parseFilter(f)
	}
	if (rule.prefix == nil) == (rule.filter == nil) { // S101
		e.malformed()
	}
	if d := e.one("DeleteMarkerReplication"); d != nil {
		rule.deleteMarkers = statusOf(d)
	}
	if s := e.one("SourceSelectionCriteria"); s != nil {
		rule.source = &sourceCriteria{}
		if k := s.one("SseKmsEncryptedObjects"); k != nil {
			rule.source.sseKMS = statusOf(k)
		}
		if m := s.one("ReplicaModifications"); m != nil {
			rule.source.replicaModifications = statusOf(m)
		}
	}
	return rule // ExistingObjectReplication is not asked for: S3 refuses it (S102)
}

func statusOf(e *element) string { return e.need("Status").enum("Enabled", "Disabled") }

// parseFilter reads a Filter of exactly one predicate, or none; several go into And (S103).
func parseFilter(e *element) *filterDocument {
	f := &filterDocument{}
	found := 0
	if p := e.one("Prefix"); p != nil {
		f.form, f.prefix = "Prefix", p.leaf()
		found++
	}
	if t := e.one("Tag"); t != nil {
		f.form, f.tags = "Tag", []store.Tag{readTag(t)}
		found++
	}
	if and := e.one("And"); and != nil {
		f.form = "And"
		found++
		predicates := 0
		if p := and.one("Prefix"); p != nil {
			f.form, f.prefix = "AndPrefix", p.leaf()
			predicates++
		}
		for _, t := range and.many("Tag") {
			f.tags = append(f.tags, readTag(t))
			predicates++
		}
		if predicates < 2 {
			e.malformed()
		}
	}
	if found > 1 {
		e.malformed()
	}
	return f
}

func parseDestination(e *element) destinationDocument {
	d := destinationDocument{bucket: e.need("Bucket").leaf()}
	if account := e.one("Account"); account != nil {
		text := account.leaf()
		d.account = &text
	}
	if class := e.one("StorageClass"); class != nil {
		d.storageClass = class.enum("STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA",
			"INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE", "GLACIER_IR") // S104
	}
	if t := e.one("AccessControlTranslation"); t != nil {
		t.need("Owner").enum("Destination")
		d.override = true
	}
	if enc := e.one("EncryptionConfiguration"); enc != nil {
		d.encrypted = true
		if k := enc.one("ReplicaKmsKeyID"); k != nil {
			id := k.leaf()
			d.replicaKey = &id
		}
	}
	if rtc := e.one("ReplicationTime"); rtc != nil {
		d.timeStatus = statusOf(rtc)
		d.timeMinutes = rtc.need("Time").need("Minutes").integer(1<<31 - 1)
	}
	if m := e.one("Metrics"); m != nil {
		d.metrics = statusOf(m)
		if t := m.one("EventThreshold"); t != nil {
			n := t.need("Minutes").integer(1<<31 - 1)
			d.threshold = &n
		}
	}
	return d
}
