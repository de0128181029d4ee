package sigv4

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrAnonymous is what errors.Is finds in Parse's error when a request carries no
// authentication at all. S3 may still serve such a request; other services refuse it.
var ErrAnonymous = errors.New("sigv4: request is not signed")

// Kind says what is wrong with a request's authentication. The comment of each kind names
// the fields of Error that are set beside AccessKeyID, Scope and Form (as far as known).
type Kind uint8

const (
	// None is no error; an *Error never has it.
	None Kind = iota

	// MissingToken: no authentication. The error also matches ErrAnonymous.
	MissingToken
	// UnsupportedAlgorithm: an Authorization scheme or X-Amz-Algorithm that is not ours. Value.
	UnsupportedAlgorithm
	// MultipleMechanisms: an Authorization header and query authentication, or two headers.
	MultipleMechanisms
	// SigV2: the old signature version in a header (A8), or in a query that lacks parameters (A7): Missing.
	SigV2
	// SigV4A: the asymmetric (ECDSA) form, as request signature or as payload mode. Value.
	SigV4A

	// MalformedHeader: the Authorization header can't be read. Value is the offending part.
	MalformedHeader
	// MissingComponents: the Authorization header lacks parts. Missing, AuthorizationHash.
	MissingComponents
	// MissingFormField: the signature of a form lacks a field. Missing has its name.
	MissingFormField
	// MissingQueryParams: a presigned URL lacks parameters. Missing.
	MissingQueryParams
	// MalformedCredential: the credential has not five parts, or an empty one. Value.
	MalformedCredential
	// WrongTerminator: the scope does not end in aws4_request. Value, Expected.
	WrongTerminator
	// ScopeDateMismatch: the scope's date is not the request's. Value (scope), Expected (request).
	ScopeDateMismatch
	// MissingDate: neither X-Amz-Date nor Date. AuthorizationHash.
	MissingDate
	// MalformedDate: the date can't be read. Value.
	MalformedDate
	// ExpiresNotNumber: X-Amz-Expires is not an integer. Value.
	ExpiresNotNumber
	// ExpiresNegative: X-Amz-Expires is below zero. Value.
	ExpiresNegative
	// ExpiresTooLong: X-Amz-Expires is above MaxExpires. Value.
	ExpiresTooLong

	// WrongService: the scope names another service. Value, Expected.
	WrongService
	// WrongRegion: the scope names another region (A18). Value, Expected.
	WrongRegion
	// Skewed: the request's time is more than MaxSkew from ours. RequestTime, ServerTime;
	// RequestTime before ServerTime means too old, else not yet current.
	Skewed
	// Expired: a presigned URL's validity has ended. RequestTime, ServerTime, ExpiresAt, Expires.
	Expired
	// NotYetValid: a presigned URL's date lies in the future. RequestTime, ServerTime.
	NotYetValid
	// HostNotSigned: host is not among the signed headers. Headers is ["host"].
	HostNotSigned
	// HeadersNotSigned: x-amz-* headers were sent but not signed (S3). Headers, sorted.
	HeadersNotSigned
	// MissingContentSHA256: S3 request without x-amz-content-sha256.
	MissingContentSHA256
	// InvalidContentSHA256: x-amz-content-sha256 is neither a hash nor a known word. Value.
	InvalidContentSHA256

	// UnknownKey, InvalidToken and ExpiredToken are never found by this package: they are
	// here for Lookup functions, so that one switch over Kind renders every refusal.
	UnknownKey
	// InvalidToken: a session token that is missing, malformed or not this key's.
	InvalidToken
	// ExpiredToken: the session has ended.
	ExpiredToken

	// BadSignature: StringToSign, CanonicalRequest, SignatureProvided (A19).
	BadSignature

	// ContentSHA256Mismatch: the body is not what was signed. ClientSHA256, ComputedSHA256.
	ContentSHA256Mismatch
	// IncompleteBody: fewer or more bytes than declared. ExpectedLength, ActualLength.
	IncompleteBody
	// MissingDecodedLength: an aws-chunked body without a usable
	// x-amz-decoded-content-length. Value is what was sent.
	MissingDecodedLength
	// MalformedChunk: the aws-chunked framing is broken. Chunk (1-based).
	MalformedChunk
	// InvalidChunkSize: a chunk that is not the last has under 8192 bytes. Chunk, ChunkSize.
	InvalidChunkSize
	// BadChunkSignature: Chunk, StringToSign, SignatureProvided.
	BadChunkSignature
	// UnsupportedTrailer: x-amz-trailer names something that is no checksum. Value.
	UnsupportedTrailer
	// MalformedTrailer: the trailer can't be read or is not what was announced. Value.
	MalformedTrailer
	// BadTrailerSignature: StringToSign, SignatureProvided.
	BadTrailerSignature

	kinds // number of kinds
)

