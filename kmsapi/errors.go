package kmsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// Codes of KMS. Their wire name is the code itself (K5).
const (
	accessDenied          failure.Code = "AccessDeniedException"
	alreadyExists         failure.Code = "AlreadyExistsException"
	disabled              failure.Code = "DisabledException"
	dryRun                failure.Code = "DryRunOperationException"
	incorrectKey          failure.Code = "IncorrectKeyException"
	internal              failure.Code = "KMSInternalException"
	invalidAliasName      failure.Code = "InvalidAliasNameException"
	invalidARN            failure.Code = "InvalidArnException"
	invalidCiphertext     failure.Code = "InvalidCiphertextException"
	invalidGrantToken     failure.Code = "InvalidGrantTokenException"
	invalidKeyUsage       failure.Code = "InvalidKeyUsageException"
	invalidMarker         failure.Code = "InvalidMarkerException"
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
	unrecognizedClient    failure.Code = "UnrecognizedClientException"
	expiredToken          failure.Code = "ExpiredTokenException"
	invalidSignature      failure.Code = "InvalidSignatureException"
	incompleteSignature   failure.Code = "IncompleteSignatureException"
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

const dateFormat = "20060102T150405Z"

// authFailure words a refusal of the signature as KMS does (K8).
func authFailure(err error) error {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		if errors.Is(err, sigv4.ErrAnonymous) {
			return failure.New(missingAuthentication, "Missing Authentication Token").Because(err)
		}
		return err
	}
	code, text := authText(e)
	return failure.New(code, text).Because(err)
}

func authText(e *sigv4.Error) (failure.Code, string) {
	switch e.Kind {
	case sigv4.None, sigv4.MissingToken, sigv4.UnsupportedAlgorithm, sigv4.SigV2, sigv4.SigV4A:
		return missingAuthentication, "Missing Authentication Token"
	case sigv4.UnknownKey, sigv4.InvalidToken:
		return unrecognizedClient, "The security token included in the request is invalid."
	case sigv4.ExpiredToken:
		return expiredToken, "The security token included in the request is expired"
	case sigv4.WrongService:
		return invalidSignature, "Credential should be scoped to correct service: 'kms'. "
	case sigv4.WrongTerminator:
		return invalidSignature, "Credential should be scoped with a valid terminator: 'aws4_request'. "
	case sigv4.WrongRegion:
		return invalidSignature, fmt.Sprintf("Credential should be scoped to a valid region, not '%s'. ", e.Value)
	case sigv4.ScopeDateMismatch:
		return invalidSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
	case sigv4.HostNotSigned:
		return invalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	case sigv4.Skewed:
		return invalidSignature, skewText(e)
	case sigv4.Expired:
		return invalidSignature, fmt.Sprintf("Signature expired: %s is now earlier than %s",
			e.ExpiresAt.UTC().Format(dateFormat), e.ServerTime.UTC().Format(dateFormat))
	case sigv4.NotYetValid:
		return invalidSignature, fmt.Sprintf("Signature not yet current: %s is still later than %s",
			e.RequestTime.UTC().Format(dateFormat), e.ServerTime.UTC().Format(dateFormat))
	case sigv4.BadSignature:
		return invalidSignature, "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	case sigv4.MissingDate:
		return incompleteSignature, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
			"(Hashed with SHA-256 and encoded with Base64) Authorization=" + e.AuthorizationHash
	case sigv4.MissingComponents:
		text := ""
		for _, name := range e.Missing {
			text += "Authorization header requires '" + name + "' parameter. "
		}
		return incompleteSignature, text + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + e.AuthorizationHash
	case sigv4.MalformedCredential:
		return incompleteSignature, fmt.Sprintf("Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s'", e.Value)
	case sigv4.MalformedDate:
		return incompleteSignature, fmt.Sprintf("Date must be in ISO-8601 'basic format'. Got '%s'. "+
			"See http://en.wikipedia.org/wiki/ISO_8601", e.Value)
	}
	return incompleteSignature, "The request signature does not conform to AWS standards."
}

func skewText(e *sigv4.Error) string {
	at, now := e.RequestTime.UTC(), e.ServerTime.UTC()
	if at.Before(now) {
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)",
			at.Format(dateFormat), now.Add(-sigv4.MaxSkew).Format(dateFormat), now.Format(dateFormat))
	}
	return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)",
		at.Format(dateFormat), now.Add(sigv4.MaxSkew).Format(dateFormat), now.Format(dateFormat))
}
