package store

import (
	"context"
	"errors"
	"io"

	"twinbucket/store/blob"
	"twinbucket/store/kv"
)

// sealedID is the id that the bytes are sealed under.
func (d *Data) sealedID() blob.ID {
	if d.Sealed.IsZero() {
		return d.ID
	}
	return d.Sealed
}

// CopyData copies sealed data byte for byte into data of its own, which the same data
// key opens. It is for data whose key nobody here has (SSE-C): nothing can be decrypted,
// so nothing is verified; damage shows when the copy is read, as it would at the source.
// Like WriteData's, the result is the caller's to store or to DiscardData. Data that
// were removed meanwhile are code DataGone.
func (s *Store) CopyData(ctx context.Context, d Data) (Data, error) {
	if d.ID.IsZero() {
		return d, nil
	}
	out := Data{Sealed: d.sealedID(), File: d.File, Size: d.Size}
	if !d.File {
		out.ID = s.inlineID()
		err := s.cfg.Engine.View(ctx, func(r kv.Reader) error {
			sealed, err := r.Get(idKey(kindInline, d.ID))
			out.Inline = append([]byte(nil), sealed...)
			return err
		})
		if errors.Is(err, kv.ErrNotFound) {
			return Data{}, dataGone(err)
		}
		return out, failed(err)
	}
	f, err := s.cfg.Blobs.Open(d.ID)
	if errors.Is(err, blob.ErrNotFound) {
		return Data{}, dataGone(err)
	} else if err != nil {
		return Data{}, failed(err)
	}
	defer f.Close()
	if out.ID, err = blob.NewID(s.cfg.Rand); err != nil {
		return Data{}, failed(err)
	}
	w, err := s.cfg.Blobs.Create(out.ID)
	if err != nil {
		return Data{}, failed(err)
	}
	defer w.Abort()
	if _, err = io.Copy(w, &contextReader{ctx, io.NewSectionReader(f, 0, f.Size())}); err == nil {
		err = w.Commit()
	}
	if err != nil {
		return Data{}, failed(err)
	}
	return out, nil
}
