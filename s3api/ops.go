package s3api

// Operation is one operation of the S3 API as the support table shows it.
type Operation struct {
	Name      string // "PutBucketReplication"
	Action    string // IAM action, "" where each key or part is authorized by itself
	Supported bool   // false: answered 501 NotImplemented
}

// Operations lists every operation of the S3 API in the order of the table.
func Operations() []Operation {
	rows := operationTable()
	out := make([]Operation, len(rows))
	for i := range rows {
		out[i] = Operation{Name: rows[i].Name, Action: rows[i].Action, Supported: rows[i].Handler != nil}
	}
	return out
}

// operationTable is the API: every row of the service model (S1). A request belongs
// to the first row of its scope and method whose selectors all fit, so rows with more
// selectors stand before the plain ones. Actions follow the service authorization
// reference, whose names are irregular (S20).
func operationTable() []operation {
	rows := append(serviceRows(), bucketRows()...)
	rows = append(rows, configurationRows()...)
	rows = append(rows, namedRows()...)
	rows = append(rows, refusedBucketRows()...)
	rows = append(rows, listRows()...)
	return append(rows, objectRows()...)
}

func serviceRows() []operation {
	return []operation{
		{Name: "WriteGetObjectResponse", Method: "POST", Action: "s3-object-lambda:WriteGetObjectResponse"},
		{Name: "ListDirectoryBuckets", Method: "GET", Query: "x-id=ListDirectoryBuckets", Action: "s3express:ListAllMyDirectoryBuckets"},
		{Name: "ListBuckets", Method: "GET", Action: "s3:ListAllMyBuckets", Handler: (*API).listBuckets},
	}
}

func bucketRows() []operation {
	const b = bucketScope
	return []operation{
		{Name: "HeadBucket", Method: "HEAD", Scope: b, Action: "s3:ListBucket", Handler: (*API).headBucket},
		{Name: "GetBucketLocation", Method: "GET", Scope: b, Query: "location", Action: "s3:GetBucketLocation", Handler: (*API).getBucketLocation},

		{Name: "GetBucketVersioning", Method: "GET", Scope: b, Query: "versioning", Action: "s3:GetBucketVersioning", Handler: (*API).getBucketVersioning},
		{Name: "PutBucketVersioning", Method: "PUT", Scope: b, Query: "versioning", Action: "s3:PutBucketVersioning", Handler: (*API).putBucketVersioning},

		{Name: "GetBucketReplication", Method: "GET", Scope: b, Query: "replication", Action: "s3:GetReplicationConfiguration", Handler: (*API).getBucketReplication},
		{Name: "PutBucketReplication", Method: "PUT", Scope: b, Query: "replication", Action: "s3:PutReplicationConfiguration", Handler: (*API).putBucketReplication},
		{Name: "DeleteBucketReplication", Method: "DELETE", Scope: b, Query: "replication", Action: "s3:PutReplicationConfiguration", Handler: (*API).deleteBucketReplication},

		{Name: "GetBucketEncryption", Method: "GET", Scope: b, Query: "encryption", Action: "s3:GetEncryptionConfiguration", Handler: (*API).getBucketEncryption},
		{Name: "PutBucketEncryption", Method: "PUT", Scope: b, Query: "encryption", Action: "s3:PutEncryptionConfiguration", Handler: (*API).putBucketEncryption},
		{Name: "DeleteBucketEncryption", Method: "DELETE", Scope: b, Query: "encryption", Action: "s3:PutEncryptionConfiguration", Handler: (*API).deleteBucketEncryption},

		{Name: "GetBucketPolicy", Method: "GET", Scope: b, Query: "policy", Action: "s3:GetBucketPolicy", Handler: (*API).getBucketPolicy},
		{Name: "PutBucketPolicy", Method: "PUT", Scope: b, Query: "policy", Action: "s3:PutBucketPolicy", Handler: (*API).putBucketPolicy},
		{Name: "DeleteBucketPolicy", Method: "DELETE", Scope: b, Query: "policy", Action: "s3:DeleteBucketPolicy", Handler: (*API).deleteBucketPolicy},
		{Name: "GetBucketPolicyStatus", Method: "GET", Scope: b, Query: "policyStatus", Action: "s3:GetBucketPolicyStatus", Handler: (*API).getBucketPolicyStatus},

		{Name: "GetPublicAccessBlock", Method: "GET", Scope: b, Query: "publicAccessBlock", Action: "s3:GetBucketPublicAccessBlock", Handler: (*API).getPublicAccessBlock},
		{Name: "PutPublicAccessBlock", Method: "PUT", Scope: b, Query: "publicAccessBlock", Action: "s3:PutBucketPublicAccessBlock", Handler: (*API).putPublicAccessBlock},
		{Name: "DeletePublicAccessBlock", Method: "DELETE", Scope: b, Query: "publicAccessBlock", Action: "s3:PutBucketPublicAccessBlock", Handler: (*API).deletePublicAccessBlock},

		{Name: "GetBucketOwnershipControls", Method: "GET", Scope: b, Query: "ownershipControls", Action: "s3:GetBucketOwnershipControls", Handler: (*API).getBucketOwnershipControls},
		{Name: "PutBucketOwnershipControls", Method: "PUT", Scope: b, Query: "ownershipControls", Action: "s3:PutBucketOwnershipControls", Handler: (*API).putBucketOwnershipControls},
		{Name: "DeleteBucketOwnershipControls", Method: "DELETE", Scope: b, Query: "ownershipControls", Action: "s3:PutBucketOwnershipControls", Handler: (*API).deleteBucketOwnershipControls},

		{Name: "GetBucketTagging", Method: "GET", Scope: b, Query: "tagging", Action: "s3:GetBucketTagging", Handler: (*API).getBucketTagging},
		{Name: "PutBucketTagging", Method: "PUT", Scope: b, Query: "tagging", Action: "s3:PutBucketTagging", Handler: (*API).putBucketTagging},
		{Name: "DeleteBucketTagging", Method: "DELETE", Scope: b, Query: "tagging", Action: "s3:PutBucketTagging", Handler: (*API).deleteBucketTagging},

		{Name: "GetBucketAcl", Method: "GET", Scope: b, Query: "acl", Action: "s3:GetBucketAcl", Handler: (*API).getBucketAcl},
		{Name: "PutBucketAcl", Method: "PUT", Scope: b, Query: "acl", Action: "s3:PutBucketAcl", Handler: (*API).putBucketAcl},
	}
}

