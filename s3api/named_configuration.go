package s3api

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
	"twinbucket/store"
)

// namedConfiguration is a setting that a bucket can have many of, each with an id. They
// are kept, not acted upon: no reports and no metrics come of them (S158).
type namedConfiguration struct {
	keptDocument
	list string // root of the list's answer
}

// pageOfConfigurations is how many configurations a list shows at once, and
// maxConfigurations how many a bucket has of a kind (S163).
const (
	pageOfConfigurations = 100
	maxConfigurations    = 1000
)

// analyticsFilter is the selection that three of the kinds have in common.
func analyticsFilter(more ...shape) shape {
	tag := parent("Tag", text("Key"), text("Value"))
	single := append([]shape{text("Prefix").opt(), tag.opt()}, more...)
	and := append([]shape{text("Prefix").opt(), tag.list().opt()}, more...)
	return parent("Filter", append(single, parent("And", and...).opt())...).opt()
}

var (
	analyticsKind = namedConfiguration{list: "ListBucketAnalyticsConfigurationResult", keptDocument: keptDocument{
		name: store.DocumentAnalytics, check: (*API).checkAnalytics,
		root: parent("AnalyticsConfiguration", text("Id"), analyticsFilter(),
			parent("StorageClassAnalysis", parent("DataExport",
				text("OutputSchemaVersion", "V_1"),
				parent("Destination", parent("S3BucketDestination",
					text("Format", "CSV"), text("BucketAccountId").opt(), text("Bucket"), text("Prefix").opt())),
			).opt())),
	}}

	tieringKind = namedConfiguration{list: "ListBucketIntelligentTieringConfigurationsOutput", keptDocument: keptDocument{
		name: store.DocumentTiering, check: (*API).checkFilter,
		root: parent("IntelligentTieringConfiguration", text("Id"), analyticsFilter(), text("Status", "Enabled", "Disabled"),
			parent("Tiering", text("AccessTier", "ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"), integer("Days")).list()),
	}}

	inventoryKind = namedConfiguration{list: "ListInventoryConfigurationsResult", keptDocument: keptDocument{
		name: store.DocumentInventory, check: (*API).checkInventory,
		root: parent("InventoryConfiguration",
			parent("Destination", parent("S3BucketDestination",
				text("AccountId").opt(), text("Bucket"), text("Format", "CSV", "ORC", "Parquet"), text("Prefix").opt(),
				parent("Encryption", parent("SSE-S3").opt(), parent("SSE-KMS", text("KeyId")).opt()).opt())),
			boolean("IsEnabled"),
			parent("Filter", text("Prefix")).opt(),
			text("Id"),
			text("IncludedObjectVersions", "All", "Current"),
			parent("OptionalFields", text("Field", "Size", "LastModifiedDate", "StorageClass", "ETag", "IsMultipartUploaded",
				"ReplicationStatus", "EncryptionStatus", "ObjectLockRetainUntilDate", "ObjectLockMode", "ObjectLockLegalHoldStatus",
				"IntelligentTieringAccessTier", "BucketKeyStatus", "ChecksumAlgorithm", "ObjectAccessControlList", "ObjectOwner",
				"LifecycleExpirationDate").list().opt()).opt(),
			parent("Schedule", text("Frequency", "Daily", "Weekly"))),
	}}

	metricsKind = namedConfiguration{list: "ListMetricsConfigurationsResult", keptDocument: keptDocument{
		name: store.DocumentMetrics, check: (*API).checkFilter,
		root: parent("MetricsConfiguration", text("Id"), analyticsFilter(text("AccessPointArn").opt())),
	}}
)

// kindOf is the kind that an operation's row is about.
func (req *request) kindOf() *namedConfiguration {
	for _, k := range [...]*namedConfiguration{&analyticsKind, &tieringKind, &inventoryKind, &metricsKind} {
		if name, _, _ := strings.Cut(req.op.Query, "&"); name == k.name {
			return k
		}
	}
	panic("s3api: " + req.op.Name + " is about no kind of named configuration")
}

