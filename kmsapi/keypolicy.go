package kmsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"twinbucket/iamsim"
	"twinbucket/iamsim/policy"
	"twinbucket/internal/failure"
)

// maxPolicy is the largest key policy in bytes (K60).
const maxPolicy = 32768

const policyName = "default" // the only one (K60)

// defaultPolicy hands the key to the account's IAM policies (K61).
const defaultPolicy = `{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions",` +
	`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:root"},"Action":"kms:*","Resource":"*"}]}`

// newPolicy validates a policy that a client gave for the key ref and returns the
// principals to pin. Unless bypass is set, the caller must still be able to change
// the policy afterwards (K62).
func (s *Service) newPolicy(c *call, ref keyRef, text string, bypass bool, base policy.Context) (pins map[string]string, err error) {
	if len(text) > maxPolicy {
		return nil, failure.Newf(limitExceeded, "The key policy exceeds the limit of %d bytes.", maxPolicy)
	}
	doc, err := policy.ValidateKey(text, s.cfg.IAM)
	if err != nil {
		var v *policy.ValidationError
		if errors.As(err, &v) {
			return nil, failure.New(failure.Code(v.Code), v.Message).Because(err)
		}
		return nil, failure.New(malformedPolicy, err.Error()).Because(err)
	}
	for _, a := range doc.PrincipalARNs() {
		if id, ok := s.cfg.IAM.PrincipalID(a); ok {
			if pins == nil {
				pins = map[string]string{}
			}
			pins[a] = id
		}
	}
	if bypass {
		return pins, nil
	}
	callerContext(c, base)
	d, err := s.cfg.IAM.Authorize(c.ctx, c.caller, &iamsim.Request{
		Action: "kms:PutKeyPolicy", Resource: ref.arn(), ResourceAccount: ref.Account, Region: c.region,
		Rule: policy.KeyRule, Context: base,
		ResourcePolicies: []policy.Source{{
			Type: policy.Resource, Owner: ref.Account, Name: "new key policy of " + ref.arn(), Doc: doc, Pins: pins,
		}},
	})
	if err != nil {
		return nil, err
	}
	if !d.Permitted() {
		e := failure.New(malformedPolicy, "The new key policy will not allow you to update the key policy in the future.")
		e.Decision = d
		return nil, e
	}
	return pins, nil
}

// printPolicy prints a policy as AWS shows it: its members in the order written,
// one to a line, with a space on both sides of every colon (K63). Principals whose
// entity is gone are shown by their unique id: dead maps their ARNs to it (K64).
func printPolicy(text string, dead map[string]string) (string, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	p := policyPrinter{d: d, dead: dead}
	if err := p.value(0, false); err != nil {
		return "", err
	}
	if _, err := d.Token(); err != io.EOF {
		return "", errors.New("kmsapi: text after the policy")
	}
	return p.out.String(), nil
}

type policyPrinter struct {
	d    *json.Decoder
	dead map[string]string
	out  bytes.Buffer
}

// value prints the next value; depth counts the objects around it, principal says
// whether it stands in a Principal element.
func (p *policyPrinter) value(depth int, principal bool) error {
	t, err := p.d.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return p.object(depth, principal)
		}
		return p.array(depth, principal)
	case string:
		if id, ok := p.dead[t]; ok && principal {
			t = id
		}
		p.text(t)
	case nil:
		p.out.WriteString("null")
	default:
		fmt.Fprint(&p.out, t)
	}
	return nil
}

func (p *policyPrinter) object(depth int, principal bool) error {
	p.out.WriteByte('{')
	n := 0
	for ; p.d.More(); n++ {
		if n > 0 {
			p.out.WriteByte(',')
		}
		p.line(depth + 1)
		t, err := p.d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string) // the decoder allows nothing else here
		p.text(name)
		p.out.WriteString(" : ")
		if err := p.value(depth+1, principal || name == "Principal" || name == "NotPrincipal"); err != nil {
			return err
		}
	}
	if n > 0 {
		p.line(depth)
	} else {
		p.out.WriteByte(' ')
	}
	p.out.WriteByte('}')
	_, err := p.d.Token()
	return err
}

func (p *policyPrinter) array(depth int, principal bool) error {
	p.out.WriteString("[ ")
	for n := 0; p.d.More(); n++ {
		if n > 0 {
			p.out.WriteString(", ")
		}
		if err := p.value(depth, principal); err != nil {
			return err
		}
	}
	p.out.WriteString(" ]")
	_, err := p.d.Token()
	return err
}

func (p *policyPrinter) line(depth int) {
	p.out.WriteByte('\n')
	for range depth {
		p.out.WriteString("  ")
	}
}

func (p *policyPrinter) text(s string) {
	e := json.NewEncoder(&p.out)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string into a buffer
	p.out.Truncate(p.out.Len() - 1)
}