// configurationRows are the settings of a bucket beside its policy and its versions.
func configurationRows() []operation {
	const b = bucketScope
	return []operation{
		{Name: "GetBucketCors", Method: "GET", Scope: b, Query: "cors", Action: "s3:GetBucketCORS", Handler: (*API).getBucketCors},
		{Name: "PutBucketCors", Method: "PUT", Scope: b, Query: "cors", Action: "s3:PutBucketCORS", Handler: (*API).putBucketCors},
		{Name: "DeleteBucketCors", Method: "DELETE", Scope: b, Query: "cors", Action: "s3:PutBucketCORS", Handler: (*API).deleteBucketCors},

		{Name: "GetBucketWebsite", Method: "GET", Scope: b, Query: "website", Action: "s3:GetBucketWebsite", Handler: (*API).getBucketWebsite},
		{Name: "PutBucketWebsite", Method: "PUT", Scope: b, Query: "website", Action: "s3:PutBucketWebsite", Handler: (*API).putBucketWebsite},
		{Name: "DeleteBucketWebsite", Method: "DELETE", Scope: b, Query: "website", Action: "s3:DeleteBucketWebsite", Handler: (*API).deleteBucketWebsite},

		{Name: "GetBucketLifecycleConfiguration", Method: "GET", Scope: b, Query: "lifecycle", Action: "s3:GetLifecycleConfiguration", Handler: (*API).getBucketLifecycleConfiguration},
		{Name: "PutBucketLifecycleConfiguration", Method: "PUT", Scope: b, Query: "lifecycle", Action: "s3:PutLifecycleConfiguration", Handler: (*API).putBucketLifecycleConfiguration},
		{Name: "DeleteBucketLifecycle", Method: "DELETE", Scope: b, Query: "lifecycle", Action: "s3:PutLifecycleConfiguration", Handler: (*API).deleteBucketLifecycle},

		{Name: "GetBucketLogging", Method: "GET", Scope: b, Query: "logging", Action: "s3:GetBucketLogging", Handler: (*API).getBucketLogging},
		{Name: "PutBucketLogging", Method: "PUT", Scope: b, Query: "logging", Action: "s3:PutBucketLogging", Handler: (*API).putBucketLogging},

		{Name: "GetBucketNotificationConfiguration", Method: "GET", Scope: b, Query: "notification", Action: "s3:GetBucketNotification", Handler: (*API).getBucketNotificationConfiguration},
		{Name: "PutBucketNotificationConfiguration", Method: "PUT", Scope: b, Query: "notification", Action: "s3:PutBucketNotification", Handler: (*API).putBucketNotificationConfiguration},

		{Name: "GetBucketRequestPayment", Method: "GET", Scope: b, Query: "requestPayment", Action: "s3:GetBucketRequestPayment", Handler: (*API).getBucketRequestPayment},
		{Name: "PutBucketRequestPayment", Method: "PUT", Scope: b, Query: "requestPayment", Action: "s3:PutBucketRequestPayment", Handler: (*API).putBucketRequestPayment},

		{Name: "GetBucketAccelerateConfiguration", Method: "GET", Scope: b, Query: "accelerate", Action: "s3:GetAccelerateConfiguration", Handler: (*API).getBucketAccelerateConfiguration},
		{Name: "PutBucketAccelerateConfiguration", Method: "PUT", Scope: b, Query: "accelerate", Action: "s3:PutAccelerateConfiguration", Handler: (*API).putBucketAccelerateConfiguration},

		{Name: "GetObjectLockConfiguration", Method: "GET", Scope: b, Query: "object-lock", Action: "s3:GetBucketObjectLockConfiguration", Handler: (*API).getObjectLockConfiguration},
		{Name: "PutObjectLockConfiguration", Method: "PUT", Scope: b, Query: "object-lock", Action: "s3:PutBucketObjectLockConfiguration", Handler: (*API).putObjectLockConfiguration},
	}
}