var kindNames = [kinds]string{
	None: "none", MissingToken: "missing token", UnsupportedAlgorithm: "unsupported algorithm",
	MultipleMechanisms: "multiple mechanisms", SigV2: "signature version 2", SigV4A: "signature version 4A",
	MalformedHeader: "malformed Authorization header", MissingComponents: "missing Authorization components",
	MissingFormField: "missing form field", MissingQueryParams: "missing query parameters", MalformedCredential: "malformed credential",
	WrongTerminator: "wrong scope terminator", ScopeDateMismatch: "scope date mismatch",
	MissingDate: "missing date", MalformedDate: "malformed date", ExpiresNotNumber: "X-Amz-Expires is not a number",
	ExpiresNegative: "X-Amz-Expires is negative", ExpiresTooLong: "X-Amz-Expires is too long",
	WrongService: "wrong service", WrongRegion: "wrong region", Skewed: "time skewed", Expired: "expired",
	NotYetValid: "not yet valid", HostNotSigned: "host not signed", HeadersNotSigned: "headers not signed",
	MissingContentSHA256: "missing x-amz-content-sha256", InvalidContentSHA256: "invalid x-amz-content-sha256",
	UnknownKey: "unknown access key", InvalidToken: "invalid session token", ExpiredToken: "expired session token",
	BadSignature: "bad signature", ContentSHA256Mismatch: "payload hash mismatch", IncompleteBody: "incomplete body",
	MissingDecodedLength: "missing x-amz-decoded-content-length", MalformedChunk: "malformed chunk",
	InvalidChunkSize: "invalid chunk size", BadChunkSignature: "bad chunk signature",
	UnsupportedTrailer: "unsupported trailer", MalformedTrailer: "malformed trailer",
	BadTrailerSignature: "bad trailer signature",
}

// String is the kind in words, for logs; it is not what clients see.
func (k Kind) String() string {
	if k >= kinds {
		return "kind " + strconv.Itoa(int(k))
	}
	return kindNames[k]
}

// Error is every refusal of this package. Which fields are set stands at each Kind.
type Error struct {
	Kind        Kind
	Form        Form
	AccessKeyID string
	Scope       Scope

	// Value is the offending text as the client sent it, Expected what was wanted instead.
	Value, Expected string
	// Missing lists absent components or parameters, in the order AWS lists them.
	Missing []string
	// Headers lists lower-case names of headers that had to be signed.
	Headers []string
	// AuthorizationHash is base64(SHA-256(Authorization header)), which IAM quotes in place
	// of the header itself (A17).
	AuthorizationHash string

	RequestTime, ServerTime, ExpiresAt time.Time
	Expires                            time.Duration

	StringToSign, CanonicalRequest, SignatureProvided string
	// ClientSHA256 and ComputedSHA256 are hex.
	ClientSHA256, ComputedSHA256 string

	Chunk     int   // 1-based
	ChunkSize int64 // bytes
	// ExpectedLength and ActualLength are bytes; ActualLength is what had been read when the
	// fault was found.
	ExpectedLength, ActualLength int64

	cause error
}

// Error is a short text for logs. It quotes no secret and no signature.
func (e *Error) Error() string {
	s := "sigv4: " + e.Kind.String()
	if e.Value != "" {
		s += " " + strconv.Quote(e.Value)
	}
	if e.Expected != "" {
		s += ", want " + strconv.Quote(e.Expected)
	}
	if names := append(e.Missing[:len(e.Missing):len(e.Missing)], e.Headers...); len(names) > 0 {
		s += ": " + strings.Join(names, ", ")
	}
	if e.Chunk > 0 {
		s += " (chunk " + strconv.Itoa(e.Chunk) + ")"
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap is the underlying cause: ErrAnonymous, a read error, or nil.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the *Error in err's chain, None if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return None
}
