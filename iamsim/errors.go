package iamsim

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// statusOf is the HTTP status of each code (I5).
func statusOf(code failure.Code) int {
	switch code {
	case "NoSuchEntity":
		return http.StatusNotFound
	case "EntityAlreadyExists", "DeleteConflict", "LimitExceeded", "ConcurrentModification", "EntityTemporarilyUnmodifiable":
		return http.StatusConflict
	case "AccessDenied", "IDPRejectedClaim", "MissingAuthenticationToken", "InvalidClientTokenId", "ExpiredToken", "SignatureDoesNotMatch":
		return http.StatusForbidden
	case "RequestEntityTooLarge":
		return http.StatusRequestEntityTooLarge
	case "InternalFailure", "ServiceFailure":
		return http.StatusInternalServerError
	case "NotImplemented":
		return http.StatusNotImplemented
	}
	return http.StatusBadRequest
}

// malformed turns a refused policy document into the failure that clients see.
func malformed(err error) error {
	var v *policy.ValidationError
	if errors.As(err, &v) {
		return failure.New(failure.Code(v.Code), v.Message)
	}
	return err
}

const (
	invalidToken = "The security token included in the request is invalid."
	amzTime      = "20060102T150405Z"
)

// signatureFailure words a refused signature as IAM and STS do (I8).
func signatureFailure(e *sigv4.Error) *failure.Error {
	switch e.Kind {
	case sigv4.MissingToken, sigv4.SigV2, sigv4.SigV4A:
		return failure.New("MissingAuthenticationToken", "Request is missing Authentication Token")
	case sigv4.UnsupportedAlgorithm:
		if e.Form == sigv4.FormQuery {
			return failure.New("MissingAuthenticationToken", "Missing Authentication Token")
		}
		return failure.New("MissingAuthenticationToken", "Request is missing Authentication Token")
	case sigv4.UnknownKey, sigv4.InvalidToken:
		return failure.New("InvalidClientTokenId", invalidToken)
	case sigv4.ExpiredToken:
		return failure.New("ExpiredToken", "The security token included in the request is expired")
	case sigv4.MalformedHeader, sigv4.MissingComponents, sigv4.MissingQueryParams, sigv4.MalformedCredential,
		sigv4.MissingDate, sigv4.MalformedDate, sigv4.MultipleMechanisms:
		return failure.New("IncompleteSignature", incompleteSignature(e))
	}
	return failure.New("SignatureDoesNotMatch", signatureMismatch(e))
}

func incompleteSignature(e *sigv4.Error) string {
	hash := " (Hashed with SHA-256 and encoded with Base64) Authorization=" + e.AuthorizationHash
	switch e.Kind {
	case sigv4.MalformedCredential:
		return "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + e.Value + "'"
	case sigv4.MissingComponents:
		var texts []string
		for _, m := range e.Missing {
			texts = append(texts, "Authorization header requires '"+m+"' parameter.")
		}
		return strings.Join(texts, " ") + hash
	case sigv4.MissingQueryParams:
		var texts []string
		for _, m := range e.Missing {
			texts = append(texts, "AWS query-string parameters must include '"+m+"'.")
		}
		return strings.Join(texts, " ") + " Re-examine the query-string parameters."
	case sigv4.MissingDate:
		return "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header." + hash
	case sigv4.MalformedDate:
		return "Date must be in ISO-8601 'basic format'. Got '" + e.Value + "'. See http://en.wikipedia.org/wiki/ISO_8601"
	case sigv4.MultipleMechanisms:
		return "Only one authentication mechanism is allowed: an Authorization header or query-string parameters."
	}
	return "'" + e.Value + "' not a valid key=value pair (missing equal-sign) in Authorization header."
}

func signatureMismatch(e *sigv4.Error) string {
	at, server := e.RequestTime.UTC().Format(amzTime), e.ServerTime.UTC().Format(amzTime)
	early := e.ServerTime.Add(-sigv4.MaxSkew).UTC().Format(amzTime)
	late := e.ServerTime.Add(sigv4.MaxSkew).UTC().Format(amzTime)
	switch e.Kind {
	case sigv4.Skewed:
		if e.RequestTime.Before(e.ServerTime) {
			return "Signature expired: " + at + " is now earlier than " + early + " (" + server + " - 15 min.)"
		}
		return "Signature not yet current: " + at + " is still later than " + late + " (" + server + " + 15 min.)"
	case sigv4.NotYetValid:
		return "Signature not yet current: " + at + " is still later than " + late + " (" + server + " + 15 min.)"
	case sigv4.Expired:
		return "Signature expired: " + at + " is now earlier than " + e.ServerTime.Add(-e.Expires).UTC().Format(amzTime) +
			" (" + server + " - " + strconv.Itoa(int(e.Expires.Minutes())) + " min.)"
	case sigv4.WrongService:
		return "Credential should be scoped to correct service: '" + e.Expected + "'."
	case sigv4.WrongTerminator:
		return "Credential should be scoped with a valid terminator: 'aws4_request'."
	case sigv4.ScopeDateMismatch:
		return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
	case sigv4.HostNotSigned:
		return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	}
	return "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
}
