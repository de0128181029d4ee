package iamsim

// updateEntity is UpdateUser and UpdateGroup: a new name, a new path, or both.
func updateEntity(kind entityKind) func(*Service, *call) (any, error) {
	return func(s *Service, c *call) (any, error) {
		f := c.form
		name := f.name(kind.param(), kind.nameLimit())
		newName := f.optionalName("New"+kind.param(), kind.newNameLimit())
		newPath := ""
		if f.has("NewPath") {
			newPath = f.path("NewPath")
		}
		if err := f.err(); err != nil {
			return nil, err
		}
		return nil, s.change(c.ctx, func(ch *change) error {
			old, err := ch.find(kind, c.account(), name)
			if err != nil {
				return err
			}
			e := old.edit()
			if newPath != "" {
				e.Path = newPath
			}
			if newName != "" {
				e.Name = newName
			}
			return s.rename(c, ch, old, e)
		})
	}
}

// rename replaces an entity by itself under another name or path. Whatever refers to it
// by its id (pins, groups, keys) follows; the right to touch both ARNs is needed (I39).
func (s *Service) rename(c *call, ch *change, old, e *entity) error {
	after := target{
		arn: entityARN(e.Kind, e.Account, e.Path, e.Name), text: string(e.Kind) + " " + e.Name,
		account: e.Account, tags: e.Tags, boundary: e.Boundary,
	}
	if err := s.require(c, c.op.action(), after, c.conditionKeys()); err != nil {
		return err
	}
	if e.key() == old.key() {
		ch.putEntity(e)
		return nil
	}
	if ch.entity(e.Kind, e.Account, e.Name) != nil {
		return nameTaken(e.Kind, e.Name)
	}
	ch.renameEntity(old, e)
	return nil
}
