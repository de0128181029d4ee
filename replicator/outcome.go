package replicator

import (
	"math/rand/v2"
	"slices"
	"time"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// outcome is how an attempt ended.
type outcome struct {
	status    store.ReplicationStatus // Completed, Failed, Pending (postponed) or "" (nothing left to replicate)
	reason    string                  // failureReason, Failed only
	message   string
	throttled bool
}

// finalReasons are AWS's failure reasons: they end a version FAILED, and nothing
// else does (R1). Everything that is not listed may pass and is tried again.
var finalReasons = map[failure.Code]bool{
	"AssumeRoleNotPermitted":            true,
	"DstBucketNotFound":                 true,
	"DstBucketObjectLockConfigMissing":  true,
	"DstBucketUnversioned":              true,
	"DstDelObjNotPermitted":             true,
	"DstKmsKeyInvalidState":             true,
	"DstKmsKeyNotFound":                 true,
	"DstObjectHardDeleted":              true,
	"DstPutAclNotPermitted":             true,
	"DstPutLegalHoldNotPermitted":       true,
	"DstPutObjectNotPermitted":          true,
	"DstPutRetentionNotPermitted":       true,
	"DstPutTaggingNotPermitted":         true,
	"DstVersionNotFound":                true,
	"SrcBucketNotFound":                 true,
	"SrcBucketReplicationConfigMissing": true,
	"SrcGetAclNotPermitted":             true,
	"SrcGetLegalHoldNotPermitted":       true,
	"SrcGetObjectNotPermitted":          true,
	"SrcGetRetentionNotPermitted":       true,
	"SrcGetTaggingNotPermitted":         true,
	"SrcHeadObjectNotPermitted":         true,
	"SrcKmsKeyInvalidState":             true,
	"SrcObjectNotEligible":              true,
	"DstMultipartInitNotPermitted":      true,
	"DstMultipartUploadNotPermitted":    true,
	"DstMultipartCompleteNotPermitted":  true,
}

// FailureReasons lists the failureReasons that a version can be FAILED with, sorted.
func FailureReasons() []string {
	var out []string
	for code := range finalReasons {
		out = append(out, string(code))
	}
	slices.Sort(out)
	return out
}

// vanished are codes of a source that is no longer there: the task ends without a
// status, because there is no version left to show it (R2).
var vanished = map[failure.Code]bool{
	"SrcKeyNotFound": true, "SrcObjectNotFound": true, "SrcVersionNotFound": true,
	"NoSuchKey": true, "NoSuchVersion": true,
}

// throttles are codes of a quota: the attempt is repeated when the quota allows (R3).
var throttles = map[failure.Code]bool{
	"ThrottlingException": true, "SlowDown": true, "RequestLimitExceeded": true,
}

// classify is the retry table: no error is COMPLETED, an AWS failure reason is
// FAILED, a vanished source ends the task, and everything else stays PENDING.
func classify(err error) outcome {
	if err == nil {
		return outcome{status: store.Completed}
	}
	o := outcome{status: store.Pending, message: err.Error()}
	if f := failure.Of(err); f != nil {
		o.message = f.Message
		switch {
		case finalReasons[f.Code]:
			o.status, o.reason = store.Failed, string(f.Code)
		case vanished[f.Code]:
			o.status = ""
		case throttles[f.Code]:
			o.throttled = true
		}
	}
	return o
}

const (
	backoffBase         = 500 * time.Millisecond
	backoffCap          = 5 * time.Minute
	backoffThrottledCap = 2 * time.Second // the lane keeps the pace; longer waits only waste the quota
)

// backoff is the wait after the attempt-th attempt (counted from 1): exponential,
// with the upper half of it random so that postponed tasks do not return together.
func backoff(attempt int, throttled bool, rng *rand.Rand) time.Duration {
	limit := backoffCap
	if throttled {
		limit = backoffThrottledCap
	}
	d := limit
	if shift := attempt - 1; shift < 20 {
		d = min(backoffBase<<max(shift, 0), limit)
	}
	return d/2 + time.Duration(rng.Int64N(int64(d/2)+1))
}
