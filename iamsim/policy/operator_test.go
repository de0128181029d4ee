package policy

import (
	"encoding/json"
	"testing"
)

// holds evaluates one condition block against values of the key "k" (nil: absent).
func holds(t *testing.T, operator string, policy any, request []string, extra ...string) bool {
	t.Helper()
	b, err := json.Marshal(map[string]any{operator: map[string]any{"k": policy}})
	if err != nil {
		t.Fatal(err)
	}
	d := mustParse(t, doc(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+string(b)+`}`))
	ctx := contextOf(extra...)
	if request != nil {
		ctx.Set("K", request...)
	}
	return d.Statements[0].matchesConditions(ctx)
}

// TestOperators runs every operator of P31 with a value that it compares as true,
// one that it compares as false, and without the key.
func TestOperators(t *testing.T) {
	tests := []struct {
		operator, policy, yes, no string
		absent                    bool // result without the key: negated operators hold (P32)
	}{
		{"StringEquals", "aws:kms", "aws:kms", "AWS:KMS", false},
		{"StringNotEquals", "aws:kms", "AES256", "aws:kms", true},
		{"StringEqualsIgnoreCase", "aws:kms", "AWS:kms", "AES256", false},
		{"StringNotEqualsIgnoreCase", "aws:kms", "AES256", "AWS:KMS", true},
		{"StringLike", "Tax*", "Tax/a", "tax/a", false},
		{"StringLike", "T?x", "Täx", "Taax", false},
		{"StringLike", "a*", "a", "b", false},
		{"StringNotLike", "Tax*", "tax/a", "Tax", true},
		{"NumericEquals", "10", "10.0", "11", false},
		{"NumericNotEquals", "10", "11", "10", true},
		{"NumericNotEquals", "10", "ten", "10", true},
		{"NumericLessThan", "10", "9.5", "10", false},
		{"NumericLessThanEquals", "10", "10", "10.1", false},
		{"NumericGreaterThan", "1.2", "1.3", "1.2", false},
		{"NumericGreaterThanEquals", "10", "10", "ten", false},
		{"DateEquals", "2025-01-01T00:00:00Z", "1735689600", "2025-01-02", false},
		{"DateNotEquals", "2025-01-01T00:00:00Z", "2025-01-02T00:00:00Z", "2025-01-01", true},
		{"DateLessThan", "2025-01-01", "2024-12-31T23:59:59.5Z", "2025-01-01T00:00:00Z", false},
		{"DateLessThanEquals", "2025-01-01", "2025-01-01T01:00:00+01:00", "2025-01-01T00:00:01Z", false},
		{"DateGreaterThan", "1735689600", "2025-01-01T00:00:01Z", "2025-01-01T00:00:00Z", false},
		{"DateGreaterThanEquals", "1735689600", "2025-01-01T00:00:00Z", "yesterday", false},
		{"Bool", "true", "TRUE", "false", false},
		{"Bool", "false", "false", "", false},
		{"BinaryEquals", "QmluYXJ5", "QmluYXJ5", "Qm9vbGVhbg==", false},
		{"IpAddress", "203.0.113.0/24", "203.0.113.9", "203.0.114.9", false},
		{"IpAddress", "203.0.113.9", "203.0.113.9", "203.0.113.8", false},
		{"IpAddress", "2001:db8::/32", "2001:db8::1", "203.0.113.9", false},
		{"NotIpAddress", "203.0.113.0/24", "198.51.100.1", "203.0.113.9", true},
		{"NotIpAddress", "2001:db8::/32", "203.0.113.9", "2001:db8::9", true},
		{"ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", "arn:aws:s3:::c", false},
		{"ArnLike", "arn:aws:iam::*:role/r", "arn:aws:iam::111122223333:role/r", "arn:aws:iam::1:user/role/r", false},
		{"ArnLike", "arn:aws:s3:*", "nothing", "arn:aws:s3:::b", false},
		{"ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::B", "arn:aws:s3:::b", true},
		{"ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", "arn:aws:s3:::bb", true},
		{"stringLIKE", "a*", "ab", "b", false},
	}
	for _, tt := range tests {
		t.Run(tt.operator+" "+tt.policy, func(t *testing.T) {
			if tt.yes != "nothing" {
				wantEqual(t, holds(t, tt.operator, tt.policy, []string{tt.yes}), true)
			}
			wantEqual(t, holds(t, tt.operator, tt.policy, []string{tt.no}), false)
			wantEqual(t, holds(t, tt.operator, tt.policy, nil), tt.absent)
			ifExists := tt.operator + "IfExists"
			wantEqual(t, holds(t, ifExists, tt.policy, nil), true)
			wantEqual(t, holds(t, ifExists, tt.policy, []string{tt.no}), false)
			if tt.yes != "nothing" {
				wantEqual(t, holds(t, ifExists, tt.policy, []string{tt.yes}), true)
			}
		})
	}
}

