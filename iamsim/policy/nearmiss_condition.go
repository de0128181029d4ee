package policy

import "strings"

// conditionMisses explains every condition that fails. When several do, none
// alone is the fault, so they rank lower.
func (x *explainer) conditionMisses(s *Statement) []suspect {
	var list []suspect
	for i := range s.Conditions {
		if c := &s.Conditions[i]; !c.holds(x.in.Context) {
			list = append(list, x.conditionMiss(c))
		}
	}
	for i := range list {
		list[i].rank += 3 * (len(list) - 1)
	}
	return list
}

func (x *explainer) conditionMiss(c *Condition) suspect {
	got := x.in.Context[c.key]
	miss := suspect{NearMiss: NearMiss{
		FailedOn: "condition " + c.Key,
		Expected: c.expected(),
		Got:      join(got),
	}, rank: surely + 1}
	miss.at(c.Pos)
	if len(c.Values) > 0 {
		miss.at(c.Values[0].Pos)
	}
	switch {
	case c.op.family == nullFamily:
		miss.Hint = "Null asks whether the key is in the request, not for its value"
	case len(got) == 0:
		miss.Hint = absentHint(c)
	case c.op.set == single && len(got) > 1:
		miss.Hint = c.Key + " holds a list: use ForAnyValue:" + c.Operator + " or ForAllValues:" + c.Operator
	case c.op.negated:
		miss.Hint = "the value is one that " + c.Operator + " excludes"
	default:
		for _, v := range c.Values {
			if rank, hint, fix := valueHint(c, v.Text, got[0], x.in.Context); hint != "" {
				miss.rank, miss.Hint, miss.Fix = rank, hint, fix
				miss.at(v.Pos)
				break
			}
		}
	}
	return miss
}

// expected puts what the condition asks for into words.
func (c *Condition) expected() string {
	values := join(texts(c.Values))
	switch {
	case c.op.family == nullFamily && c.holdsNull(true):
		return "present"
	case c.op.family == nullFamily:
		return "absent"
	case len(c.Values) == 0:
		return "a value of an empty list"
	case c.op.negated:
		return "not " + values
	case len(c.Values) == 1 && values == "":
		return `""`
	}
	return values
}

// absentHint says why a key may be missing from a request.
func absentHint(c *Condition) string {
	switch key := c.key; {
	case key == "kms:viaservice":
		return "the call came to KMS directly; the key exists only when a service such as S3 calls for the caller"
	case strings.HasPrefix(key, "kms:encryptioncontext:"):
		return "the call has no encryption context entry " + quote(c.Key[len("kms:encryptioncontext:"):])
	case strings.HasPrefix(key, "s3:x-amz-"):
		return "the request has no " + key[len("s3:"):] + " header"
	case key == "aws:sourceip" || key == "aws:sourcevpc" || key == "aws:sourcevpce":
		return "calls that AWS services make carry no " + c.Key
	case key == "aws:sourceaccount" || key == "aws:sourcearn":
		return c.Key + " is present only when an AWS service calls with its own identity"
	case strings.HasPrefix(key, "aws:multifactorauth") || key == "aws:tokenissuetime":
		return "long-term access keys have no " + c.Key
	case key == "sts:externalid":
		return "the caller passed no external id"
	case strings.HasPrefix(key, "s3:existingobjecttag/"):
		return "the object has no tag " + quote(c.Key[len("s3:existingobjecttag/"):])
	}
	return "the request has no " + c.Key + "; an operator that ends in IfExists would let it pass"
}

// valueHint compares one policy value with the request's value.
func valueHint(c *Condition, written, got string, ctx Context) (rank int, hint, fix string) {
	text := c.op.family == stringFamily || c.op.family == stringFoldFamily || c.op.family == likeFamily || c.op.family == arnFamily
	switch {
	case !text:
		return likely, "the request has " + quote(got), ""
	case written == "":
		return surely, "an empty value equals no value of a request", got
	case isPlaceholder(written):
		return surely, "a placeholder was left in", got
	}
	if unresolved(written, ctx) {
		return likely, "a policy variable in it has no value in this request", ""
	}
	if c.key == "kms:encryptioncontext:aws:s3:arn" {
		if hint, fix := contextHint(written, got); hint != "" {
			return surely, hint, fix
		}
	}
	wildcards := c.op.family == likeFamily || c.op.family == arnFamily
	switch like := globMatch(encode(written), got); {
	case like && !wildcards:
		return surely, c.Operator + " takes \"*\" and \"?\" as characters: use StringLike", ""
	case strings.EqualFold(written, got):
		return surely, "the values differ in case", got
	case wildcards && globMatch(encode(written+"*"), got):
		return surely, "it matches only that exact value; a \"*\" at the end is missing", written + "*"
	case c.key == "kms:viaservice":
		return surely, serviceHint(written, got), got
	}
	return likely, "", ""
}

// unresolved reports whether the value holds a variable without a value.
func unresolved(written string, ctx Context) bool {
	parts, variables := splitVariables(written, false)
	if !variables {
		return false
	}
	_, ok := expand(parts, ctx)
	return !ok
}

// contextHint explains the two forms of S3's encryption context (P52).
func contextHint(written, got string) (hint, fix string) {
	if strings.HasPrefix(written, got+"/") {
		return "the object uses an S3 Bucket Key, so the encryption context holds the bucket's ARN, not the object's: allow " + quote(got), got
	}
	if strings.HasPrefix(got, written+"/") && !strings.Contains(written, "/") {
		return "without an S3 Bucket Key the encryption context holds the object's ARN, not the bucket's", written + "/*"
	}
	return "", ""
}

func serviceHint(written, got string) string {
	if strings.Contains(written, "-region.") {
		return "the Region placeholder was left in: the call comes through " + got
	}
	return "the call comes through " + got + ": S3 uses the Region of the key"
}
