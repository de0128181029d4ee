package iamsim

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"io"
	"maps"
	"slices"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// authorizationMessageHeader carries the encoded authorization message of a denial. AWS
// puts such messages into the error texts of some services, none of which is emulated
// here, so the texts stay as they are and the message has a header of its own (I61).
const authorizationMessageHeader = "X-Twinbucket-Authorization-Message"

// Bounds of an encoded message (I61).
const (
	maxEncodedMessage = 10240 // characters
	maxMessageJSON    = 64 << 10
	longestValue      = 512 // of a condition key, in the message
)

// messages seals authorization messages. The key lives as long as the process.
type messages struct {
	random *source
	aead   func() cipher.AEAD // made at first use
}

func (m *messages) newAEAD() cipher.AEAD {
	block, err := aes.NewCipher(m.random.bytes(32))
	if err != nil {
		panic("iamsim: authorization messages: " + err.Error()) // 32 bytes are a key
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("iamsim: authorization messages: " + err.Error())
	}
	return aead
}

// AuthorizationMessage encodes a denial for DecodeAuthorizationMessage, which shows it to
// callers of the denied caller's account only. It is "" for allowed requests and for
// callers without an account.
func (s *Service) AuthorizationMessage(d *policy.Decision) string {
	if d == nil || d.Allowed() || d.Principal.Account == "" {
		return ""
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic("iamsim: authorization messages: " + err.Error())
	}
	_, _ = w.Write(encode(messageOf(d))) // a buffer's writes don't fail
	_ = w.Close()
	aead := s.messages.aead()
	nonce := s.random.bytes(aead.NonceSize())
	text := base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, b.Bytes(), []byte(d.Principal.Account)))
	if len(text) > maxEncodedMessage {
		return ""
	}
	return text
}

// open decodes a message for a caller of account.
func (m *messages) open(text, account string) ([]byte, bool) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	aead := m.aead()
	if err != nil || len(sealed) < aead.NonceSize() {
		return nil, false
	}
	packed, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], []byte(account))
	if err != nil {
		return nil, false
	}
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxMessageJSON))
	return out, err == nil
}

// items is how AWS's messages write lists.
type items[T any] struct {
	Items []T `json:"items"`
}

type (
	messageValue struct {
		Value string `json:"value"`
	}
	messageCondition struct {
		Key    string              `json:"key"`
		Values items[messageValue] `json:"values"`
	}
	messageStatement struct {
		ID     string `json:"statementId"`
		Effect string `json:"effect"`
		policy.Reference
	}
	message struct {
		Allowed           bool                    `json:"allowed"`
		ExplicitDeny      bool                    `json:"explicitDeny"`
		MatchedStatements items[messageStatement] `json:"matchedStatements"`
		Failures          items[policy.NearMiss]  `json:"failures"`
		Context           struct {
			Principal struct {
				ID   string `json:"id"`
				Name string `json:"name,omitempty"`
				ARN  string `json:"arn"`
			} `json:"principal"`
			Action     string                  `json:"action"`
			Resource   string                  `json:"resource"`
			Conditions items[messageCondition] `json:"conditions"`
		} `json:"context"`
	}
)

// messageOf writes a decision in the shape of AWS's decoded messages; near misses stand
// where AWS has failures (I61).
func messageOf(d *policy.Decision) *message {
	m := &message{Allowed: d.Allowed(), ExplicitDeny: d.Outcome == policy.ExplicitDeny}
	m.MatchedStatements.Items = []messageStatement{}
	if m.ExplicitDeny {
		m.MatchedStatements.Items = append(m.MatchedStatements.Items, messageStatement{d.DecidedBy.Sid, "DENY", d.DecidedBy})
	}
	m.Failures.Items = append([]policy.NearMiss{}, d.NearMisses...)
	c := &m.Context
	c.Principal.ID, c.Principal.Name, c.Principal.ARN = first(d.Context["aws:userid"]), first(d.Context["aws:username"]), d.Principal.ARN
	c.Action, c.Resource = d.Action, d.Resource
	c.Conditions.Items = []messageCondition{}
	for _, key := range slices.Sorted(maps.Keys(d.Context)) {
		cond := messageCondition{Key: key}
		for _, v := range d.Context[key] {
			cond.Values.Items = append(cond.Values.Items, messageValue{v[:min(len(v), longestValue)]})
		}
		c.Conditions.Items = append(c.Conditions.Items, cond)
	}
	return m
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

type decodedMessageResult struct{ DecodedMessage string }

func decodeAuthorizationMessage(s *Service, c *call) (any, error) {
	text := c.form.text("EncodedMessage", 1, maxEncodedMessage)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	decoded, ok := s.messages.open(text, c.account())
	if !ok {
		return nil, failure.New("InvalidAuthorizationMessageException", "Message is not valid")
	}
	return &decodedMessageResult{string(decoded)}, nil
}

// deniedBy is the decision behind an error, or nil.
func deniedBy(f *failure.Error) *policy.Decision {
	d, _ := f.Decision.(*policy.Decision)
	return d
}
