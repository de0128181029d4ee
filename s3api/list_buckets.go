package s3api

import (
	"encoding/base64"
	"strconv"
	"strings"

	"twinbucket/internal/arn"
	"twinbucket/internal/failure"
)

// maxBuckets is the largest and the default page of ListBuckets (S61).
const maxBuckets = 10_000

// listBuckets is ListBuckets: the buckets of the caller's account in all Regions, by name.
func (a *API) listBuckets(req *request) error {
	limit, err := bucketLimit(req.query.Get("max-buckets"))
	if err != nil {
		return err
	}
	region := req.query.Get("bucket-region")
	if region != "" && !isRegion(region) {
		e := failure.Newf("InvalidArgument", "Argument value %s is not a valid AWS Region", region)
		e.Fields = []failure.Field{{Name: "ArgumentName", Value: "bucket-region"}}
		return e
	}
	after, err := base64.RawURLEncoding.DecodeString(req.query.Get("continuation-token"))
	if err != nil {
		return failure.New("InvalidArgument", "The continuation token provided is incorrect", "ArgumentName", "continuation-token")
	}
	buckets, err := a.cfg.Store.Buckets(req.ctx, req.caller.Account())
	if err != nil {
		return err
	}
	prefix := req.query.Get("prefix")
	d := newDocument("ListAllMyBucketsResult")
	d.owner("Owner", req.caller.Account())
	d.open("Buckets")
	listed, next := 0, ""
	last := ""
	for _, b := range buckets {
		if !strings.HasPrefix(b.Name, prefix) || region != "" && b.Region != region || b.Name <= string(after) {
			continue
		}
		if listed == limit {
			next = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		d.open("Bucket")
		d.text("Name", b.Name)
		d.time("CreationDate", b.Created)
		d.text("BucketRegion", b.Region)
		d.text("BucketArn", arn.Bucket(b.Name))
		d.close("Bucket")
		listed, last = listed+1, b.Name
	}
	d.close("Buckets")
	d.optional("ContinuationToken", next)
	d.optional("Prefix", prefix)
	return req.send(d, "ListAllMyBucketsResult")
}

func bucketLimit(v string) (int, error) {
	if v == "" {
		return maxBuckets, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > maxBuckets {
		return 0, failure.New("InvalidArgument", "Argument max-buckets must be an integer between 1 and 10000", "ArgumentName", "max-buckets", "ArgumentValue", v)
	}
	return n, nil
}

// owner writes an Owner-like element for an account (S14).
func (d *document) owner(name, account string) {
	d.open(name)
	d.text("ID", canonicalID(account))
	d.close(name)
}
