package cwapi

import (
	"context"
	"errors"
	"net/http"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// Codes of CloudWatch, spelled as the Query protocol does (B5).
const (
	invalidParameterValue       failure.Code = "InvalidParameterValue"
	invalidParameterCombination failure.Code = "InvalidParameterCombination"
	missingParameter            failure.Code = "MissingParameter"
	invalidNextToken            failure.Code = "InvalidNextToken"
	validationError             failure.Code = "ValidationError"
	serialization               failure.Code = "SerializationException"
	invalidAction               failure.Code = "InvalidAction"
	accessDenied                failure.Code = "AccessDenied"
	notImplemented              failure.Code = "NotImplemented"
	internalError               failure.Code = "InternalServiceError"
	tooLarge                    failure.Code = "RequestEntityTooLarge"
)

// wireError is how one code looks outside.
type wireError struct {
	shape  string // JSON and CBOR; the code itself when ""
	status int
}

// wireErrors lists codes that are not status 400 under their own name (B5).
var wireErrors = map[failure.Code]wireError{
	invalidParameterValue:        {"InvalidParameterValueException", http.StatusBadRequest},
	invalidParameterCombination:  {"InvalidParameterCombinationException", http.StatusBadRequest},
	missingParameter:             {"MissingRequiredParameterException", http.StatusBadRequest},
	validationError:              {"ValidationException", http.StatusBadRequest},
	invalidAction:                {"UnknownOperationException", http.StatusBadRequest},
	internalError:                {"InternalServiceFault", http.StatusInternalServerError},
	accessDenied:                 {"AccessDeniedException", http.StatusForbidden},
	notImplemented:               {"", http.StatusNotImplemented},
	tooLarge:                     {"", http.StatusRequestEntityTooLarge},
	"MissingAuthenticationToken": {"MissingAuthenticationTokenException", http.StatusForbidden},
	"InvalidClientTokenId":       {"UnrecognizedClientException", http.StatusForbidden},
	"ExpiredToken":               {"ExpiredTokenException", http.StatusForbidden},
	"SignatureDoesNotMatch":      {"InvalidSignatureException", http.StatusForbidden},
	"IncompleteSignature":        {"IncompleteSignatureException", http.StatusBadRequest},
}

// shapeOf is the code as JSON and CBOR spell it.
func shapeOf(code failure.Code) string {
	if w := wireErrors[code]; w.shape != "" {
		return w.shape
	}
	return string(code)
}

func statusOf(code failure.Code) int {
	if w, ok := wireErrors[code]; ok {
		return w.status
	}
	return http.StatusBadRequest
}

// asFailure makes any error a failure that may be shown.
func asFailure(err error) *failure.Error {
	if f := failure.Of(err); f != nil {
		return f
	}
	text := "The request processing has failed because of an unknown error, exception or failure."
	if errors.Is(err, context.Canceled) {
		text = "The request was abandoned."
	}
	return failure.New(internalError, text).Because(err)
}

// signatureFailure gives a refused signature the code of the Query protocol and the text
// of all of them (B6).
func signatureFailure(err error) *failure.Error {
	_, text, ok := sigv4.JSONError(err, "monitoring")
	if !ok {
		return asFailure(err)
	}
	return failure.New(signatureCode(sigv4.KindOf(err)), text).Because(err)
}

func signatureCode(k sigv4.Kind) failure.Code {
	switch k {
	case sigv4.None, sigv4.MissingToken, sigv4.UnsupportedAlgorithm, sigv4.SigV2, sigv4.SigV4A:
		return "MissingAuthenticationToken"
	case sigv4.UnknownKey, sigv4.InvalidToken:
		return "InvalidClientTokenId"
	case sigv4.ExpiredToken:
		return "ExpiredToken"
	case sigv4.MalformedHeader, sigv4.MissingComponents, sigv4.MissingQueryParams, sigv4.MalformedCredential,
		sigv4.MissingDate, sigv4.MalformedDate, sigv4.MultipleMechanisms:
		return "IncompleteSignature"
	}
	return "SignatureDoesNotMatch"
}