func TestOperatorNames(t *testing.T) {
	for name, want := range map[string]bool{
		"StringEquals": true, "ForAllValues:StringLike": true, "ForAnyValue:ArnNotLikeIfExists": true, "Null": true,
		"NullIfExists": false, "StringLessThan": false, "Strings": false, "NumericLike": false, "": false,
		"ForSomeValues:StringLike": false, "StringEqualsIfExistsIfExists": false, "DateAfter": false,
	} {
		if _, ok := parseOperator(name); ok != want {
			t.Errorf("parseOperator(%q) = %v, want %v", name, ok, want)
		}
	}
}

// TestTruthRules goes through P30 to P38.
func TestTruthRules(t *testing.T) {
	ab := []string{"a", "b"}
	tests := []struct {
		name     string
		operator string
		policy   any
		request  []string
		want     bool
	}{
		{"values are alternatives", "StringEquals", ab, []string{"b"}, true},
		{"negated values exclude each", "StringNotEquals", ab, []string{"b"}, false},
		{"negated, none of them", "StringNotEquals", ab, []string{"c"}, true},
		{"empty string is present", "StringEquals", "", []string{""}, true},
		{"empty policy value never equals", "StringEquals", "", []string{"x"}, false},
		{"star matches the empty string", "StringLike", "*", []string{""}, true},
		{"empty value list, positive", "StringEquals", []string{}, []string{"a"}, false},
		{"empty value list, negated", "StringNotEquals", []string{}, []string{"a"}, true},
		{"boolean in the document", "Bool", true, []string{"true"}, true},
		{"number in the document", "NumericEquals", 5, []string{"5"}, true},
		{"number as a string", "StringEquals", 5, []string{"5"}, true},

		{"Null true, absent", "Null", "true", nil, true},
		{"Null true, present", "Null", "true", []string{"x"}, false},
		{"Null false, absent", "Null", false, nil, false},
		{"Null false, present but empty", "Null", "false", []string{""}, true},

		{"list without set operator", "StringEquals", "a", ab, false},
		{"list without set operator, negated", "StringNotEquals", "c", ab, false},

		{"ForAllValues, all in", "ForAllValues:StringEquals", []string{"a", "b", "c"}, ab, true},
		{"ForAllValues, one out", "ForAllValues:StringEquals", []string{"a"}, ab, false},
		{"ForAllValues, absent", "ForAllValues:StringEquals", "a", nil, true},
		{"ForAllValues, empty list", "ForAllValues:StringEquals", "a", []string{}, true},
		{"ForAllValues, single value", "ForAllValues:StringLike", "a*", []string{"ab"}, true},
		{"ForAllValues negated, none equal", "ForAllValues:StringNotEquals", "c", ab, true},
		{"ForAllValues negated, one equal", "ForAllValues:StringNotEquals", "a", ab, false},
		{"ForAllValues negated, absent", "ForAllValues:StringNotEquals", "a", nil, true},
		{"ForAllValues IfExists, absent", "ForAllValues:StringEqualsIfExists", "a", nil, true},

		{"ForAnyValue, one in", "ForAnyValue:StringEquals", "b", ab, true},
		{"ForAnyValue, none in", "ForAnyValue:StringEquals", "c", ab, false},
		{"ForAnyValue, absent", "ForAnyValue:StringEquals", "a", nil, false},
		{"ForAnyValue, empty list", "ForAnyValue:StringEquals", "a", []string{}, false},
		{"ForAnyValue negated, one differs", "ForAnyValue:StringNotEquals", "a", ab, true},
		{"ForAnyValue negated, none differs", "ForAnyValue:StringNotEquals", ab, ab, false},
		{"ForAnyValue negated, absent", "ForAnyValue:StringNotEquals", "a", nil, false},
		{"ForAnyValue IfExists, absent", "ForAnyValue:StringEqualsIfExists", "a", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantEqual(t, holds(t, tt.operator, tt.policy, tt.request), tt.want)
		})
	}
}

