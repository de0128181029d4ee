package store

import (
	"context"
	"io"
	"testing"
)

func TestOutgoingClose(t *testing.T) {
	o := Outgoing{Key: DataKey{1}, Open: func(context.Context, Part) (io.ReadCloser, error) { return nil, nil }}
	for range 2 {
		if err := o.Close(); err != nil {
			t.Error(err)
		}
	}
	if o.Key != (DataKey{}) || o.Open != nil {
		t.Error("the data key is still there")
	}
}
