package quotasapi

import (
	"net/http"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// Codes of Service Quotas. Their wire name is the code itself (K101).
const (
	accessDenied     failure.Code = "AccessDeniedException"
	alreadyExists    failure.Code = "ResourceAlreadyExistsException"
	illegalArgument  failure.Code = "IllegalArgumentException"
	badToken         failure.Code = "InvalidPaginationTokenException"
	noSuchResource   failure.Code = "NoSuchResourceException"
	serialization    failure.Code = "SerializationException"
	serviceError     failure.Code = "ServiceException"
	tooLarge         failure.Code = "RequestEntityTooLargeException"
	unknownOperation failure.Code = "UnknownOperationException"
	unsupported      failure.Code = "UnsupportedOperationException" // not AWS's
)

// status is the HTTP status of a code: 400 for every fault of the client, denials
// included (K101).
func status(code failure.Code) int {
	switch code {
	case serviceError:
		return http.StatusInternalServerError
	case unknownOperation:
		return http.StatusNotFound
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	case unsupported:
		return http.StatusNotImplemented
	}
	return http.StatusBadRequest
}

// asFailure makes any error a failure that may be shown: what has no code is an internal
// error whose text stays in the process.
func asFailure(err error) *failure.Error {
	if f := failure.Of(err); f != nil {
		return f
	}
	if code, text, ok := sigv4.JSONError(err, "servicequotas"); ok {
		return failure.New(failure.Code(code), text).Because(err)
	}
	return failure.New(serviceError, "Something went wrong.").Because(err)
}

func errNoService() error {
	return failure.New(noSuchResource, "The request failed because the specified service does not exist.") // K101
}

func errNoQuota() error {
	return failure.New(noSuchResource, "The request failed because the specified quota does not exist.") // K101
}
