package sigv4

import (
	"net/http"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	algorithmA = "AWS4-ECDSA-P256-SHA256"
	terminator = "aws4_request"

	// timeFormat is ISO 8601 basic, always UTC; dateFormat its date.
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
)

const (
	// MaxSkew is how far a header-signed request's time may be from ours, either way (A10).
	MaxSkew = 15 * time.Minute
	// MaxExpires is the longest validity of a presigned URL (A12).
	MaxExpires = 7 * 24 * time.Hour
)

// Form is where a signature stands.
type Form uint8

const (
	// FormNone: the request is not signed, or in a way that was not recognised.
	FormNone Form = iota
	// FormHeader: in the Authorization header.
	FormHeader
	// FormQuery: in the query string (a presigned URL).
	FormQuery
	// FormQueryV2: in the query string, in the old signature version 2.
	FormQueryV2
	// FormPost: in the fields of a browser's form, over its policy.
	FormPost
	// FormPostV2: in the fields of a form, in the old signature version 2.
	FormPostV2
)

// Scope is a credential's scope.
type Scope struct {
	Date    string // YYYYMMDD
	Region  string
	Service string
}

func (s Scope) String() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator
}

// Credentials are an access key, its secret and, for temporary ones, the session token.
type Credentials struct {
	AccessKeyID  string
	SecretKey    string
	SessionToken string // empty for long-term keys
}

// Lookup finds the secret of an access key. sessionToken is what the request carried, empty
// if it carried none; whether it must be there and fits the key is for the function to
// decide. Errors reach the caller of Authenticate wrapped; an *Error of kind UnknownKey,
// InvalidToken or ExpiredToken is the usual refusal.
type Lookup func(accessKeyID, sessionToken string) (secret string, err error)

// Signed is what a request claims about its signature. Nothing in it is to be believed
// before Verify has succeeded. It belongs to one request and is not safe for concurrent use.
type Signed struct {
	Form          Form
	AccessKeyID   string
	Scope         Scope
	SignedHeaders []string // as sent: lower-case and sorted if the client is correct
	Signature     string   // hex
	SessionToken  string   // empty if none was sent
	// Time is the request's own time, from X-Amz-Date or Date; of FormQueryV2 the end of its validity.
	Time time.Time
	// Expires is X-Amz-Expires; only FormQuery, zero if the URL has none.
	Expires time.Duration
	// ContentSHA256 is the text of x-amz-content-sha256; a presigned URL without one has
	// "UNSIGNED-PAYLOAD" (A14).
	ContentSHA256 string

	req         *http.Request
	dateText    string     // Time as it stands in the string to sign
	signedList  string     // SignedHeaders joined by ";", as sent
	hasExpires  bool       // the URL has X-Amz-Expires, the policy an expiration
	payloadHash string     // what an S3 client put at the end of its canonical request
	policy      string     // FormPost: as sent, in base64
	policyEnds  time.Time  // FormPost, with hasExpires
	key         signingKey // set when Verify succeeds
	verified    bool
}

// Payload is how a body is protected, after ContentSHA256. For standard services it has no meaning.
func (s *Signed) Payload() Payload { return ParsePayload(s.ContentSHA256) }

func (s *Signed) fail(k Kind) *Error {
	return &Error{Kind: k, Form: s.Form, AccessKeyID: s.AccessKeyID, Scope: s.Scope}
}
