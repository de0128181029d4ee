package s3api

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"twinbucket/internal/failure"
	"twinbucket/store"
)

// maxPostFields bounds what stands before the file, in bytes (S332).
const maxPostFields = 20 << 10

// postForm is a browser's form: the fields before the file, and the file, which is read as
// it comes. What follows the file is ignored.
type postForm struct {
	names    []string // lower-case, as they came
	values   map[string]string
	filename string
	file     io.Reader
}

// field is the value of a field, whatever the case of its name.
func (f *postForm) field(name string) (value string, sent bool) {
	value, sent = f.values[strings.ToLower(name)]
	return value, sent
}

// readPostForm reads a form up to the beginning of its file (S332).
func readPostForm(contentType string, body io.Reader) (*postForm, error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return nil, preconditionFailed("Bucket POST must be of the enclosure-type multipart/form-data")
	}
	malformed := func(cause error) error { return failure.New("MalformedPOSTRequest", "").Because(cause) }
	if parameters["boundary"] == "" {
		return nil, malformed(nil)
	}
	in := &failingReader{r: body}
	parts := multipart.NewReader(in, parameters["boundary"])
	f := &postForm{values: map[string]string{}}
	for room := maxPostFields; ; {
		part, err := parts.NextRawPart()
		switch {
		case err == io.EOF:
			return nil, failure.New("InvalidArgument", "POST requires exactly one file upload per request.", "ArgumentName", "file", "ArgumentValue", "0")
		case in.err != nil:
			return nil, in.err
		case err != nil:
			return nil, malformed(err)
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			f.filename, f.file = part.FileName(), part
			return f, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, int64(room)+1))
		switch {
		case in.err != nil:
			return nil, in.err
		case err != nil || name == "":
			return nil, malformed(err)
		}
		if room -= len(name) + len(value); room < 0 {
			return nil, failure.New("MaxPostPreDataLengthExceeded", "")
		}
		if _, twice := f.values[name]; twice {
			return nil, failure.New("InvalidArgument", "POST requires exactly one field of each name per request.", "ArgumentName", name)
		}
		f.names, f.values[name] = append(f.names, name), string(value)
	}
}

// key is the object's key: ${filename} stands for the name of the file (S333).
func (f *postForm) key() (string, error) {
	key, sent := f.field("key")
	if !sent {
		return "", missingField("key")
	}
	if key = strings.ReplaceAll(key, "${filename}", f.filename); key == "" {
		return "", failure.New("InvalidArgument", "User key must have a length greater than 0.", "ArgumentName", "key", "ArgumentValue", "")
	}
	return key, nil
}

func missingField(name string) error {
	return failure.New("InvalidArgument", "Bucket POST must contain a field named '"+name+"'.  If it is specified, please check the order of the fields.",
		"ArgumentName", name, "ArgumentValue", "")
}

// postHeaders are the fields that say what a header of PUT says.
var postHeaders = []string{"cache-control", "content-type", "content-disposition", "content-encoding", "content-language", "expires", "content-md5"}

// headers are the form's fields as the headers of a PUT of the same meaning, so that both go
// the same way from here. Fields of the signature say nothing there.
func (f *postForm) headers() (http.Header, error) {
	h := http.Header{}
	set := func(name, value string) { h[textproto.CanonicalMIMEHeaderKey(name)] = []string{value} }
	for _, name := range postHeaders {
		if v, sent := f.field(name); sent {
			set(name, v)
		}
	}
	for name, v := range f.values {
		switch name {
		case "x-amz-signature", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-security-token", "x-amz-copy-source":
		default:
			if strings.HasPrefix(name, "x-amz-") && validFieldName(name) {
				set(name, v)
			}
		}
	}
	if v, sent := f.field("acl"); sent {
		set("x-amz-acl", v)
	}
	tagging, sent := f.field("tagging")
	if !sent {
		return h, nil
	}
	tags, err := parseTagging([]byte(tagging))
	if err != nil {
		return nil, errMalformedXML
	}
	if err := checkObjectTags(tags); err != nil {
		return nil, err
	}
	set("x-amz-tagging", encodeTags(tags))
	return h, nil
}

// validFieldName: a form may name what no header can.
func validFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c >= 0x7f || c == ':' {
			return false
		}
	}
	return true
}

// encodeTags is x-amz-tagging of tags.
func encodeTags(tags []store.Tag) string {
	var b strings.Builder
	for i, t := range tags {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(t.Key) + "=" + url.QueryEscape(t.Value))
	}
	return b.String()
}
