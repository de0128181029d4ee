package cwapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/fxamacker/cbor/v2"

	"twinbucket/internal/failure"
)

const (
	// apiVersion is the Query protocol's Version parameter.
	apiVersion = "2010-08-01"
	// serviceName is how the other protocols name the service (B1).
	serviceName  = "GraniteServiceVersion20100801"
	targetPrefix = serviceName + "."
	pathPrefix   = "/service/" + serviceName + "/operation/"
)

// IsRequest reports whether r can only be meant for CloudWatch: a path or a target that
// no other service has.
func IsRequest(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, pathPrefix) || strings.HasPrefix(r.Header.Get("X-Amz-Target"), targetPrefix)
}

// protocol is one way to carry operations over HTTP.
type protocol interface {
	// read finds the operation and its input.
	read(r *http.Request, body []byte) (message, error)
	// write renders an output.
	write(operation, requestID string, out any) ([]byte, error)
	fault(requestID string, f *failure.Error) []byte
	contentType() string
	// decorate adds the protocol's own response headers; err is nil on success.
	decorate(h http.Header, err error)
}

// message is a request as a protocol read it.
type message struct {
	operation string
	decode    func(in any) error
}

// protocolOf finds the protocol of a request; Query is what is left (B1).
func (s *Service) protocolOf(r *http.Request) protocol {
	switch {
	case strings.HasPrefix(r.URL.Path, pathPrefix):
		return s.cbor
	case strings.HasPrefix(r.Header.Get("X-Amz-Target"), targetPrefix):
		return jsonProtocol{}
	}
	return queryProtocol{}
}

// wireFault is the body of an error in JSON and CBOR (B4).
type wireFault struct {
	Type    string `json:"__type"`
	Message string `json:"message"`
}

// notReadable is the error for bodies that are not the shape that the operation takes.
func notReadable(err error) error {
	return failure.New(serialization, "The request body could not be read as the operation's input.").Because(err)
}

// queryError tells clients of the newer protocols the code that Query would have sent (B4).
func queryError(h http.Header, err error) {
	if err == nil {
		return
	}
	f := asFailure(err)
	party := "Sender"
	if statusOf(f.Code) >= http.StatusInternalServerError {
		party = "Receiver"
	}
	h.Set("X-Amzn-Query-Error", string(f.Code)+";"+party)
}

// jsonProtocol is AWS JSON 1.0 (B3).
type jsonProtocol struct{}

func (jsonProtocol) contentType() string { return "application/x-amz-json-1.0" }

func (jsonProtocol) decorate(h http.Header, err error) { queryError(h, err) }

func (jsonProtocol) read(r *http.Request, body []byte) (message, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	return message{strings.TrimPrefix(r.Header.Get("X-Amz-Target"), targetPrefix), func(in any) error {
		if err := json.Unmarshal(body, in); err != nil {
			return notReadable(err)
		}
		return nil
	}}, nil
}

func (jsonProtocol) write(_, _ string, out any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(out)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func (p jsonProtocol) fault(_ string, f *failure.Error) []byte {
	b, err := p.write("", "", wireFault{shapeID(f.Code), f.Message})
	if err != nil {
		panic("cwapi: internal error: fault: " + err.Error())
	}
	return b
}

// shapeID is the absolute name of an error's shape (B4).
func shapeID(code failure.Code) string {
	if _, ok := wireErrors[code]; ok && code != notImplemented && code != tooLarge || code == invalidNextToken {
		return "com.amazonaws.cloudwatch#" + shapeOf(code)
	}
	return "com.amazon.coral.service#" + shapeOf(code)
}

// cborCodec is Smithy RPC v2 with CBOR bodies (B2).
type cborCodec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

// newCBORCodec sets the bounds for foreign bytes.
func newCBORCodec() cborCodec {
	enc, err := cbor.EncOptions{ShortestFloat: cbor.ShortestFloatNone}.EncMode()
	if err != nil {
		panic("cwapi: internal error: " + err.Error())
	}
	dec, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 16, MaxArrayElements: 4096, MaxMapPairs: 4096,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
	}.DecMode()
	if err != nil {
		panic("cwapi: internal error: " + err.Error())
	}
	return cborCodec{enc, dec}
}

func (cborCodec) contentType() string { return "application/cbor" }

func (cborCodec) decorate(h http.Header, err error) {
	h.Set("Smithy-Protocol", "rpc-v2-cbor")
	queryError(h, err)
}

func (c cborCodec) read(r *http.Request, body []byte) (message, error) {
	operation := strings.TrimPrefix(r.URL.Path, pathPrefix)
	if r.Method != http.MethodPost || r.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		return message{}, failure.New(serialization, "A request to this path is a POST with the header smithy-protocol: rpc-v2-cbor.")
	}
	return message{operation, func(in any) error {
		if len(body) == 0 {
			return nil
		}
		if err := c.dec.Unmarshal(body, in); err != nil && !errors.Is(err, io.EOF) {
			return notReadable(err)
		}
		return nil
	}}, nil
}

func (c cborCodec) write(_, _ string, out any) ([]byte, error) { return c.enc.Marshal(out) }

func (c cborCodec) fault(_ string, f *failure.Error) []byte {
	b, err := c.enc.Marshal(wireFault{shapeID(f.Code), f.Message})
	if err != nil {
		panic("cwapi: internal error: fault: " + err.Error())
	}
	return b
}