func refusedBucketRows() []operation {
	const b = bucketScope
	return []operation{
		{Name: "GetBucketAbac", Method: "GET", Scope: b, Query: "abac", Action: "s3:GetBucketAbac"},
		{Name: "PutBucketAbac", Method: "PUT", Scope: b, Query: "abac", Action: "s3:PutBucketAbac"},
		{Name: "CreateSession", Method: "GET", Scope: b, Query: "session", Action: "s3express:CreateSession"},
		{Name: "CreateBucketMetadataConfiguration", Method: "POST", Scope: b, Query: "metadataConfiguration", Action: "s3:CreateBucketMetadataTableConfiguration"},
		{Name: "GetBucketMetadataConfiguration", Method: "GET", Scope: b, Query: "metadataConfiguration", Action: "s3:GetBucketMetadataTableConfiguration"},
		{Name: "DeleteBucketMetadataConfiguration", Method: "DELETE", Scope: b, Query: "metadataConfiguration", Action: "s3:DeleteBucketMetadataTableConfiguration"},
		{Name: "CreateBucketMetadataTableConfiguration", Method: "POST", Scope: b, Query: "metadataTable", Action: "s3:CreateBucketMetadataTableConfiguration"},
		{Name: "GetBucketMetadataTableConfiguration", Method: "GET", Scope: b, Query: "metadataTable", Action: "s3:GetBucketMetadataTableConfiguration"},
		{Name: "DeleteBucketMetadataTableConfiguration", Method: "DELETE", Scope: b, Query: "metadataTable", Action: "s3:DeleteBucketMetadataTableConfiguration"},
		{Name: "UpdateBucketMetadataInventoryTableConfiguration", Method: "PUT", Scope: b, Query: "metadataInventoryTable", Action: "s3:UpdateBucketMetadataInventoryTableConfiguration"},
		{Name: "UpdateBucketMetadataJournalTableConfiguration", Method: "PUT", Scope: b, Query: "metadataJournalTable", Action: "s3:UpdateBucketMetadataJournalTableConfiguration"},
		{Name: "UpdateBucketMetadataAnnotationTableConfiguration", Method: "PUT", Scope: b, Query: "metadataAnnotationTable", Action: "s3:UpdateBucketMetadataAnnotationTableConfiguration"},
	}
}

