package kmsapi

import (
	"context"
	"errors"
	"net/http"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// Codes of KMS. Their wire name is the code itself (K5).
const (
	accessDenied          failure.Code = "AccessDeniedException"
	alreadyExists         failure.Code = "AlreadyExistsException"
	conflict              failure.Code = "ConflictException"
	disabled              failure.Code = "DisabledException"
	dryRun                failure.Code = "DryRunOperationException"
	expiredImportToken    failure.Code = "ExpiredImportTokenException"
	incorrectKey          failure.Code = "IncorrectKeyException"
	incorrectMaterial     failure.Code = "IncorrectKeyMaterialException"
	internal              failure.Code = "KMSInternalException"
	invalidAliasName      failure.Code = "InvalidAliasNameException"
	invalidARN            failure.Code = "InvalidArnException"
	invalidCiphertext     failure.Code = "InvalidCiphertextException"
	invalidGrantToken     failure.Code = "InvalidGrantTokenException"
	invalidImportToken    failure.Code = "InvalidImportTokenException"
	invalidKeyUsage       failure.Code = "InvalidKeyUsageException"
	invalidMAC            failure.Code = "KMSInvalidMacException"
	invalidMarker         failure.Code = "InvalidMarkerException"
	wrongSignature        failure.Code = "KMSInvalidSignatureException"
	invalidState          failure.Code = "KMSInvalidStateException"
	limitExceeded         failure.Code = "LimitExceededException"
	malformedPolicy       failure.Code = "MalformedPolicyDocumentException"
	notAuthorized         failure.Code = "NotAuthorizedException"
	notFound              failure.Code = "NotFoundException"
	serialization         failure.Code = "SerializationException"
	tagError              failure.Code = "TagException"
	throttling            failure.Code = "ThrottlingException"
	tooLarge              failure.Code = "RequestEntityTooLargeException"
	unknownOperation      failure.Code = "UnknownOperationException"
	unsupported           failure.Code = "UnsupportedOperationException"
	validation            failure.Code = "ValidationException"
	missingAuthentication failure.Code = "MissingAuthenticationTokenException"
	invalidSignature      failure.Code = "InvalidSignatureException"
)

// status is the HTTP status of a code: 400 for every fault of the client, denials
// included (K4).
func status(code failure.Code) int {
	switch code {
	case internal, "DependencyTimeoutException", "KeyUnavailableException":
		return http.StatusInternalServerError
	case unknownOperation:
		return http.StatusNotFound
	case tooLarge:
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// asFailure makes any error a failure that may be shown: what has no code is an
// internal error whose text stays in the process.
func asFailure(err error) *failure.Error {
	if f := failure.Of(err); f != nil {
		return f
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return failure.New("DependencyTimeoutException", "The request was abandoned before it was finished.").Because(err)
	}
	return failure.New(internal, "").Because(err)
}

// authFailure words a refusal of the signature as KMS does (K8).
func authFailure(err error) error {
	code, text, ok := sigv4.JSONError(err, "kms")
	if !ok {
		return err
	}
	return failure.New(failure.Code(code), text).Because(err)
}
