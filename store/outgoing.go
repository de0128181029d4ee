package store

import (
	"context"
	"io"
)

// Outgoing is a source version opened for replication: its data key is unwrapped,
// its bytes can be read.
type Outgoing struct {
	Version Version
	Key     DataKey
	// TagsDenied is set when the role may not read the tags: the replica is written
	// without them and the version ends FAILED.
	TagsDenied error
	// Open starts reading one part; nil for delete markers.
	Open func(ctx context.Context, part Part) (io.ReadCloser, error)
}

// Close forgets the data key. Readers that Open returned are closed by whoever has
// them. It may be called more than once.
func (o *Outgoing) Close() error {
	o.Key = DataKey{}
	o.Open = nil
	return nil
}