// namedRows are the settings that a bucket can have many of, each with an id.
func namedRows() []operation {
	const b = bucketScope
	var rows []operation
	for _, c := range []struct{ query, name string }{
		{"analytics", "Analytics"}, {"intelligent-tiering", "IntelligentTiering"}, {"inventory", "Inventory"}, {"metrics", "Metrics"},
	} {
		get, put := "s3:Get"+c.name+"Configuration", "s3:Put"+c.name+"Configuration"
		rows = append(rows,
			operation{Name: "GetBucket" + c.name + "Configuration", Method: "GET", Scope: b, Query: c.query + "&id", Action: get, Handler: (*API).getNamedConfiguration},
			operation{Name: "ListBucket" + c.name + "Configurations", Method: "GET", Scope: b, Query: c.query, Action: get, Handler: (*API).listNamedConfigurations},
			operation{Name: "PutBucket" + c.name + "Configuration", Method: "PUT", Scope: b, Query: c.query, Action: put, Handler: (*API).putNamedConfiguration},
			operation{Name: "DeleteBucket" + c.name + "Configuration", Method: "DELETE", Scope: b, Query: c.query, Action: put, Handler: (*API).deleteNamedConfiguration})
	}
	return rows
}

// listRows are the bucket operations on objects, and last the ones without a sub-resource.
func listRows() []operation {
	const b = bucketScope
	return []operation{
		{Name: "DeleteObjects", Method: "POST", Scope: b, Query: "delete", Handler: (*API).deleteObjects},
		{Name: "ListObjectVersions", Method: "GET", Scope: b, Query: "versions", Action: "s3:ListBucketVersions", Keys: (*API).listKeys, Handler: (*API).listObjectVersions},
		{Name: "ListMultipartUploads", Method: "GET", Scope: b, Query: "uploads", Action: "s3:ListBucketMultipartUploads", Keys: (*API).listKeys, Handler: (*API).listMultipartUploads},
		{Name: "ListObjectsV2", Method: "GET", Scope: b, Query: "list-type=2", Action: "s3:ListBucket", Keys: (*API).listKeys, Handler: (*API).listObjectsV2},
		{Name: "ListObjects", Method: "GET", Scope: b, Action: "s3:ListBucket", Keys: (*API).listKeys, Handler: (*API).listObjects},
		{Name: "PostObject", Method: "POST", Scope: b, Action: "s3:PutObject", Form: true, Handler: (*API).postObject},
		{Name: "CreateBucket", Method: "PUT", Scope: b, Action: "s3:CreateBucket", NewBucket: true, Keys: (*API).createBucketKeys, Handler: (*API).createBucket},
		{Name: "DeleteBucket", Method: "DELETE", Scope: b, Action: "s3:DeleteBucket", Handler: (*API).deleteBucket},
	}
}