// TestConditionsAreAnded: operators and keys must all hold (P30).
func TestConditionsAreAnded(t *testing.T) {
	d := mustParse(t, doc(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{
		"StringEquals":{"a":"1","b":"2"},"Bool":{"c":"true"}}}`))
	s := d.Statements[0]
	wantEqual(t, s.matchesConditions(contextOf("a", "1", "b", "2", "c", "true")), true)
	for _, ctx := range []Context{
		contextOf("a", "1", "b", "2", "c", "false"),
		contextOf("a", "1", "b", "3", "c", "true"),
		contextOf("a", "1", "c", "true"),
	} {
		wantEqual(t, s.matchesConditions(ctx), false)
	}
}

// TestVariables covers P40 and P41.
func TestVariables(t *testing.T) {
	tests := []struct {
		name, operator, policy string
		request                []string
		context                []string
		want                   bool
	}{
		{"replaced", "StringEquals", "home/${aws:username}", []string{"home/bob"}, []string{"aws:username", "bob"}, true},
		{"name without case", "StringEquals", "${AWS:UserName}", []string{"bob"}, []string{"aws:username", "bob"}, true},
		{"missing, positive", "StringLike", "${aws:username}*", []string{"bob"}, nil, false},
		{"missing, negated", "StringNotLike", "${aws:username}*", []string{"bob"}, nil, true},
		{"default", "StringEquals", "${aws:username, 'guest'}", []string{"guest"}, nil, true},
		{"default not needed", "StringEquals", "${aws:username, 'guest'}", []string{"guest"}, []string{"aws:username", "bob"}, false},
		{"wildcards inside a value are characters", "StringLike", "${aws:username}", []string{"bob"}, []string{"aws:username", "b*"}, false},
		{"wildcards around a value work", "StringLike", "${aws:username}/*", []string{"b*/x"}, []string{"aws:username", "b*"}, true},
		{"escaped star", "StringLike", "a${*}", []string{"a*"}, nil, true},
		{"escaped star is no wildcard", "StringLike", "a${*}", []string{"ab"}, nil, false},
		{"escaped question mark", "StringLike", "a${?}", []string{"ab"}, nil, false},
		{"escaped dollar", "StringEquals", "${$}{x}", []string{"${x}"}, nil, true},
		{"unclosed is text", "StringEquals", "${aws:username", []string{"${aws:username"}, nil, true},
		{"in ARN operators", "ArnLike", "arn:aws:s3:::b/${aws:username}/*", []string{"arn:aws:s3:::b/bob/x"}, []string{"aws:username", "bob"}, true},
		{"in the account field", "ArnEquals", "arn:aws:iam::${aws:PrincipalAccount}:root", []string{"arn:aws:iam::1:root"}, []string{"aws:PrincipalAccount", "1"}, true},
		{"in Bool", "Bool", "${aws:SecureTransport}", []string{"true"}, []string{"aws:SecureTransport", "true"}, true},
		{"empty name", "StringEquals", "${}", []string{""}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantEqual(t, holds(t, tt.operator, tt.policy, tt.request, tt.context...), tt.want)
		})
	}
	t.Run("lists are no variables", func(t *testing.T) {
		d := mustParse(t, doc(`{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:TagKeys}"}`))
		ctx := Context{}
		ctx.Set("aws:TagKeys", "a", "b")
		wantEqual(t, d.Statements[0].matchesResource("arn:aws:s3:::b/a", "s3:GetObject", ctx), false)
	})
	t.Run("old documents have none", func(t *testing.T) {
		d := mustParse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}`)
		s := d.Statements[0]
		ctx := contextOf("aws:username", "bob")
		wantEqual(t, s.matchesResource("arn:aws:s3:::b/bob", "s3:GetObject", ctx), false)
		wantEqual(t, s.matchesResource("arn:aws:s3:::b/${aws:username}", "s3:GetObject", ctx), true)
	})
}
