package sigv4

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestJSONError(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		err           error
		code, message string
	}{
		{ErrAnonymous, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{fmt.Errorf("wrapped: %w", ErrAnonymous), "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{&Error{Kind: SigV2}, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{&Error{Kind: UnknownKey}, "UnrecognizedClientException", "The security token included in the request is invalid."},
		{&Error{Kind: ExpiredToken}, "ExpiredTokenException", "The security token included in the request is expired"},
		{&Error{Kind: WrongService}, "InvalidSignatureException", "Credential should be scoped to correct service: 'kms'. "},
		{&Error{Kind: Skewed, RequestTime: at.Add(-time.Hour), ServerTime: at}, "InvalidSignatureException",
			"Signature expired: 20260301T080000Z is now earlier than 20260301T084500Z (20260301T090000Z - 15 min.)"},
		{&Error{Kind: Skewed, RequestTime: at.Add(time.Hour), ServerTime: at}, "InvalidSignatureException",
			"Signature not yet current: 20260301T100000Z is still later than 20260301T091500Z (20260301T090000Z + 15 min.)"},
		{&Error{Kind: MissingComponents, Missing: []string{"Signature"}, AuthorizationHash: "h"}, "IncompleteSignatureException",
			"Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=h"},
	} {
		if code, message, ok := JSONError(tt.err, "kms"); code != tt.code || message != tt.message || !ok {
			t.Errorf("%v: %s %q, want %s %q", tt.err, code, message, tt.code, tt.message)
		}
	}
	for k := None; k <= MissingDecodedLength; k++ {
		if code, message, ok := JSONError(&Error{Kind: k}, "kms"); !ok || message == "" || !strings.HasSuffix(code, "Exception") {
			t.Errorf("kind %d: %s %q", k, code, message)
		}
	}
	if _, _, ok := JSONError(errors.New("disk"), "kms"); ok {
		t.Error("took an error that is not about the signature")
	}
}
