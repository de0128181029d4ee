package kmsapi

import (
	"slices"

	"twinbucket/internal/failure"
)

// Values of KeyState.
const (
	stateEnabled                = "Enabled"
	stateDisabled               = "Disabled"
	statePendingDeletion        = "PendingDeletion"
	statePendingReplicaDeletion = "PendingReplicaDeletion"
	statePendingImport          = "PendingImport"
	stateCreating               = "Creating" // a replica key that has just been made
	stateUpdating               = "Updating" // both keys while the primary Region changes
)

// The methods below are the rows of AWS's table of key states (K32): each names the
// states in which a group of operations works. Reads, policy changes and the end of
// aliases and grants work in all of them.

// usable is for cryptographic operations, new grants and rotation settings.
func (r *keyRecord) usable() error { return r.in(stateEnabled, stateUpdating) }

// enabled is for what must find the key at rest: rotation on demand and replication.
func (r *keyRecord) enabled() error { return r.in(stateEnabled) }

// changeable is for aliases, tags and descriptions.
func (r *keyRecord) changeable() error {
	return r.in(stateEnabled, stateDisabled, statePendingImport, stateCreating, stateUpdating)
}

// switchable is for EnableKey and DisableKey.
func (r *keyRecord) switchable() error { return r.in(stateEnabled, stateDisabled) }

// schedulable is for ScheduleKeyDeletion.
func (r *keyRecord) schedulable() error {
	return r.in(stateEnabled, stateDisabled, statePendingImport, stateCreating)
}

// cancellable is for CancelKeyDeletion.
func (r *keyRecord) cancellable() error {
	if !r.pendingDeletion() {
		return failure.New(invalidState, r.arn()+" is not pending deletion.")
	}
	return nil
}

// wrappable is for GetParametersForImport; importable, for ImportKeyMaterial; and
// emptiable, for DeleteImportedKeyMaterial.
func (r *keyRecord) wrappable() error { return r.in(stateEnabled, stateDisabled, statePendingImport) }

func (r *keyRecord) importable() error {
	return r.in(stateEnabled, stateDisabled, statePendingImport, stateUpdating)
}

func (r *keyRecord) emptiable() error {
	return r.in(stateEnabled, stateDisabled, statePendingImport, statePendingDeletion, statePendingReplicaDeletion)
}

func (r *keyRecord) pendingDeletion() bool {
	return r.State == statePendingDeletion || r.State == statePendingReplicaDeletion
}

// in returns nil in one of the states, else the exception of the state that the key is in.
func (r *keyRecord) in(states ...string) error {
	if slices.Contains(states, r.State) {
		return nil
	}
	switch r.State {
	case stateDisabled:
		return failure.New(disabled, r.arn()+" is disabled.")
	case statePendingImport:
		return failure.New(invalidState, r.arn()+" is pending import.")
	case stateCreating:
		return failure.New(invalidState, r.arn()+" is creating.")
	case stateUpdating:
		return failure.New(invalidState, r.arn()+" is updating.")
	}
	return failure.New(invalidState, r.arn()+" is pending deletion.")
}

// fits checks what follows the state: that the key's usage is that of the operation,
// and that it knows the algorithm (K87).
func (k *key) fits(operation, usage, algorithm string) error {
	if k.Usage != usage {
		return failure.Newf(invalidKeyUsage, "%s key usage is %s which is not valid for %s.", k.arn, k.Usage, operation)
	}
	if !slices.Contains(k.spec.algorithms[usage], algorithm) {
		return failure.Newf(invalidKeyUsage, "Algorithm %s is incompatible with key spec %s.", algorithm, k.Spec)
	}
	return nil
}

// originIs refuses operations that keys of another origin do not have (K86).
func (r *keyRecord) originIs(origin string) error {
	if r.Origin != origin {
		return failure.Newf(unsupported, "%s origin is %s which is not valid for this operation.", r.arn(), r.Origin)
	}
	return nil
}
