package s3api

import (
	"twinbucket/internal/failure"
)

// The settings of this file can't be made, because their PUT is refused; what their GET
// says is therefore true of every bucket (S60).

func (a *API) getBucketCors(req *request) error { return notConfigured("NoSuchCORSConfiguration", req) }

func (a *API) getBucketWebsite(req *request) error {
	return notConfigured("NoSuchWebsiteConfiguration", req)
}

func (a *API) getBucketLifecycleConfiguration(req *request) error {
	return notConfigured("NoSuchLifecycleConfiguration", req)
}

func (a *API) getObjectLockConfiguration(req *request) error {
	return notConfigured("ObjectLockConfigurationNotFoundError", req)
}

func (a *API) getBucketLogging(req *request) error { return req.empty("BucketLoggingStatus") }

func (a *API) getBucketNotificationConfiguration(req *request) error {
	return req.empty("NotificationConfiguration")
}

func (a *API) getBucketAccelerateConfiguration(req *request) error {
	return req.empty("AccelerateConfiguration")
}

func (a *API) getBucketRequestPayment(req *request) error {
	const root = "RequestPaymentConfiguration"
	d := newDocument(root)
	d.text("Payer", "BucketOwner")
	return req.send(d, root)
}

// deleteNothing answers a DELETE of a setting that can't be there.
func (a *API) deleteNothing(req *request) error { return req.noContent() }

func (req *request) empty(root string) error { return req.send(newDocument(root), root) }

// noNamedConfiguration answers for one analytics, inventory, metrics or tiering
// configuration by its id: there is none (S60).
func (a *API) noNamedConfiguration(req *request) error {
	return failure.New("NoSuchConfiguration", "")
}

// listNoConfigurations answers for all of them.
func (a *API) listNoConfigurations(req *request) error {
	root := map[string]string{
		"ListBucketAnalyticsConfigurations":          "ListBucketAnalyticsConfigurationResult",
		"ListBucketIntelligentTieringConfigurations": "ListBucketIntelligentTieringConfigurationsOutput",
		"ListBucketInventoryConfigurations":          "ListInventoryConfigurationsResult",
		"ListBucketMetricsConfigurations":            "ListMetricsConfigurationsResult",
	}[req.op.Name]
	d := newDocument(root)
	d.boolean("IsTruncated", false)
	return req.send(d, root)
}
