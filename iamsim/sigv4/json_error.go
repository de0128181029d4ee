package sigv4

import (
	"errors"
	"fmt"
)

// JSONError is the code and the message with which services of the JSON protocols refuse
// a request whose signature is missing or wrong. service is the signing name that they
// expect. ok is false for errors that are not about the signature.
func JSONError(err error, service string) (code, message string, ok bool) {
	var e *Error
	switch {
	case errors.As(err, &e):
		code, message = e.json(service)
		return code, message, true
	case errors.Is(err, ErrAnonymous):
		return jsonMissing, "Missing Authentication Token", true
	}
	return "", "", false
}

const (
	jsonMissing    = "MissingAuthenticationTokenException"
	jsonUnknown    = "UnrecognizedClientException"
	jsonExpired    = "ExpiredTokenException"
	jsonWrong      = "InvalidSignatureException"
	jsonIncomplete = "IncompleteSignatureException"
)

func (e *Error) json(service string) (code, message string) {
	switch e.Kind {
	case None, MissingToken, UnsupportedAlgorithm, SigV2, SigV4A:
		return jsonMissing, "Missing Authentication Token"
	case UnknownKey, InvalidToken:
		return jsonUnknown, "The security token included in the request is invalid."
	case ExpiredToken:
		return jsonExpired, "The security token included in the request is expired"
	case WrongService:
		return jsonWrong, "Credential should be scoped to correct service: '" + service + "'. "
	case WrongTerminator:
		return jsonWrong, "Credential should be scoped with a valid terminator: 'aws4_request'. "
	case WrongRegion:
		return jsonWrong, fmt.Sprintf("Credential should be scoped to a valid region, not '%s'. ", e.Value)
	case ScopeDateMismatch:
		return jsonWrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."
	case HostNotSigned:
		return jsonWrong, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	case Skewed:
		return jsonWrong, skewText(e)
	case Expired:
		return jsonWrong, fmt.Sprintf("Signature expired: %s is now earlier than %s",
			e.ExpiresAt.UTC().Format(timeFormat), e.ServerTime.UTC().Format(timeFormat))
	case NotYetValid:
		return jsonWrong, fmt.Sprintf("Signature not yet current: %s is still later than %s",
			e.RequestTime.UTC().Format(timeFormat), e.ServerTime.UTC().Format(timeFormat))
	case BadSignature:
		return jsonWrong, "The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	case MissingDate:
		return jsonIncomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
			"(Hashed with SHA-256 and encoded with Base64) Authorization=" + e.AuthorizationHash
	case MissingComponents:
		text := ""
		for _, name := range e.Missing {
			text += "Authorization header requires '" + name + "' parameter. "
		}
		return jsonIncomplete, text + "(Hashed with SHA-256 and encoded with Base64) Authorization=" + e.AuthorizationHash
	case MalformedCredential:
		return jsonIncomplete, fmt.Sprintf("Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term, got '%s'", e.Value)
	case MalformedDate:
		return jsonIncomplete, fmt.Sprintf("Date must be in ISO-8601 'basic format'. Got '%s'. "+
			"See http://en.wikipedia.org/wiki/ISO_8601", e.Value)
	}
	return jsonIncomplete, "The request signature does not conform to AWS standards."
}

func skewText(e *Error) string {
	at, now := e.RequestTime.UTC(), e.ServerTime.UTC()
	if at.Before(now) {
		return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)",
			at.Format(timeFormat), now.Add(-MaxSkew).Format(timeFormat), now.Format(timeFormat))
	}
	return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)",
		at.Format(timeFormat), now.Add(MaxSkew).Format(timeFormat), now.Format(timeFormat))
}