func objectRows() []operation {
	const o = objectScope
	return []operation{
		{Name: "GetObjectAcl", Method: "GET", Scope: o, Query: "acl", Action: "s3:GetObjectAcl", VersionAction: "s3:GetObjectVersionAcl", Keys: (*API).existingTagKeys, Handler: (*API).getObjectAcl},
		{Name: "PutObjectAcl", Method: "PUT", Scope: o, Query: "acl", Action: "s3:PutObjectAcl", VersionAction: "s3:PutObjectVersionAcl", Keys: (*API).existingTagKeys, Handler: (*API).putObjectAcl},

		{Name: "GetObjectTagging", Method: "GET", Scope: o, Query: "tagging", Action: "s3:GetObjectTagging", VersionAction: "s3:GetObjectVersionTagging", Keys: (*API).existingTagKeys, Handler: (*API).getObjectTagging},
		{Name: "PutObjectTagging", Method: "PUT", Scope: o, Query: "tagging", Action: "s3:PutObjectTagging", VersionAction: "s3:PutObjectVersionTagging", Keys: (*API).putTaggingKeys, Handler: (*API).putObjectTagging},
		{Name: "DeleteObjectTagging", Method: "DELETE", Scope: o, Query: "tagging", Action: "s3:DeleteObjectTagging", VersionAction: "s3:DeleteObjectVersionTagging", Keys: (*API).existingTagKeys, Handler: (*API).deleteObjectTagging},
		{Name: "GetObjectAttributes", Method: "GET", Scope: o, Query: "attributes", Action: "s3:GetObject", VersionAction: "s3:GetObjectVersion", Handler: (*API).getObjectAttributes},

		{Name: "CreateMultipartUpload", Method: "POST", Scope: o, Query: "uploads", Action: "s3:PutObject", Keys: (*API).putKeys, Handler: (*API).createMultipartUpload},
		{Name: "UploadPartCopy", Method: "PUT", Scope: o, Query: "uploadId", Header: "X-Amz-Copy-Source", Action: "s3:PutObject", Keys: (*API).putKeys, Handler: (*API).uploadPartCopy},
		{Name: "UploadPart", Method: "PUT", Scope: o, Query: "uploadId", Action: "s3:PutObject", Keys: (*API).putKeys, Handler: (*API).uploadPart},
		{Name: "CompleteMultipartUpload", Method: "POST", Scope: o, Query: "uploadId", Action: "s3:PutObject", Keys: (*API).putKeys, Handler: (*API).completeMultipartUpload},
		{Name: "AbortMultipartUpload", Method: "DELETE", Scope: o, Query: "uploadId", Action: "s3:AbortMultipartUpload", Initiator: true, Handler: (*API).abortMultipartUpload},
		{Name: "ListParts", Method: "GET", Scope: o, Query: "uploadId", Action: "s3:ListMultipartUploadParts", Initiator: true, Handler: (*API).listParts},

		{Name: "GetObjectTorrent", Method: "GET", Scope: o, Query: "torrent", Action: "s3:GetObject"},
		{Name: "GetObjectRetention", Method: "GET", Scope: o, Query: "retention", Action: "s3:GetObjectRetention", Keys: (*API).existingTagKeys, Handler: (*API).getObjectRetention},
		{Name: "PutObjectRetention", Method: "PUT", Scope: o, Query: "retention", Action: "s3:PutObjectRetention", Keys: (*API).retentionKeys, Handler: (*API).putObjectRetention},
		{Name: "GetObjectLegalHold", Method: "GET", Scope: o, Query: "legal-hold", Action: "s3:GetObjectLegalHold", Keys: (*API).existingTagKeys, Handler: (*API).getObjectLegalHold},
		{Name: "PutObjectLegalHold", Method: "PUT", Scope: o, Query: "legal-hold", Action: "s3:PutObjectLegalHold", Keys: (*API).legalHoldKeys, Handler: (*API).putObjectLegalHold},
		{Name: "SelectObjectContent", Method: "POST", Scope: o, Query: "select&select-type=2", Action: "s3:GetObject"},
		{Name: "RestoreObject", Method: "POST", Scope: o, Query: "restore", Action: "s3:RestoreObject", Keys: (*API).existingTagKeys, Handler: (*API).restoreObject},
		{Name: "RenameObject", Method: "PUT", Scope: o, Query: "renameObject", Action: "s3:PutObject"},
		{Name: "UpdateObjectEncryption", Method: "PUT", Scope: o, Query: "encryption", Action: "s3:UpdateObjectEncryption"},
		{Name: "GetObjectAnnotation", Method: "GET", Scope: o, Query: "annotation&annotationName", Action: "s3:GetObjectAnnotation", VersionAction: "s3:GetObjectVersionAnnotation"},
		{Name: "ListObjectAnnotations", Method: "GET", Scope: o, Query: "annotation", Action: "s3:ListObjectAnnotations", VersionAction: "s3:ListObjectVersionAnnotations"},
		{Name: "PutObjectAnnotation", Method: "PUT", Scope: o, Query: "annotation", Action: "s3:PutObjectAnnotation", VersionAction: "s3:PutObjectVersionAnnotation"},
		{Name: "DeleteObjectAnnotation", Method: "DELETE", Scope: o, Query: "annotation", Action: "s3:DeleteObjectAnnotation", VersionAction: "s3:DeleteObjectVersionAnnotation"},

		{Name: "GetObject", Method: "GET", Scope: o, Action: "s3:GetObject", VersionAction: "s3:GetObjectVersion", Keys: (*API).existingTagKeys, Handler: (*API).getObject},
		{Name: "HeadObject", Method: "HEAD", Scope: o, Action: "s3:GetObject", VersionAction: "s3:GetObjectVersion", Keys: (*API).existingTagKeys, Handler: (*API).headObject},
		{Name: "CopyObject", Method: "PUT", Scope: o, Header: "X-Amz-Copy-Source", Action: "s3:PutObject", Keys: (*API).putKeys, Handler: (*API).copyObject},
		{Name: "PutObject", Method: "PUT", Scope: o, Action: "s3:PutObject", Keys: (*API).putKeys, Handler: (*API).putObject},
		{Name: "DeleteObject", Method: "DELETE", Scope: o, Action: "s3:DeleteObject", VersionAction: "s3:DeleteObjectVersion", Handler: (*API).deleteObject},
	}
}
