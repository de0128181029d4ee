package s3api

// ControlOperations lists every operation of S3 Control.
func ControlOperations() []Operation {
	rows := controlTable()
	out := make([]Operation, len(rows))
	for i := range rows {
		out[i] = Operation{Name: rows[i].Name, Action: rows[i].Action, Supported: rows[i].Handler != nil}
	}
	return out
}

// controlTable is S3 Control: every row of its service model (S170). A request belongs to
// the first row whose method and path fit, so fixed paths stand before open ones. Rows
// without a handler are refused with 501 NotImplemented, after authentication.
func controlTable() []controlOperation {
	rows := []controlOperation{
		{Name: "DeletePublicAccessBlock", Method: "DELETE", Path: "configuration/publicAccessBlock", Action: "s3:PutAccountPublicAccessBlock", Handler: (*API).deleteAccountPublicAccessBlock},
		{Name: "GetPublicAccessBlock", Method: "GET", Path: "configuration/publicAccessBlock", Action: "s3:GetAccountPublicAccessBlock", Handler: (*API).getAccountPublicAccessBlock},
		{Name: "PutPublicAccessBlock", Method: "PUT", Path: "configuration/publicAccessBlock", Action: "s3:PutAccountPublicAccessBlock", Handler: (*API).putAccountPublicAccessBlock},
		{Name: "ListTagsForResource", Method: "GET", Path: "tags/{ResourceArn+}", Action: "s3:ListTagsForResource", Handler: (*API).listTagsForResource},
		{Name: "TagResource", Method: "POST", Path: "tags/{ResourceArn+}", Action: "s3:TagResource", Handler: (*API).tagResource},
		{Name: "UntagResource", Method: "DELETE", Path: "tags/{ResourceArn+}", Action: "s3:UntagResource", Handler: (*API).untagResource},
	}
	rows = append(rows, jobRows()...)
	for _, r := range [...]struct{ name, method, path string }{
		{"AssociateAccessGrantsIdentityCenter", "POST", "accessgrantsinstance/identitycenter"},
		{"DeleteAccessGrantsInstanceResourcePolicy", "DELETE", "accessgrantsinstance/resourcepolicy"},
		{"DissociateAccessGrantsIdentityCenter", "DELETE", "accessgrantsinstance/identitycenter"},
		{"GetAccessGrantsInstanceResourcePolicy", "GET", "accessgrantsinstance/resourcepolicy"},
		{"PutAccessGrantsInstanceResourcePolicy", "PUT", "accessgrantsinstance/resourcepolicy"},
		{"ListCallerAccessGrants", "GET", "accessgrantsinstance/caller/grants"},
		{"GetDataAccess", "GET", "accessgrantsinstance/dataaccess"},
		{"ListAccessGrantsLocations", "GET", "accessgrantsinstance/locations"},
		{"PutMultiRegionAccessPointPolicy", "POST", "async-requests/mrap/put-policy"},
		{"CreateAccessGrantsLocation", "POST", "accessgrantsinstance/location"},
		{"GetAccessGrantsInstanceForPrefix", "GET", "accessgrantsinstance/prefix"},
		{"ListAccessGrants", "GET", "accessgrantsinstance/grants"},
		{"CreateAccessGrant", "POST", "accessgrantsinstance/grant"},
		{"CreateMultiRegionAccessPoint", "POST", "async-requests/mrap/create"},
		{"DeleteMultiRegionAccessPoint", "POST", "async-requests/mrap/delete"},
		{"ListAccessPointsForObjectLambda", "GET", "accesspointforobjectlambda"},
		{"ListAccessPointsForDirectoryBuckets", "GET", "accesspointfordirectory"},
		{"ListAccessGrantsInstances", "GET", "accessgrantsinstances"},
		{"CreateAccessGrantsInstance", "POST", "accessgrantsinstance"},
		{"DeleteAccessGrantsInstance", "DELETE", "accessgrantsinstance"},
		{"GetAccessGrantsInstance", "GET", "accessgrantsinstance"},
		{"CreateStorageLensGroup", "POST", "storagelensgroup"},
		{"ListStorageLensGroups", "GET", "storagelensgroup"},
		{"ListMultiRegionAccessPoints", "GET", "mrap/instances"},
		{"ListAccessPoints", "GET", "accesspoint"},
		{"ListStorageLensConfigurations", "GET", "storagelens"},
		{"ListRegionalBuckets", "GET", "bucket"},
		{"DeleteAccessGrantsLocation", "DELETE", "accessgrantsinstance/location/{AccessGrantsLocationId}"},
		{"GetAccessGrantsLocation", "GET", "accessgrantsinstance/location/{AccessGrantsLocationId}"},
		{"UpdateAccessGrantsLocation", "PUT", "accessgrantsinstance/location/{AccessGrantsLocationId}"},
		{"GetAccessPointConfigurationForObjectLambda", "GET", "accesspointforobjectlambda/{Name}/configuration"},
		{"PutAccessPointConfigurationForObjectLambda", "PUT", "accesspointforobjectlambda/{Name}/configuration"},
		{"GetAccessPointPolicyStatusForObjectLambda", "GET", "accesspointforobjectlambda/{Name}/policyStatus"},
		{"DeleteAccessGrant", "DELETE", "accessgrantsinstance/grant/{AccessGrantId}"},
		{"GetAccessGrant", "GET", "accessgrantsinstance/grant/{AccessGrantId}"},
		{"DeleteAccessPointPolicyForObjectLambda", "DELETE", "accesspointforobjectlambda/{Name}/policy"},
		{"GetAccessPointPolicyForObjectLambda", "GET", "accesspointforobjectlambda/{Name}/policy"},
		{"PutAccessPointPolicyForObjectLambda", "PUT", "accesspointforobjectlambda/{Name}/policy"},
		{"DeleteBucketLifecycleConfiguration", "DELETE", "bucket/{Bucket}/lifecycleconfiguration"},
		{"DescribeMultiRegionAccessPointOperation", "GET", "async-requests/mrap/{RequestTokenARN+}"},
		{"GetBucketLifecycleConfiguration", "GET", "bucket/{Bucket}/lifecycleconfiguration"},
		{"PutBucketLifecycleConfiguration", "PUT", "bucket/{Bucket}/lifecycleconfiguration"},
		{"GetMultiRegionAccessPointPolicyStatus", "GET", "mrap/instances/{Name+}/policystatus"},
		{"CreateAccessPointForObjectLambda", "PUT", "accesspointforobjectlambda/{Name}"},
		{"DeleteAccessPointForObjectLambda", "DELETE", "accesspointforobjectlambda/{Name}"},
		{"GetAccessPointForObjectLambda", "GET", "accesspointforobjectlambda/{Name}"},
		{"GetAccessPointPolicyStatus", "GET", "accesspoint/{Name}/policyStatus"},
		{"DeleteStorageLensConfigurationTagging", "DELETE", "storagelens/{ConfigId}/tagging"},
		{"GetStorageLensConfigurationTagging", "GET", "storagelens/{ConfigId}/tagging"},
		{"PutStorageLensConfigurationTagging", "PUT", "storagelens/{ConfigId}/tagging"},
		{"GetMultiRegionAccessPointPolicy", "GET", "mrap/instances/{Name+}/policy"},
		{"GetMultiRegionAccessPointRoutes", "GET", "mrap/instances/{Mrap+}/routes"},
		{"SubmitMultiRegionAccessPointRoutes", "PATCH", "mrap/instances/{Mrap+}/routes"},
		{"DeleteBucketReplication", "DELETE", "bucket/{Bucket}/replication"},
		{"GetBucketReplication", "GET", "bucket/{Bucket}/replication"},
		{"PutBucketReplication", "PUT", "bucket/{Bucket}/replication"},
		{"GetBucketVersioning", "GET", "bucket/{Bucket}/versioning"},
		{"PutBucketVersioning", "PUT", "bucket/{Bucket}/versioning"},
		{"DeleteAccessPointPolicy", "DELETE", "accesspoint/{Name}/policy"},
		{"GetAccessPointPolicy", "GET", "accesspoint/{Name}/policy"},
		{"PutAccessPointPolicy", "PUT", "accesspoint/{Name}/policy"},
		{"DeleteAccessPointScope", "DELETE", "accesspoint/{Name}/scope"},
		{"GetAccessPointScope", "GET", "accesspoint/{Name}/scope"},
		{"PutAccessPointScope", "PUT", "accesspoint/{Name}/scope"},
		{"DeleteBucketTagging", "DELETE", "bucket/{Bucket}/tagging"},
		{"DeleteStorageLensGroup", "DELETE", "storagelensgroup/{Name}"},
		{"GetBucketTagging", "GET", "bucket/{Bucket}/tagging"},
		{"GetStorageLensGroup", "GET", "storagelensgroup/{Name}"},
		{"PutBucketTagging", "PUT", "bucket/{Bucket}/tagging"},
		{"UpdateStorageLensGroup", "PUT", "storagelensgroup/{Name}"},
		{"DeleteBucketPolicy", "DELETE", "bucket/{Bucket}/policy"},
		{"DeleteStorageLensConfiguration", "DELETE", "storagelens/{ConfigId}"},
		{"GetBucketPolicy", "GET", "bucket/{Bucket}/policy"},
		{"GetMultiRegionAccessPoint", "GET", "mrap/instances/{Name+}"},
		{"GetStorageLensConfiguration", "GET", "storagelens/{ConfigId}"},
		{"PutBucketPolicy", "PUT", "bucket/{Bucket}/policy"},
		{"PutStorageLensConfiguration", "PUT", "storagelens/{ConfigId}"},
		{"CreateAccessPoint", "PUT", "accesspoint/{Name}"},
		{"DeleteAccessPoint", "DELETE", "accesspoint/{Name}"},
		{"GetAccessPoint", "GET", "accesspoint/{Name}"},
		{"CreateBucket", "PUT", "bucket/{Bucket}"},
		{"DeleteBucket", "DELETE", "bucket/{Bucket}"},
		{"GetBucket", "GET", "bucket/{Bucket}"},
	} {
		rows = append(rows, controlOperation{Name: r.name, Method: r.method, Path: r.path})
	}
	return rows
}
