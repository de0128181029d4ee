package cwapi

import (
	"encoding"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"twinbucket/internal/failure"
)

// queryProtocol is AWS Query: a form in, XML out (B1).
type queryProtocol struct{}

const xmlNamespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"

func (queryProtocol) contentType() string { return "text/xml" }

func (queryProtocol) decorate(http.Header, error) {}

func (queryProtocol) read(r *http.Request, body []byte) (message, error) {
	text := string(body)
	if r.Method != http.MethodPost {
		text = r.URL.RawQuery
	}
	form, err := url.ParseQuery(text)
	if err != nil {
		return message{}, notReadable(err)
	}
	if form.Get("Action") == "" {
		return message{}, failure.New("MissingAction", "The request must contain the parameter Action.")
	}
	return message{form.Get("Action"), func(in any) error {
		if err := decodeForm(form, "", reflect.ValueOf(in).Elem()); err != nil {
			return failure.New("MalformedInput", err.Error()).Because(err)
		}
		return nil
	}}, nil
}

// maxMembers bounds a list in a form; no list of CloudWatch may be longer.
const maxMembers = 500

// decodeForm reads the parameter name, or those below it, into v. The members of lists
// are counted from 1: MetricDataQueries.member.1.Id.
func decodeForm(form url.Values, name string, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		if !present(form, name) {
			return nil
		}
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	if t, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return scalar(form, name, func(s string) error { return t.UnmarshalText([]byte(s)) })
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(form.Get(name))
	case reflect.Bool:
		return scalar(form, name, func(s string) error {
			b, err := strconv.ParseBool(s)
			v.SetBool(b)
			return err
		})
	case reflect.Int32:
		return scalar(form, name, func(s string) error {
			n, err := strconv.ParseInt(s, 10, 32)
			v.SetInt(n)
			return err
		})
	case reflect.Slice:
		for n := 1; ; n++ {
			member := fmt.Sprintf("%s.member.%d", name, n)
			if !present(form, member) {
				return nil
			}
			if n > maxMembers {
				return fmt.Errorf("%s has more than %d members", name, maxMembers)
			}
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
			if err := decodeForm(form, member, v.Index(n-1)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := memberName(v.Type().Field(i))
			if name != "" {
				field = name + "." + field
			}
			if err := decodeForm(form, field, v.Field(i)); err != nil {
				return err
			}
		}
	default:
		panic("cwapi: internal error: input member " + name + " of kind " + v.Kind().String())
	}
	return nil
}

// present reports whether the form has a parameter of that name or below it.
func present(form url.Values, name string) bool {
	if form.Has(name) {
		return true
	}
	for k := range form {
		if strings.HasPrefix(k, name) && k[len(name)] == '.' {
			return true
		}
	}
	return false
}

var errMalformed = errors.New("has a value that can't be read")

func scalar(form url.Values, name string, set func(string) error) error {
	s := form.Get(name)
	if s == "" {
		return nil
	}
	if set(s) != nil {
		return fmt.Errorf("%s %w", name, errMalformed)
	}
	return nil
}

// memberName is a field's name on the wire.
func memberName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

func (queryProtocol) write(operation, requestID string, out any) ([]byte, error) {
	var b strings.Builder
	b.WriteString("<" + operation + `Response xmlns="` + xmlNamespace + `">`)
	if err := encodeXML(&b, operation+"Result", reflect.ValueOf(out)); err != nil {
		return nil, err
	}
	b.WriteString("<ResponseMetadata>")
	element(&b, "RequestId", requestID)
	b.WriteString("</ResponseMetadata></" + operation + "Response>")
	return []byte(b.String()), nil
}

func (queryProtocol) fault(requestID string, f *failure.Error) []byte {
	party := "Sender"
	if statusOf(f.Code) >= http.StatusInternalServerError {
		party = "Receiver"
	}
	var b strings.Builder
	b.WriteString(`<ErrorResponse xmlns="` + xmlNamespace + `"><Error>`)
	element(&b, "Type", party)
	element(&b, "Code", string(f.Code))
	element(&b, "Message", f.Message)
	b.WriteString("</Error>")
	element(&b, "RequestId", requestID)
	b.WriteString("</ErrorResponse>")
	return []byte(b.String())
}

// encodeXML writes v as the element name. Nil pointers, maps and lists and empty strings
// are left out; a list that is there is written even when it is empty.
func encodeXML(b *strings.Builder, name string, v reflect.Value) error {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	if t, ok := v.Interface().(encoding.TextMarshaler); ok {
		text, err := t.MarshalText()
		element(b, name, string(text))
		return err
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() > 0 {
			element(b, name, v.String())
		}
	case reflect.Float64:
		element(b, name, strconv.FormatFloat(v.Float(), 'f', -1, 64))
	case reflect.Slice:
		if v.IsNil() {
			return nil
		}
		return encodeChildren(b, name, v.Len(), func(i int) error { return encodeXML(b, "member", v.Index(i)) })
	case reflect.Struct:
		return encodeChildren(b, name, v.NumField(), func(i int) error {
			return encodeXML(b, memberName(v.Type().Field(i)), v.Field(i))
		})
	case reflect.Map:
		return encodeMap(b, name, v)
	default:
		return fmt.Errorf("output member %s of kind %s", name, v.Kind())
	}
	return nil
}

func encodeChildren(b *strings.Builder, name string, n int, child func(int) error) error {
	b.WriteString("<" + name + ">")
	for i := range n {
		if err := child(i); err != nil {
			return err
		}
	}
	b.WriteString("</" + name + ">")
	return nil
}

// encodeMap writes a map as entries, in the order of the keys.
func encodeMap(b *strings.Builder, name string, v reflect.Value) error {
	if v.Len() == 0 {
		return nil
	}
	keys := sortedKeys(v)
	return encodeChildren(b, name, len(keys), func(i int) error {
		b.WriteString("<entry>")
		element(b, "key", keys[i])
		err := encodeXML(b, "value", v.MapIndex(reflect.ValueOf(keys[i])))
		b.WriteString("</entry>")
		return err
	})
}

func element(b *strings.Builder, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a Builder's writes don't fail
	b.WriteString("</" + name + ">")
}

func sortedKeys(m reflect.Value) []string {
	keys := make([]string, 0, m.Len())
	for _, k := range m.MapKeys() {
		keys = append(keys, k.String())
	}
	slices.Sort(keys)
	return keys
}
