package store

import (
	"errors"

	"twinbucket/internal/failure"
)

// DataGone is the code of OpenParts when a version was removed after it was looked
// up. Look the version up again: what is there now can be read.
const DataGone failure.Code = "DataGone"

// StaleAttempt is the code of Settle and Postpone when a later attempt has the task.
const StaleAttempt failure.Code = "StaleAttempt"

// errRetry aborts a transaction whose snapshot is out of date.
var errRetry = errors.New("store: snapshot is out of date")

// maxRetries bounds how often a snapshot is taken anew before the operation gives up.
const maxRetries = 32

func noSuchBucket(name string) error {
	return failure.New("NoSuchBucket", "The specified bucket does not exist", "BucketName", name)
}

func noSuchKey(key string) error {
	return failure.New("NoSuchKey", "The specified key does not exist.", "Key", key)
}

func noSuchVersion(key, id string) error {
	return failure.New("NoSuchVersion", "The specified version does not exist.", "Key", key, "VersionId", id)
}

func noSuchUpload(id string) error {
	return failure.New("NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
		"UploadId", id)
}

func preconditionFailed(condition string) error {
	return failure.New("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", "Condition", condition)
}

func conditionConflict(condition, key string) error {
	return failure.New("ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.",
		"Condition", condition, "Key", key)
}

func operationAborted() error {
	return failure.New("OperationAborted",
		"A conflicting conditional operation is currently in progress against this resource. Please try again.")
}

func staleAttempt(t Task) error {
	return failure.New(StaleAttempt, "another attempt has taken over the task",
		"BucketName", t.Bucket, "Key", t.Key, "VersionId", t.VersionID)
}

// failed makes every error that leaves the package a *failure.Error: what is not
// one already is internal, with the cause kept for logs and errors.Is.
func failed(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := err.(*failure.Error); ok {
		return err
	}
	if errors.Is(err, errRetry) {
		return operationAborted()
	}
	return failure.New("InternalError", "We encountered an internal error. Please try again.").Because(err)
}

func methodNotAllowed() error {
	return failure.New("MethodNotAllowed", "The specified method is not allowed against this resource.",
		"ResourceType", "DeleteMarker")
}

// ignoreMissing drops the error of a version or bucket that is gone.
func ignoreMissing(err error) error {
	switch failure.CodeOf(err) {
	case "NoSuchKey", "NoSuchVersion", "NoSuchBucket":
		return nil
	}
	return err
}
