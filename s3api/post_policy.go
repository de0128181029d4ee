package s3api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"twinbucket/internal/failure"
)

// postPolicy is what the policy of a form allows (S330).
type postPolicy struct {
	expires    time.Time
	conditions []postCondition
	sizes      bool // a content-length-range is among the conditions
	min, max   int64
}

// postCondition is one condition. Text is how messages quote it.
type postCondition struct {
	operator string // eq, starts-with or content-length-range
	field    string // lower-case, without $; "" if it can't hold
	value    string
	text     string
}

// parsePostPolicy reads a policy, base64 of JSON. Faults are InvalidPolicyDocument.
func parsePostPolicy(encoded string) (*postPolicy, error) {
	invalid := func(why string) error { return failure.New("InvalidPolicyDocument", "Invalid Policy: "+why) }
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, invalid("Invalid Base64 Encoding")
	}
	var doc struct {
		Expiration *string           `json:"expiration"`
		Conditions []json.RawMessage `json:"conditions"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); err != nil {
		return nil, invalid("Invalid JSON.")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalid("Invalid JSON.")
	}
	p := &postPolicy{}
	if doc.Expiration == nil {
		return nil, invalid("Policy missing expiration.")
	}
	if p.expires, err = time.Parse(time.RFC3339, *doc.Expiration); err != nil {
		return nil, invalid("Invalid 'expiration' value: '" + *doc.Expiration + "'")
	}
	if doc.Conditions == nil {
		return nil, invalid("Policy missing conditions.")
	}
	for _, raw := range doc.Conditions {
		if err := p.add(raw); err != "" {
			return nil, invalid(err)
		}
	}
	return p, nil
}

// add reads one condition: {"field": "value"} or ["operator", "$field", value].
func (p *postPolicy) add(raw json.RawMessage) (fault string) {
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '{' {
		var simple map[string]string
		if json.Unmarshal(raw, &simple) != nil || len(simple) != 1 {
			return "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
		}
		for field, value := range simple {
			p.conditions = append(p.conditions, postCondition{"eq", strings.ToLower(field), value, quoteCondition("eq", quoteJSON("$"+field), quoteJSON(value))})
		}
		return ""
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return "Invalid Condition: a condition is an object or a list."
	}
	if len(list) != 3 {
		return "Invalid Condition: wrong number of arguments."
	}
	var operator string
	if json.Unmarshal(list[0], &operator) != nil {
		return "Invalid Condition: an operator is a string."
	}
	switch operator = strings.ToLower(operator); operator {
	case "content-length-range":
		return p.addRange(list)
	case "eq", "starts-with":
		var field, value string
		if json.Unmarshal(list[1], &field) != nil || json.Unmarshal(list[2], &value) != nil {
			return "Invalid Condition: field and value are strings."
		}
		name, ok := strings.CutPrefix(field, "$")
		if !ok {
			name = "" // names no field, so it can't hold
		}
		p.conditions = append(p.conditions, postCondition{operator, strings.ToLower(name), value, quoteCondition(operator, quoteJSON(field), quoteJSON(value))})
		return ""
	}
	return "Invalid Condition: unknown operation '" + operator + "'."
}

// addRange reads content-length-range. Bounds may be numbers or strings of digits; others
// make a condition that can't hold.
func (p *postPolicy) addRange(list []json.RawMessage) (fault string) {
	var bounds [2]int64
	for i, raw := range list[1:] {
		n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64)
		if err != nil || n < 0 {
			p.conditions = append(p.conditions, postCondition{operator: "content-length-range",
				text: quoteCondition("content-length-range", quoteBound(list[1]), quoteBound(list[2]))})
			return ""
		}
		bounds[i] = n
	}
	p.sizes, p.min, p.max = true, bounds[0], bounds[1]
	return ""
}

// quoteBound shows a bound as a string, whatever it was.
func quoteBound(raw json.RawMessage) string {
	return quoteJSON(strings.Trim(string(raw), `"`))
}

func quoteCondition(operator, field, value string) string {
	return `[` + quoteJSON(operator) + `, ` + field + `, ` + value + `]`
}

func quoteJSON(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("s3api: a string can't be encoded: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// unconditioned are the fields that need no condition in the policy.
var unconditioned = []string{"policy", "file", "x-amz-signature", "signature", "awsaccesskeyid"}

// check holds the form against the policy: every condition is met, and every field has one
// (S331). bucket and key are conditions too, though bucket is no field.
func (p *postPolicy) check(form *postForm, bucket, key string) error {
	denied := func(why string) error { return failure.New("AccessDenied", "Invalid according to Policy: "+why) }
	covered := make(map[string]bool, len(p.conditions))
	for _, c := range p.conditions {
		value, _ := form.field(c.field)
		switch c.field {
		case "bucket":
			value = bucket
		case "key":
			value = key
		}
		if !c.holds(value) {
			return denied("Policy Condition failed: " + c.text)
		}
		covered[c.field] = true
	}
	var extra []string
	for _, name := range form.names {
		if !covered[name] && !slices.Contains(unconditioned, name) && !strings.HasPrefix(name, "x-ignore-") {
			extra = append(extra, name)
		}
	}
	if extra != nil {
		return denied("Extra input fields: " + strings.Join(extra, ", "))
	}
	return nil
}

// holds compares. A list of content types holds if each begins as the condition says.
func (c *postCondition) holds(value string) bool {
	switch {
	case c.field == "":
		return false
	case c.operator == "eq":
		return value == c.value
	case c.field == "content-type":
		for one := range strings.SplitSeq(value, ",") {
			if !strings.HasPrefix(strings.TrimSpace(one), c.value) {
				return false
			}
		}
		return true
	}
	return strings.HasPrefix(value, c.value)
}

// checkSize holds the file's size against content-length-range.
func (p *postPolicy) checkSize(size int64) error {
	switch {
	case p == nil || !p.sizes:
	case size < p.min:
		return failure.New("EntityTooSmall", "", "ProposedSize", strconv.FormatInt(size, 10), "MinSizeAllowed", strconv.FormatInt(p.min, 10))
	case size > p.max:
		return failure.New("EntityTooLarge", "", "ProposedSize", strconv.FormatInt(size, 10), "MaxSizeAllowed", strconv.FormatInt(p.max, 10))
	}
	return nil
}
