package iamsim

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/failure"
)

// API versions (I1).
const (
	iamVersion = "2010-05-08"
	stsVersion = "2011-06-15"
)

func versionOf(service string) string {
	if service == "sts" {
		return stsVersion
	}
	return iamVersion
}

func namespace(service string) string {
	if service == "sts" {
		return "https://sts.amazonaws.com/doc/2011-06-15/"
	}
	return "https://iam.amazonaws.com/doc/2010-05-08/"
}

// faultNamespace is the one of errors about requests that name no known operation (I6).
const faultNamespace = "http://webservices.amazon.com/AWSFault/2005-15-09"

// document is a policy text; responses show it percent-encoded (I3).
type document string

// encodeResponse renders a success (I2). The members of result are written in order
// under their Go names: nil pointers, nil slices and empty strings are left out,
// everything else is written, so an empty list or map is an empty element.
func encodeResponse(service, action string, result any, requestID string) []byte {
	var b strings.Builder
	b.WriteString("<" + action + `Response xmlns="` + namespace(service) + `">`)
	if result != nil {
		encodeElement(&b, action+"Result", reflect.ValueOf(result))
	}
	b.WriteString("<ResponseMetadata><RequestId>" + requestID + "</RequestId></ResponseMetadata></" + action + "Response>")
	return []byte(b.String())
}

func encodeElement(b *strings.Builder, name string, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case time.Time:
		element(b, name, x.UTC().Format("2006-01-02T15:04:05Z"))
		return
	case document:
		if x != "" {
			element(b, name, percentEncode(string(x)))
		}
		return
	case always:
		element(b, name, string(x))
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() > 0 {
			element(b, name, v.String())
		}
	case reflect.Bool:
		element(b, name, strconv.FormatBool(v.Bool()))
	case reflect.Int:
		element(b, name, strconv.FormatInt(v.Int(), 10))
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		b.WriteString("<" + name + ">")
		for i := range v.Len() {
			encodeElement(b, "member", v.Index(i))
		}
		b.WriteString("</" + name + ">")
	case reflect.Map:
		if !v.IsNil() {
			encodeMap(b, name, v)
		}
	case reflect.Struct:
		b.WriteString("<" + name + ">")
		encodeMembers(b, v)
		b.WriteString("</" + name + ">")
	default:
		panic(fmt.Sprintf("iamsim: response member %s of type %s", name, v.Type()))
	}
}

// encodeMembers writes a struct's fields; those of an embedded struct stand beside the others.
func encodeMembers(b *strings.Builder, v reflect.Value) {
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous {
			encodeMembers(b, v.Field(i))
		} else {
			encodeElement(b, f.Name, v.Field(i))
		}
	}
}

// encodeMap writes a map with string keys, in their order.
func encodeMap(b *strings.Builder, name string, v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	b.WriteString("<" + name + ">")
	for _, k := range keys {
		b.WriteString("<entry>")
		element(b, "key", k.String())
		encodeElement(b, "value", v.MapIndex(k))
		b.WriteString("</entry>")
	}
	b.WriteString("</" + name + ">")
}

func element(b *strings.Builder, name, text string) {
	b.WriteString("<" + name + ">")
	_ = xml.EscapeText(b, []byte(text)) // a Builder's writes don't fail
	b.WriteString("</" + name + ">")
}

// percentEncode escapes everything but RFC 3986's unreserved characters (I3).
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) * 2)
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

// encodeError renders a failure (I4).
func encodeError(service string, f *failure.Error, status int, requestID string) []byte {
	ns := namespace(service)
	if f.Code == "InvalidAction" {
		ns = faultNamespace
	}
	party := "Sender"
	if status >= 500 {
		party = "Receiver"
	}
	var b strings.Builder
	b.WriteString(`<ErrorResponse xmlns="` + ns + `"><Error>`)
	element(&b, "Type", party)
	element(&b, "Code", string(f.Code))
	element(&b, "Message", f.Message)
	b.WriteString("</Error>")
	element(&b, "RequestId", requestID)
	b.WriteString("</ErrorResponse>")
	return []byte(b.String())
}
