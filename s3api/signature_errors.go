package s3api

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"twinbucket/iamsim/sigv4"
	"twinbucket/internal/failure"
)

// signatureFailure words a refused signature as S3 does (S45–S49).
func signatureFailure(e *sigv4.Error) *failure.Error {
	f := signatureRefusal(e)
	return f.Because(e)
}

func signatureRefusal(e *sigv4.Error) *failure.Error {
	switch e.Kind {
	case sigv4.MissingToken:
		return failure.New("AccessDenied", "")
	case sigv4.SigV2:
		if e.Form == sigv4.FormQueryV2 {
			return failure.New("AccessDenied", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters")
		}
		return failure.New("InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	case sigv4.UnsupportedAlgorithm:
		if e.Form == sigv4.FormQuery {
			return failure.New("AuthorizationQueryParametersError", `X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"`)
		}
		return failure.New("InvalidArgument", "Unsupported Authorization Type", "ArgumentName", "Authorization", "ArgumentValue", e.Value)
	case sigv4.SigV4A:
		return failure.New("NotImplemented", "Signature Version 4A is not supported by Twinbucket: sign with AWS4-HMAC-SHA256.")
	case sigv4.MultipleMechanisms:
		return failure.New("InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
			"ArgumentName", "Authorization")
	case sigv4.UnknownKey:
		return failure.New("InvalidAccessKeyId", "", "AWSAccessKeyId", e.AccessKeyID)
	case sigv4.InvalidToken:
		return failure.New("InvalidToken", "")
	case sigv4.ExpiredToken:
		return failure.New("ExpiredToken", "")
	case sigv4.MissingFormField:
		return failure.Of(missingField(strings.Join(e.Missing, ", ")))
	case sigv4.BadSignature:
		if e.Form == sigv4.FormPost || e.Form == sigv4.FormPostV2 { // only a policy was signed
			return failure.New("SignatureDoesNotMatch", "",
				"AWSAccessKeyId", e.AccessKeyID, "StringToSign", e.StringToSign, "SignatureProvided", e.SignatureProvided, "StringToSignBytes", hexBytes(e.StringToSign))
		}
		return failure.New("SignatureDoesNotMatch", "",
			"AWSAccessKeyId", e.AccessKeyID, "StringToSign", e.StringToSign, "SignatureProvided", e.SignatureProvided,
			"StringToSignBytes", hexBytes(e.StringToSign), "CanonicalRequest", e.CanonicalRequest, "CanonicalRequestBytes", hexBytes(e.CanonicalRequest))
	case sigv4.BadChunkSignature, sigv4.BadTrailerSignature:
		return failure.New("SignatureDoesNotMatch", "",
			"AWSAccessKeyId", e.AccessKeyID, "StringToSign", e.StringToSign, "SignatureProvided", e.SignatureProvided, "StringToSignBytes", hexBytes(e.StringToSign))
	case sigv4.Skewed, sigv4.Expired, sigv4.NotYetValid:
		return timeRefusal(e)
	case sigv4.HeadersNotSigned, sigv4.HostNotSigned:
		return failure.New("AccessDenied", "There were headers present in the request which were not signed", "HeadersNotSigned", strings.Join(e.Headers, ", "))
	case sigv4.MissingContentSHA256, sigv4.InvalidContentSHA256, sigv4.ContentSHA256Mismatch, sigv4.IncompleteBody, sigv4.MissingDecodedLength,
		sigv4.MalformedChunk, sigv4.InvalidChunkSize, sigv4.UnsupportedTrailer, sigv4.MalformedTrailer:
		return payloadRefusal(e)
	}
	if e.Form == sigv4.FormQuery || e.Form == sigv4.FormPost {
		return queryRefusal(e)
	}
	return headerRefusal(e)
}

// timeRefusal words requests that are too old or too early (S47).
func timeRefusal(e *sigv4.Error) *failure.Error {
	switch e.Kind {
	case sigv4.Expired:
		if e.Form == sigv4.FormPost || e.Form == sigv4.FormPostV2 {
			return failure.New("AccessDenied", "Invalid according to Policy: Policy expired.")
		}
		return failure.New("AccessDenied", "Request has expired",
			"X-Amz-Expires", strconv.FormatInt(int64(e.Expires/time.Second), 10), "Expires", iso8601(e.ExpiresAt), "ServerTime", iso8601(e.ServerTime))
	case sigv4.NotYetValid:
		return failure.New("AccessDenied", "Request is not valid yet", "X-Amz-Date", e.RequestTime.UTC().Format("20060102T150405Z"), "ServerTime", iso8601(e.ServerTime))
	}
	return failure.New("RequestTimeTooSkewed", "", "RequestTime", e.RequestTime.UTC().Format("20060102T150405Z"),
		"ServerTime", iso8601(e.ServerTime), "MaxAllowedSkewMilliseconds", strconv.FormatInt(sigv4.MaxSkew.Milliseconds(), 10))
}

// payloadRefusal words bodies that are not what was signed (S48, S49).
func payloadRefusal(e *sigv4.Error) *failure.Error {
	switch e.Kind {
	case sigv4.MissingContentSHA256:
		return failure.New("InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
	case sigv4.InvalidContentSHA256:
		return failure.New("InvalidRequest", "The value of x-amz-content-sha256 header is invalid.")
	case sigv4.ContentSHA256Mismatch:
		return failure.New("XAmzContentSHA256Mismatch", "", "ClientComputedContentSHA256", e.ClientSHA256, "S3ComputedContentSHA256", e.ComputedSHA256)
	case sigv4.MissingDecodedLength:
		return failure.New("MissingContentLength", "You must provide the X-Amz-Decoded-Content-Length HTTP header.")
	case sigv4.InvalidChunkSize:
		return failure.New("InvalidChunkSizeError", "", "Chunk", strconv.Itoa(e.Chunk), "BadChunkSize", strconv.FormatInt(e.ChunkSize, 10))
	case sigv4.UnsupportedTrailer:
		return failure.New("InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
	case sigv4.MalformedTrailer:
		return failure.New("MalformedTrailerError", "")
	}
	return failure.New("IncompleteBody", "") // cut off, or its chunk framing is broken
}

// queryRefusal words malformed presigned URLs (S46).
func queryRefusal(e *sigv4.Error) *failure.Error {
	const code = "AuthorizationQueryParametersError"
	switch e.Kind {
	case sigv4.MissingQueryParams:
		return failure.New(code, "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
	case sigv4.ExpiresNotNumber:
		return failure.New(code, "X-Amz-Expires should be a number")
	case sigv4.ExpiresNegative:
		return failure.New(code, "X-Amz-Expires must be non-negative")
	case sigv4.ExpiresTooLong:
		return failure.New(code, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	case sigv4.MalformedCredential, sigv4.WrongTerminator:
		return failure.New(code, `Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`)
	case sigv4.WrongService:
		return failure.New(code, fmt.Sprintf(`Error parsing the X-Amz-Credential parameter; incorrect service "%s". This endpoint belongs to "s3".`, e.Value))
	case sigv4.WrongRegion:
		return failure.New(code, fmt.Sprintf("Error parsing the X-Amz-Credential parameter; the region '%s' is wrong; expecting '%s'", e.Value, e.Expected), "Region", e.Expected)
	case sigv4.MalformedDate, sigv4.MissingDate:
		return failure.New(code, `X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	case sigv4.ScopeDateMismatch:
		return failure.New(code, fmt.Sprintf(`Invalid credential date "%s". This date is not the same as X-Amz-Date: "%s".`, e.Value, e.Expected))
	}
	return failure.New(code, "The query-string authentication is malformed.")
}

// headerRefusal words malformed Authorization headers (S45).
func headerRefusal(e *sigv4.Error) *failure.Error {
	const code = "AuthorizationHeaderMalformed"
	const begin = "The authorization header is malformed; "
	switch e.Kind {
	case sigv4.WrongRegion:
		return failure.New(code, fmt.Sprintf(begin+"the region '%s' is wrong; expecting '%s'", e.Value, e.Expected), "Region", e.Expected)
	case sigv4.WrongService:
		return failure.New(code, fmt.Sprintf(begin+`incorrect service "%s". This endpoint belongs to "s3".`, e.Value))
	case sigv4.MalformedCredential, sigv4.WrongTerminator:
		return failure.New(code, begin+`the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`)
	case sigv4.ScopeDateMismatch:
		return failure.New(code, fmt.Sprintf(begin+`Invalid credential date "%s". This date is not the same as X-Amz-Date: "%s".`, e.Value, e.Expected))
	case sigv4.MissingComponents:
		return failure.New(code, begin+"the authorization header requires three components: Credential, SignedHeaders, and Signature.")
	case sigv4.MissingDate, sigv4.MalformedDate:
		return failure.New("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
	}
	return failure.New(code, begin+"the authorization header requires three components: Credential, SignedHeaders, and Signature.")
}

func iso8601(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// hexBytes spells a string as S3 does in …Bytes elements: "41 57 53".
func hexBytes(s string) string { return fmt.Sprintf("% x", s) }
