// Package notify delivers events by HTTP POST to the endpoints that were configured for
// their targets' ARNs.
//
// Each endpoint has a queue and a worker of its own: its events arrive one at a time and
// in order, and an endpoint that does not answer delays no other. [Notifier.Send] never
// blocks. A delivery that fails is tried again with growing pauses on the domain clock;
// after the last attempt, and when a queue is full, the event is dropped, counted and
// logged. Queues are not kept over a restart, so delivery is at most as reliable as the
// process: this is for tests and development, as the whole emulator is.
package notify