// configurationName is the document's name: of its kind, with the id of the query.
func (req *request) configurationName() string { return req.kindOf().name + "/" + req.query.Get("id") }

func (a *API) getNamedConfiguration(req *request) error {
	content, ok := req.bucket.Documents[req.configurationName()]
	if !ok {
		return failure.New("NoSuchConfiguration", "")
	}
	root := req.kindOf().root.name
	d := newDocument(root)
	d.buf = append(d.buf, content...)
	return req.send(d, root)
}

// putNamedConfiguration adds or replaces a configuration; its document says the same id
// as the query.
func (a *API) putNamedConfiguration(req *request) error {
	k := req.kindOf()
	content, err := a.readDocument(req, &k.keptDocument)
	if err != nil {
		return err
	}
	name := req.configurationName()
	if _, replaces := req.bucket.Documents[name]; !replaces && len(configurations(req.bucket, k)) >= maxConfigurations {
		return failure.New("TooManyConfigurations", "")
	}
	if err := a.setDocument(req, name, content); err != nil {
		return err
	}
	return req.ok()
}

func (a *API) deleteNamedConfiguration(req *request) error {
	name := req.configurationName()
	if _, ok := req.bucket.Documents[name]; !ok {
		return failure.New("NoSuchConfiguration", "")
	}
	return a.deleteDocument(req, name)
}

// configurations are the names of the documents of a kind, in order.
func configurations(b *store.Bucket, k *namedConfiguration) []string {
	var names []string
	for name := range maps.Keys(b.Documents) {
		if strings.HasPrefix(name, k.name+"/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// listNamedConfigurations lists the configurations of a kind by id, in pages.
func (a *API) listNamedConfigurations(req *request) error {
	k := req.kindOf()
	token := req.query.Get("continuation-token")
	after, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return failure.New("InvalidArgument", "The continuation token provided is incorrect", "ArgumentName", "continuation-token")
	}
	names := configurations(req.bucket, k)
	if i, found := slices.BinarySearch(names, k.name+"/"+string(after)); found {
		names = names[i+1:]
	} else {
		names = names[i:]
	}
	truncated := len(names) > pageOfConfigurations
	if truncated {
		names = names[:pageOfConfigurations]
	}
	d := newDocument(k.list)
	for _, name := range names {
		d.open(k.root.name)
		d.buf = append(d.buf, req.bucket.Documents[name]...)
		d.close(k.root.name)
	}
	d.boolean("IsTruncated", truncated)
	d.optional("ContinuationToken", token)
	if truncated {
		last := names[len(names)-1]
		d.text("NextContinuationToken", base64.RawURLEncoding.EncodeToString([]byte(last[len(k.name)+1:])))
	}
	return req.send(d, k.list)
}

// checkID compares the ids of query and document (S163).
func checkID(req *request, root *element) error {
	if id := root.find("Id"); id.text != req.query.Get("id") {
		return failure.New("IdMismatch", "")
	}
	return nil
}

// checkFilter: a Filter has exactly one predicate, And at least two (S163).
func (a *API) checkFilter(req *request, root *element) error {
	if f := root.find("Filter"); f != nil {
		and := f.find("And")
		if len(f.children) != 1 || and != nil && len(and.children) < 2 {
			return errMalformedXML
		}
	}
	return checkID(req, root)
}

func (a *API) checkAnalytics(req *request, root *element) error {
	if b := root.find("StorageClassAnalysis", "DataExport", "Destination", "S3BucketDestination", "Bucket"); b != nil {
		if err := checkDestinationBucket(b.text); err != nil {
			return err
		}
	}
	return a.checkFilter(req, root)
}

func (a *API) checkInventory(req *request, root *element) error {
	if err := checkID(req, root); err != nil {
		return err
	}
	return checkDestinationBucket(root.find("Destination", "S3BucketDestination", "Bucket").text)
}

func checkDestinationBucket(text string) error {
	name, ok := strings.CutPrefix(text, arn.Bucket(""))
	if !ok || !validBucketName(name) {
		return failure.New("InvalidS3DestinationBucket", "")
	}
	return nil
}
