package kmsapi

import (
	"fmt"
)

const aliasS3 = "alias/aws/s3"

// managedOnDemand reports whether an absent alias is one that this call brings into
// being: S3's, on its first use through a service or when it is described (K35).
func (s *Service) managedOnDemand(c *call, ref aliasRef) bool {
	return ref.Name == aliasS3 && (len(c.caller.Via) > 0 || c.op.Name == "DescribeKey")
}

// createManaged makes the AWS managed key of S3 and its alias, or finds that another
// call has done so.
func (s *Service) createManaged(c *call, ref aliasRef) (*alias, error) {
	s.write.Lock()
	defer s.write.Unlock()
	if a := s.alias(ref); a != nil {
		return a, nil
	}
	id, err := s.newUUID()
	if err != nil {
		return nil, err
	}
	key := keyRef{ref.Account, ref.Region, id}
	spec, _ := specOf(specSymmetric)
	m, err := s.newMaterial(key, spec, c.now)
	if err != nil {
		return nil, err
	}
	text, err := printPolicy(fmt.Sprintf(managedPolicy, ref.Account, ref.Region), nil)
	if err != nil {
		panic("kmsapi: policy of the AWS managed key: " + err.Error())
	}
	r := &keyRecord{
		keyRef: key, Spec: specSymmetric, Usage: usageEncryptDecrypt, Origin: originKMS,
		Created: c.now, Manager: managerAWS, State: stateEnabled,
		Description: "Default key that protects my S3 objects when no other key is defined",
		Policy:      text, Materials: []material{m},
		Rotation: rotation{Enabled: true, Days: rotationUsual, Next: c.now.Add(days(rotationUsual))},
	}
	a := &alias{aliasRef: ref, KeyID: id, Created: c.now, Updated: c.now}
	if err := s.insert(c, r, a); err != nil {
		return nil, err
	}
	return a, nil
}

// insert stores and publishes a new key, with an alias if a is not nil. The caller
// holds the write lock and knows that both names are free.
func (s *Service) insert(c *call, r *keyRecord, a *alias) error {
	changes := []change{{r.record(), r}}
	var names []string
	if a != nil {
		names = []string{a.Name}
		changes = append(changes, change{a.record(), a})
	}
	k, err := newKey(r, names, nil)
	if err != nil {
		return err
	}
	if err := s.update(c.ctx, changes...); err != nil {
		return err
	}
	s.mu.Lock()
	s.state.addKey(k)
	if a != nil {
		s.state.aliases[a.aliasRef] = a
	}
	s.mu.Unlock()
	s.expect(k.due())
	return nil
}

// managedPolicy is the policy of S3's AWS managed key (K36): everyone in the account
// may use it through S3 in its region, nobody may change it, and no other account
// may use it at all.
const managedPolicy = `{"Version":"2012-10-17","Id":"auto-s3-2","Statement":[` +
	`{"Sid":"Allow access through S3 for all principals in the account that are authorized to use S3",` +
	`"Effect":"Allow","Principal":{"AWS":"*"},` +
	`"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*",` +
	`"Condition":{"StringEquals":{"kms:CallerAccount":"%[1]s","kms:ViaService":"s3.%[2]s.amazonaws.com"}}},` +
	`{"Sid":"Allow direct access to key metadata to the account","Effect":"Allow",` +
	`"Principal":{"AWS":"arn:aws:iam::%[1]s:root"},"Action":["kms:Describe*","kms:Get*","kms:List*"],"Resource":"*"}]}`

// rotationUsual is the rotation period in days when none is asked for (K33).
const rotationUsual = 365
