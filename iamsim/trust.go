package iamsim

import (
	"strings"

	"twinbucket/iamsim/policy"
	"twinbucket/internal/arn"
)

func updateAssumeRolePolicy(s *Service, c *call) (any, error) {
	name := c.form.name("RoleName", 64)
	text := c.form.document("PolicyDocument")
	if err := c.form.err(); err != nil {
		return nil, err
	}
	return nil, s.change(c.ctx, func(ch *change) error {
		role, err := ch.find(roleKind, c.account(), name)
		if err != nil {
			return err
		}
		if err := mayModify(role); err != nil {
			return err
		}
		role = role.edit()
		if role.Pins, err = ch.checkTrust(text); err != nil {
			return err
		}
		role.Trust = text
		ch.putEntity(role)
		return nil
	})
}

// shownTrust is a role's trust policy as clients read it (I23): the stored text, with
// principals whose pinned entity is gone replaced by the pinned id, ids of living
// entities by their ARN, and account ids by the ARN of the account's root.
func (s *Service) shownTrust(im *image, role *entity) string {
	doc, err := s.ParsePolicy(role.Trust)
	if err != nil {
		return role.Trust
	}
	at := map[policy.Pos]string{}
	for _, st := range doc.Statements {
		for _, p := range st.Principals {
			if shown := im.shownPrincipal(p, role.Pins); shown != p.Text {
				at[p.Pos] = shown
			}
		}
	}
	if len(at) == 0 {
		return role.Trust
	}
	return replaceStrings(role.Trust, at)
}

func (im *image) shownPrincipal(p policy.PrincipalValue, pins map[string]string) string {
	if p.Kind != policy.PrincipalAWS {
		return p.Text
	}
	if arn.IsAccount(p.Text) {
		return arn.Root(p.Text)
	}
	if e := im.byID[p.Text]; e != nil {
		return e.arn
	}
	pinned, ok := pins[p.Text]
	if !ok {
		return p.Text
	}
	if e := im.byID[pinned]; e != nil {
		return e.arn // also after a rename
	}
	return pinned
}

// replaceStrings puts new texts in place of the JSON strings that begin at the given
// positions.
func replaceStrings(text string, at map[policy.Pos]string) string {
	var b strings.Builder
	pos := policy.Pos{Line: 1, Column: 1}
	for i := 0; i < len(text); {
		if shown, ok := at[pos]; ok && text[i] == '"' {
			end := stringEnd(text, i)
			b.WriteString(`"` + shown + `"`)
			for ; i < end; i++ {
				advance(&pos, text[i])
			}
			continue
		}
		b.WriteByte(text[i])
		advance(&pos, text[i])
		i++
	}
	return b.String()
}

// stringEnd is the offset after the JSON string that begins at start.
func stringEnd(text string, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// advance counts as policy positions do: lines and characters from 1.
func advance(pos *policy.Pos, c byte) {
	switch {
	case c == '\n':
		pos.Line, pos.Column = pos.Line+1, 1
	case c&0xC0 != 0x80:
		pos.Column++
	}
}
