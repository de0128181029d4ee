package s3api

import (
	"errors"

	"twinbucket/internal/failure"
)

// probe takes the steps of a replication door. The zero value is in earnest: the first
// step that fails ends the door. With report set nothing is in earnest and the door is
// walked to its end, so that everything wrong is found at once; what can't be looked at
// without the failed step is left out.
type probe struct {
	// report is told each failure. stops is false for one that the replica outlives: it
	// is written without what was denied, and the version is FAILED all the same.
	report func(err error, stops bool)
}

// errForeseen ends a probing door whose failure was reported already.
var errForeseen = errors.New("s3api: the door can't be walked further")

// foresees reports whether nothing is in earnest.
func (p probe) foresees() bool { return p.report != nil }

// step ends the door with err, or notes it and lets the door go on.
func (p probe) step(err error) error {
	if err == nil || !p.foresees() || failure.Of(err) == nil {
		return err
	}
	p.report(err, true)
	return nil
}

// end is step where the door can't go on without what failed.
func (p probe) end(err error) error {
	if err = p.step(err); err == nil {
		return errForeseen
	}
	return err
}

// outlived notes a failure that does not stop the door.
func (p probe) outlived(err error) {
	if p.foresees() {
		p.report(err, false)
	}
}
